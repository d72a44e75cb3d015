// Package media holds the demo's rendered road clip, its truth, and a sample
// hotlist with some of its vehicles. All of it is made by this project: no
// photograph, no real vehicle, no real list.
package media

import _ "embed" // the files below

//go:generate go run platewatch/ocr/render/cmd/renderclip -clip .

// Road is the clip: H.264 Annex-B, main profile, 1280 × 720, 25 frames a
// second, access unit delimiters, no B frames, a key frame every second.
//
//go:embed road.h264
var Road []byte

// RoadFPS is the clip's frame rate.
const RoadFPS = 25

// Truth lists the clip's passages: tab separated, with the header
// passage, plate, first_ms, last_ms, hot. The times are the first and the last
// frame in which the whole plate is in view and at least 110 pixels wide; hot
// says whether Hotlist has the plate.
//
//go:embed road.tsv
var Truth []byte

// Hotlist is a sample list as CSV, with a header. One entry is spelt with the
// letter O where the plate has a zero, as people write them.
//
//go:embed hotlist.csv
var Hotlist []byte
