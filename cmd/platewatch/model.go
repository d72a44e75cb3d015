package main

import (
	"gocv.io/x/gocv"

	"platewatch/ocr/tesseract"
)

// modelUsage explains the flag that takes a reading model.
const modelUsage = "reading `model`: plate is built in, eng is Debian's general model, or a .traineddata file made by ocr/train"

func init() {
	libraries = append(libraries,
		func() lib { return lib{"OpenCV", gocv.OpenCVVersion()} },
		func() lib { return lib{"Tesseract", tesseract.Version()} })
}
