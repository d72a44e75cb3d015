package ocr

import (
	"errors"
	"iter"
	"runtime"

	"platewatch/ocr/find"
	"platewatch/ocr/internal/setting"
	"platewatch/ocr/read"
	"platewatch/ocr/region"
	"platewatch/ocr/tesseract"
)

// Params are the recogniser's settings.
type Params struct {
	// Model is the reading model: "plate" is built in; "eng", or another model
	// that is installed with Tesseract, is for print in general; the path of a
	// .traineddata file is a model like the built-in one.
	Model string `toml:"model"`
	// Workers is how many frames are read at once, each with an engine of its
	// own; 0 leaves one core to everything else, and is at least one.
	Workers int `toml:"workers"`
	// MinPlateWidth is the width in pixels below which a plate is not reported,
	// because its characters are smaller than the reader can tell apart; 0
	// reports all.
	MinPlateWidth int `toml:"min_plate_width"`
	// MinCharacters is how many characters a plate has at least; 0 goes by the region
	// and the lists: 1 to 3 where plates of the region, or entries of a list, are that
	// short, and else 4, or 5 without a figure, because other lettering is shorter.
	MinCharacters int `toml:"min_characters"`
	// Region names the plate formats to expect, see [region.Parse]: "eu", "us",
	// a country ("nl"), several ("br,us"); empty: none.
	Region string `toml:"region"`

	// CloseUps reads a picture as one plate when no plate is found in it: it may
	// show a plate and nothing else. Cameras do not take such pictures.
	CloseUps bool `toml:"-"`
	// Find are the finder's settings.
	Find find.Params `toml:"-"`
	// Candidates bounds how many candidates of a frame are read.
	Candidates int `toml:"-"`
	// MinScore is the finder's score below which a candidate is not read.
	MinScore float64 `toml:"-"`
	// MinFurther is the same once a likely plate was read in the frame, for places
	// where another vehicle's plate may be: few frames have a second one, and most of
	// what else stands out is lettering. Of 162 such places below 0.25 on labelled street
	// pictures none was a plate.
	MinFurther float64 `toml:"-"`
}

// DefaultParams are those of a unit. The accuracy in the README was measured
// with every width reported, and with CloseUps.
func DefaultParams() Params {
	return Params{
		Model: tesseract.Plate, MinPlateWidth: 48,
		Find: find.DefaultParams(), Candidates: 10, MinScore: 0.1, MinFurther: 0.25,
	}
}

// PictureParams are for pictures that people choose, which may be crops of
// plates: every width is reported, and one picture is read at a time.
func PictureParams() Params {
	p := DefaultParams()
	p.Workers, p.MinPlateWidth, p.CloseUps = 1, 0, true
	return p
}

// Readers is how many frames are read at once.
func (p Params) Readers() int {
	if p.Workers > 0 {
		return p.Workers
	}
	return min(max(1, runtime.NumCPU()-1), read.MaxEngines)
}

// Problems yields the keys that cannot be used, with an error that continues
// the key.
func (p Params) Problems() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		check := func(key string, err error) bool { return err == nil || yield(key, err) }
		_ = check("model", p.checkModel()) &&
			check("workers", setting.Int(p.Workers, 0, read.MaxEngines)) &&
			check("min_plate_width", p.checkWidth()) &&
			check("min_characters", setting.Int(p.MinCharacters, 0, mostMinCharacters)) &&
			check("region", p.checkRegion()) &&
			check("candidates", setting.Int(p.Candidates, 1, 1000))
	}
}

// mostMinCharacters bounds MinCharacters: most countries' plates are no longer.
const mostMinCharacters = 7

func (p Params) checkModel() error {
	if p.Model == "" {
		return &setting.Error{Text: "is empty", Advice: `write "plate" for the built-in one, or the path of a .traineddata file`}
	}
	return nil
}

func (p Params) checkWidth() error {
	if p.MinPlateWidth == 0 {
		return nil
	}
	return setting.Int(p.MinPlateWidth, 16, 2000)
}

func (p Params) checkRegion() error {
	_, err := region.Parse(p.Region)
	var unknown *region.UnknownError
	if errors.As(err, &unknown) {
		return &setting.Error{Text: ": " + err.Error(), Advice: unknown.Hint()}
	}
	return err
}
