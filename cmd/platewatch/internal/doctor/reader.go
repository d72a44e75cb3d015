package doctor

import (
	"context"
	"fmt"
	"time"

	"gocv.io/x/gocv"

	"platewatch/ocr"
	"platewatch/ocr/render"
	"platewatch/ocr/render/sensor"
)

// selfTest is the scene that the reader is tried on: a car at rest in the middle of
// a picture of 1280 × 720.
const selfTestPlate = "HX274K"

func selfTest() (gocv.Mat, error) {
	f, err := render.Still(render.ClipSpec{Seed: 5, Sensor: sensor.Effects{Noise: 1}, Vehicles: []render.Vehicle{{
		Body: render.Hatch, Plate: render.PlateSpec{Layout: "nl", Text: "HX-274-K"}, Lane: render.LaneNear, Away: true, Mark: 8}}}, 0)
	if err != nil {
		return gocv.Mat{}, err
	}
	rgba, err := gocv.NewMatFromBytes(f.Image.Rect.Dy(), f.Image.Rect.Dx(), gocv.MatTypeCV8UC4, f.Image.Pix)
	if err != nil {
		return gocv.Mat{}, err
	}
	defer rgba.Close()
	picture := gocv.NewMat()
	gocv.CvtColor(rgba, &picture, gocv.ColorRGBAToBGR)
	ocr.Grey(&picture)
	return picture, nil
}

// selfTestLooks is how often the scene is read: the first one loads what later ones
// have.
const selfTestLooks = 4

// reader reads a rendered plate, whose text is known, and measures how long that
// takes on this board.
func (x *examination) reader(ctx context.Context, found sink) {
	const about = "reader"
	p := x.c.OCR
	p.MinPlateWidth, p.Region = 0, "" // the plate is not from here
	r, err := ocr.New(p)
	if err != nil {
		found.fail(about, "", err.Error(), "a reading model", hint(err, "install the package again, or correct ocr.model"))
		return
	}
	defer r.Close()
	picture, err := selfTest()
	if err != nil {
		found.fail(about, "", err.Error(), "a rendered plate", "report it as a fault of the program")
		return
	}
	defer picture.Close()
	var took []time.Duration
	text, confidence := "", 0.0
	for i := range selfTestLooks {
		begin := time.Now()
		result, err := r.Recognise(ctx, picture)
		if err != nil {
			found.fail(about, "", err.Error(), "the plate "+selfTestPlate, hint(err, "install the package again, or correct ocr.model"))
			return
		}
		if i > 0 {
			took = append(took, time.Since(begin))
		}
		if len(result.Plates) > 0 {
			text, confidence = result.Plates[0].Text, result.Plates[0].Confidence
		}
	}
	model, version := r.Model()
	if version != "" {
		model += " " + version
	}
	measured := fmt.Sprintf("model %s reads %s with %.0f %%", model, text, 100*confidence)
	if text == "" {
		measured = fmt.Sprintf("model %s reads nothing", model)
	}
	found.grade(text == selfTestPlate, Fail, about, "self-test", measured, "the rendered plate "+selfTestPlate, "install the package again, or correct ocr.model")
	look := quantile(took, 0.5)
	rate := float64(x.c.OCR.Readers()) / look.Seconds()
	measured = fmt.Sprintf("a whole picture of 1280 × 720 takes %.0f ms: %.0f a second", 1000*look.Seconds(), rate)
	if x.daemon.running {
		measured += ", beside the running daemon"
	}
	found.grade(rate >= leastRate || x.daemon.running, Warn, about, "speed", measured, fmt.Sprintf("at least %.0f a second", leastRate),
		"limit the search with area or exclude, use smaller pictures, or fewer cameras on this board")
}
