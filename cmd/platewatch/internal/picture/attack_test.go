package picture

import (
	"encoding/csv"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"platewatch/ocr/render"
	"platewatch/ocr/scenes"
)

// largest are the settings that show the most.
func largest() Settings {
	s := Default()
	s.ContextSides, s.ContextAbove, s.ContextBelow = maxContextSides, maxContextAbove, maxContextBelow
	return s
}

// The context pictures of thousands of rendered vehicles, at the defaults and at the
// maxima, are searched for windows, behind which people sit.
func TestAttackContextShowsWindows(t *testing.T) {
	seeds := uint64(400)
	if os.Getenv("PLATEWATCH_ATTACK") != "" {
		seeds = 3000
	}
	var specs []render.ClipSpec
	for i, still := range scenes.Stills {
		specs = append(specs, still.Spec(uint64(i+1)))
	}
	for seed := range seeds {
		specs = append(specs, scenes.Random(seed+1))
	}
	plates, most := 0, 0.0
	for i, spec := range specs {
		for shot, err := range render.Clip(spec) {
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range shot.Truth.Plates {
				if !p.Clear {
					continue
				}
				plates++
				for name, s := range map[string]Settings{"defaults": Default(), "maxima": largest()} {
					n := covered(s.surroundings(p.Box), p.Windows)
					if most = max(most, n); n > 0.01 { // a corner of a plate that the picture shows askew
						t.Errorf("scene %d, %s, plate %v: at the %s %.0f %% of a window show", i, p.Layout, p.Box, name, 100*n)
					}
				}
			}
			break // one picture of each scene
		}
	}
	t.Attr("outcome", fmt.Sprintf("%d vehicles, at most %.1f %% of a window show", plates, 100*most))
	if plates < 300 {
		t.Errorf("only %d plates", plates)
	}
}

// covered is the largest share of a window that a rectangle shows.
func covered(r image.Rectangle, windows [][]render.Point) (most float64) {
	for _, w := range windows {
		inside, all := 0, 0
		eachPoint(w, func(q render.Point) {
			all++
			if image.Pt(int(q.X), int(q.Y)).In(r) {
				inside++
			}
		})
		most = max(most, float64(inside)/float64(all))
	}
	return most
}

// eachPoint calls f with points on the edges of a convex polygon and inside it.
func eachPoint(polygon []render.Point, f func(render.Point)) {
	const steps = 40
	var centre render.Point
	for _, p := range polygon {
		centre = centre.Add(p.Mul(1 / float64(len(polygon))))
	}
	for i, a := range polygon {
		b := polygon[(i+1)%len(polygon)]
		for u := range steps {
			edge := a.Mul(1 - float64(u)/steps).Add(b.Mul(float64(u) / steps))
			for v := 0; v < steps; v += 4 {
				f(edge.Mul(1 - float64(v)/steps).Add(centre.Mul(float64(v) / steps)))
			}
		}
	}
}

// The context pictures of photographed vehicles at the maxima, on sheets for a person
// to look through (go test -artifacts): nobody is to be seen in them.
func TestAttackContextOfPhotographs(t *testing.T) {
	root := "../../../../../shared/data/frames"
	tables, err := filepath.Glob(filepath.Join(root, "*", "truth.tsv"))
	if err != nil || len(tables) == 0 {
		t.Skip("no photographs with boxes here")
	}
	if os.Getenv("PLATEWATCH_ATTACK") == "" {
		t.Skip("make attack does it")
	}
	s, shown := largest(), 0
	for _, table := range tables {
		var tiles []image.Image
		f, err := os.Open(table)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		lines := csv.NewReader(f)
		lines.Comma, lines.LazyQuotes, lines.FieldsPerRecord = '\t', true, -1
		rows, err := lines.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows[1:] {
			var n [4]int
			whole := len(row) == 6
			for i := range n {
				if whole {
					n[i], err = strconv.Atoi(row[i+1])
					whole = err == nil
				}
			}
			if !whole || n[2] < 40 {
				continue
			}
			img, err := decoded(filepath.Join(filepath.Dir(table), row[0]))
			if err != nil {
				continue
			}
			box := image.Rect(n[0], n[1], n[0]+n[2], n[1]+n[3])
			tiles = append(tiles, tile(img, s.surroundings(box)))
		}
		shown += len(tiles)
		sheet(t, filepath.Base(filepath.Dir(table)), tiles)
	}
	t.Attr("outcome", fmt.Sprintf("%d context pictures at the maxima are on sheets in %s", shown, t.ArtifactDir()))
}

func decoded(path string) (image.Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	return img, err
}

const tileSide = 150 // pixels

// tile is a region of a picture, scaled to fit.
func tile(img image.Image, r image.Rectangle) image.Image {
	r = r.Intersect(img.Bounds())
	out := image.NewRGBA(image.Rect(0, 0, tileSide, tileSide))
	scale := float64(max(r.Dx(), r.Dy())) / tileSide
	for y := range tileSide {
		for x := range tileSide {
			at := r.Min.Add(image.Pt(int(float64(x)*scale), int(float64(y)*scale)))
			if at.In(r) {
				out.Set(x, y, img.At(at.X, at.Y))
			} else {
				out.Set(x, y, color.Black)
			}
		}
	}
	return out
}

// sheet writes tiles side by side.
func sheet(t *testing.T, name string, tiles []image.Image) {
	t.Helper()
	const across, most = 10, 100
	for page := 0; page*most < len(tiles); page++ {
		part := tiles[page*most : min((page+1)*most, len(tiles))]
		out := image.NewRGBA(image.Rect(0, 0, across*tileSide, (len(part)+across-1)/across*tileSide))
		for i, m := range part {
			at := image.Pt(i%across*tileSide, i/across*tileSide)
			draw.Draw(out, image.Rectangle{at, at.Add(image.Pt(tileSide, tileSide))}, m, image.Point{}, draw.Src)
		}
		f, err := os.Create(filepath.Join(t.ArtifactDir(), fmt.Sprintf("%s-%d.jpg", name, page+1)))
		if err != nil {
			t.Fatal(err)
		}
		if err := jpeg.Encode(f, out, nil); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
