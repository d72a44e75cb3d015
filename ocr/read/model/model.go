// Package model holds the project's own reading model: a network in
// Tesseract's format that reads whole plates. ocr/train makes it from rendered
// plates; report.json beside it says how, and how well it reads.
package model

import _ "embed"

// Plate is plate.traineddata.
//
//go:embed plate.traineddata
var Plate []byte
