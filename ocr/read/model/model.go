// Package model holds the project's own reading models: networks in Tesseract's
// format. One reads whole plates; ocr/train makes it from rendered plates, and
// report.json beside it says how, and how well it reads. The other reads the
// lettering around a number.
package model

import _ "embed"

// Plate is plate.traineddata.
//
//go:embed plate.traineddata
var Plate []byte

// Lettering is lettering.traineddata, which ocr/train makes with
// make lettering.
//
//go:embed lettering.traineddata
var Lettering []byte
