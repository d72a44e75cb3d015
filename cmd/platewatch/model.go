package main

import (
	"path/filepath"
	"strings"

	"gocv.io/x/gocv"

	"platewatch/ocr/read"
)

// modelUsage explains the flag that takes a reading model.
const modelUsage = "reading `model`: plate is built in; eng is Debian's general one; or a .traineddata file that ocr/train made"

// readingModel is the model that a name or the path of a .traineddata file
// stands for.
func readingModel(name string) read.Model {
	if base, ok := strings.CutSuffix(filepath.Base(name), ".traineddata"); ok {
		return read.PlateFile(filepath.Dir(name), base)
	}
	if name == "plate" {
		return read.Plate()
	}
	m := read.English()
	m.Name = name
	return m
}

func init() {
	libraries = append(libraries,
		func() lib { return lib{"OpenCV", gocv.OpenCVVersion()} },
		func() lib { return lib{"Tesseract", read.Version()} })
}
