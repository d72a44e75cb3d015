// Package model holds the project's own reading models: networks in Tesseract's
// format. One reads whole plates; ocr/train makes it from rendered plates, and
// report.json beside it says how, and how well it reads. A cheaper one looks at plates
// before it, and another one reads the lettering around a number.
package model

import _ "embed"

// Plate is plate.traineddata.
//
//go:embed plate.traineddata
var Plate []byte

// Scout is scout.traineddata, a cheaper network that learned what the one for plates
// says; ocr/train makes both.
//
//go:embed scout.traineddata
var Scout []byte

// Lettering is lettering.traineddata, which ocr/train makes with
// make lettering.
//
//go:embed lettering.traineddata
var Lettering []byte
