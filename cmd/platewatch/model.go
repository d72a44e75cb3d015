package main

import (
	"path/filepath"
	"strings"

	"gocv.io/x/gocv"

	"platewatch/ocr/read"
)

// readingModel is the model that a name or the path of a .traineddata file
// stands for.
func readingModel(name string) read.Model {
	m := read.English()
	if base, ok := strings.CutSuffix(filepath.Base(name), ".traineddata"); ok {
		m.Dir, m.Name = filepath.Dir(name), base
		return m
	}
	m.Name = name
	return m
}

func init() {
	libraries = append(libraries,
		func() lib { return lib{"OpenCV", gocv.OpenCVVersion()} },
		func() lib { return lib{"Tesseract", read.Version()} })
}
