package bench

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"platewatch/ocr/render"
	"platewatch/ocr/rendertest"
	"platewatch/ocr/scenes"
	"platewatch/ocr/truth"
)

// layouts are the plates of each region that rendered scenes show in turn.
var layouts = map[string][]string{
	"eu": {"de", "fr", "nl", "es", "it", "pl", "be", "cz", "se", "sk", "at"},
	"uk": {"gb", "gb-rear", "gb-plain"},
	"us": {"us-az", "us-ca", "us-co", "us-fl", "us-ny", "us-oh", "us-tx", "us-wa"},
	"br": {"br", "br-mercosul"},
	"tw": {"tw"},
}

const (
	perRegion = 14  // pictures, half of them at night
	widest    = 800 // pixels: a larger picture takes longer, and shows the same plate
	narrowest = 80  // pixels, of the plate: smaller ones are a matter of luck
)

// renderRegion renders road scenes with the plates of a region into a folder,
// with their truth: [scenes.Random]'s, with noise, blur, wear, and lettering
// on the vehicles, in which the plate is in full view. The same region gives
// the same pictures.
func renderRegion(t *testing.T, region string) *truth.Set {
	t.Helper()
	dir := t.TempDir()
	var drawing errgroup.Group
	drawing.SetLimit(2)
	rows := make([]string, perRegion)
	seed := uint64(region[0])<<16 | uint64(region[1])<<8
	for i := range perRegion {
		layout := layouts[region][i/2%len(layouts[region])]
		var spec render.ClipSpec
		for good := false; !good; seed++ {
			spec = scenes.Random(seed)
			if len(spec.Vehicles) == 0 || spec.View.Width > widest {
				continue
			}
			spec.Vehicles[0].Plate.Layout = layout
			spec.Length = time.Second / 25 // one frame
			night := float64(i % 2)
			spec.Dusk = func(time.Duration) float64 { return 0.9 * night }
			frames := rendertest.Truths(t, spec)
			plates := frames[0].Plates
			good = len(plates) == 1 && plates[0].Clear && plates[0].Width() >= narrowest
		}
		drawing.Go(func() error {
			frame, err := render.Still(spec, 0)
			if err != nil {
				return err
			}
			name := fmt.Sprintf("%02d-%s.jpg", i, layout)
			for _, p := range frame.Truth.Plates {
				rows[i] += fmt.Sprintf("%s\t%d\t%d\t%d\t%d\t%s\n", name, p.Box.Min.X, p.Box.Min.Y, p.Box.Dx(), p.Box.Dy(), p.Text)
			}
			var jpg bytes.Buffer
			if err := jpeg.Encode(&jpg, frame.Image, &jpeg.Options{Quality: 90}); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, name), jpg.Bytes(), 0o600)
		})
	}
	if err := drawing.Wait(); err != nil {
		t.Fatal(err)
	}
	list := "file\tx\ty\tw\th\tplate\n"
	for _, r := range rows {
		list += r
	}
	if err := os.WriteFile(filepath.Join(dir, truth.FileName), []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := truth.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return set
}
