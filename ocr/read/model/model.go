// Package model holds the project's own reading models: networks in Tesseract's
// format. Two take turns with the crops of a plate; ocr/train makes them from rendered
// plates, and report.json and second.json beside them say how, and how well they read. A
// cheaper one looks at plates before them, and another one reads the lettering around a
// number.
package model

import _ "embed"

// Plate is plate.traineddata.
//
//go:embed plate.traineddata
var Plate []byte

// Second is second.traineddata, a network of the same shape that was trained further and
// misreads other plates.
//
//go:embed second.traineddata
var Second []byte

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
