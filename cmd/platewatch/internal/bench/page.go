package bench

import (
	"context"
	"embed"
	"encoding/base64"
	"html/template"
	"image"
	"io"
	"path/filepath"

	"gocv.io/x/gocv"

	"platewatch/capture/still"
	"platewatch/cmd/platewatch/internal/picture"
)

//go:embed page.html
var pageFiles embed.FS

var page = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"percent": percent,
	"part":    part,
	"shareOf": shareOf,
	"name":    (*Score).name,
	"chart":   chartOf,
}).ParseFS(pageFiles, "page.html"))

// shown is a failure with its picture.
type shown struct {
	Failure
	Picture template.URL // JPEG as a data: address; empty when there is none
}

// chart is a reliability diagram in the coordinates of an SVG, in which 1 is
// chartSide long.
type chart struct {
	Side float64
	Bars []chartBar
}

type chartBar struct {
	X, Y, W, H float64 // the bar: the share that was right
	Said       float64 // the y that the mean confidence stands for
	Middle     float64 // the bar's x
	Few        bool    // too few plates for a meaningful bar
	Bin
	Share float64
}

const (
	chartSide = 240
	// With fewer plates a share is uncertain by more than ± 0.2.
	fewPlates = 20
)

func chartOf(r Reliability) chart {
	c := chart{Side: chartSide}
	for i, b := range r {
		if b.N == 0 {
			continue
		}
		const w = float64(chartSide) / bins
		h := b.share() * chartSide
		c.Bars = append(c.Bars, chartBar{
			X: float64(i)*w + 1, Y: chartSide - h, W: w - 2, H: h, Said: chartSide * (1 - b.Confidence),
			Middle: (float64(i) + 0.5) * w, Few: b.N < fewPlates, Bin: b, Share: b.share(),
		})
	}
	return c
}

// WritePage writes one HTML file with the scores and every failure as a
// picture. At most perFolder failures of a folder are shown.
func WritePage(ctx context.Context, pictures *still.Reader, w io.Writer, scores []*Score, perFolder int) error {
	type section struct {
		*Score
		Shown  []shown
		Hidden int
	}
	var sections []section
	for _, s := range scores {
		sec := section{Score: s, Hidden: max(0, len(s.Failures)-perFolder)}
		for _, f := range s.Failures[:min(len(s.Failures), perFolder)] {
			sec.Shown = append(sec.Shown, shown{f, thumbnail(ctx, pictures, filepath.Join(s.Folder, f.File), f.Box)})
		}
		sections = append(sections, sec)
	}
	return page.Execute(w, struct {
		Sections []section
		Total    *Score
		Legend   string
	}{sections, Total(scores), Legend})
}

// thumbnail returns the surroundings of box, or the whole picture if there is no
// box, at most 360 px wide. It is empty if the file is not a picture.
func thumbnail(ctx context.Context, pictures *still.Reader, path string, box image.Rectangle) template.URL {
	img, err := pictures.Read(ctx, path)
	if err != nil {
		return ""
	}
	defer img.Close()
	whole := image.Rect(0, 0, img.Cols(), img.Rows())
	if around := box.Inset(-box.Dx() / 2).Intersect(whole); !box.Empty() && !around.Empty() {
		whole = around
	}
	cut := img.Region(whole)
	defer cut.Close()
	small := gocv.NewMat()
	defer small.Close()
	scale := min(3, 360/float64(whole.Dx()))
	gocv.Resize(cut, &small, image.Point{}, scale, scale, gocv.InterpolationArea)
	jpeg, err := picture.JPEG(small, 80)
	if err != nil {
		return ""
	}
	return template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(jpeg))
}
