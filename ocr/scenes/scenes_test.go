package scenes

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"platewatch/ocr/render"
	"platewatch/ocr/render/paint"
	"platewatch/ocr/rendertest"
	"platewatch/ocr/text"
)

const stillsDir = "../render/testdata/plates"

// The committed stills are the ones that the specifications make, and their
// boxes are where the plates are.
func TestStillsMatchTheirTruth(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(stillsDir, "truth.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"file\tx\ty\tw\th\tplate"}
	negatives := 0
	for i, s := range Stills {
		truths := rendertest.Truths(t, s.Spec(uint64(i+1)))
		if len(truths[0].Plates) == 0 {
			negatives++
			want = append(want, s.Name+".jpg\t\t\t\t\t")
		}
		for _, p := range truths[0].Plates {
			if !p.Clear {
				t.Errorf("%s: the plate is not wholly in view", s.Name)
			}
			want = append(want, fmt.Sprintf("%s.jpg\t%d\t%d\t%d\t%d\t%s", s.Name, p.Box.Min.X, p.Box.Min.Y, p.Box.Dx(), p.Box.Dy(), p.Text))
		}
		checkStill(t, filepath.Join(stillsDir, s.Name+".jpg"), s.Spec(1).View)
	}
	if d := cmp.Diff(want, strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")); d != "" {
		t.Errorf("truth.tsv (-specified +committed):\n%s", d)
	}
	if negatives < 3 || len(Stills)-negatives < 20 {
		t.Errorf("%d pictures with a plate and %d without", len(Stills)-negatives, negatives)
	}
}

func checkStill(t *testing.T, path string, v render.View) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	c, err := jpeg.DecodeConfig(f)
	if err != nil {
		t.Errorf("%s: %v", path, err)
	} else if c.Width != v.Width || c.Height != v.Height {
		t.Errorf("%s is %d × %d, want %d × %d", path, c.Width, c.Height, v.Width, v.Height)
	}
	if st, err := f.Stat(); err != nil || st.Size() > 60_000 {
		t.Errorf("%s has %d bytes (%v), want at most 60000", path, st.Size(), err)
	}
}

// Every vehicle of the road is readable for at least 15 frames, and five are
// to be on the hotlist.
func TestRoadShowsEveryPlate(t *testing.T) {
	spec, hot := Road()
	truths := rendertest.Truths(t, spec)
	hits := 0
	for i, p := range render.Passages(len(spec.Vehicles), truths) {
		if p.Frames < 15 {
			t.Errorf("vehicle %d (%s): %d readable frames, want 15", i+1, spec.Vehicles[i].Plate.Text, p.Frames)
		}
		if hot[i] {
			hits++
		}
	}
	if len(hot) != 8 || hits != 5 {
		t.Errorf("%d vehicles, %d of them hot; want 8 and 5", len(hot), hits)
	}
}

// The glyphs are judged by a reader that has never seen them: Tesseract with
// Debian's English model, on the character rows cut out by the truth.
func TestTesseractReadsTheStills(t *testing.T) {
	if _, err := exec.LookPath("tesseract"); err != nil {
		t.Skip("tesseract is not installed (apt-get install tesseract-ocr)")
	}
	n, right := 0, 0
	for i, s := range Stills {
		if i%2 == 1 {
			continue // half of them show it, in half the time
		}
		f, err := render.Still(s.Spec(uint64(i+1)), 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range f.Truth.Plates {
			got := ""
			for r, row := range p.Rows {
				got += readRow(t, f.Image, row, fmt.Sprintf("%s-%d.png", s.Name, r))
			}
			n++
			if fold(got) == fold(p.Text) {
				right++
			} else {
				t.Logf("%s: %s read as %q", s.Name, p.Text, got)
			}
		}
	}
	t.Logf("%d of %d rows of characters read exactly (O/0 and I/1 folded)", right, n)
	if right*10 < n*7 {
		t.Errorf("%d of %d read: the characters no longer look like characters", right, n)
	}
}

func fold(s string) string { return text.Fold(render.Characters(s)) }

// readRow straightens a row of characters to 48 px high with a margin round it
// and has tesseract read it.
func readRow(t *testing.T, img *image.RGBA, q [4]render.Point, name string) string {
	t.Helper()
	const high, pad = 48, 20
	w := math.Hypot(q[1].X-q[0].X, q[1].Y-q[0].Y) * high / math.Hypot(q[3].X-q[0].X, q[3].Y-q[0].Y)
	m, err := paint.RectTo(w, high, q)
	if err != nil {
		t.Fatal(err)
	}
	out := image.NewGray(image.Rect(0, 0, int(w)+2*pad, high+2*pad))
	lo, hi := 255, 0
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			// the margin repeats what is just outside the characters
			p := m.Apply(render.Point{X: min(max(float64(x-pad), -4), w+4), Y: min(max(float64(y-pad), -5), high+5)})
			c := sample(img, p)
			out.Pix[out.PixOffset(x, y)] = uint8(c)
			lo, hi = min(lo, c), max(hi, c)
		}
	}
	dark := 0
	for i, v := range out.Pix {
		out.Pix[i] = uint8((int(v) - lo) * 255 / max(hi-lo, 1))
		if out.Pix[i] < 128 {
			dark++
		}
	}
	if dark > len(out.Pix)/2 { // light characters on a dark plate
		for i, v := range out.Pix {
			out.Pix[i] = 255 - v
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, out); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("tesseract", "-", "-", "--psm", "7", "-l", "eng", "-c", "tessedit_char_whitelist=ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
	cmd.Env = append(os.Environ(), "OMP_THREAD_LIMIT=1")
	cmd.Stdin = &b
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("tesseract on %s: %v", name, err)
	}
	return strings.TrimSpace(string(text))
}

// sample is the bilinear grey value at p.
func sample(img *image.RGBA, p render.Point) int {
	x, y := p.X-.5, p.Y-.5
	x0, y0 := math.Floor(x), math.Floor(y)
	at := func(x, y float64) float64 {
		c := img.RGBAAt(int(x), int(y))
		return .3*float64(c.R) + .59*float64(c.G) + .11*float64(c.B)
	}
	tx, ty := x-x0, y-y0
	return int((at(x0, y0)*(1-tx)+at(x0+1, y0)*tx)*(1-ty) + (at(x0, y0+1)*(1-tx)+at(x0+1, y0+1)*tx)*ty)
}
