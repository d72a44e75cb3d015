package ocr

import (
	"context"

	"gocv.io/x/gocv"

	"platewatch/ocr/read"
	"platewatch/ocr/rectify"
	"platewatch/ocr/text"
)

// readRows reads a plate that has two rows of characters, row by row, and
// joins them from top to bottom; corners are the plate's, ink those around the
// characters. ok is false where the
// line is the plate's only one, or where one of the rows cannot be read: then
// the line is to be read alone.
func (r *Recogniser) readRows(ctx context.Context, grey gocv.Mat, level *rectify.Plate, line rectify.Line, effort read.Effort, tap read.Tap) (joined read.Result, corners, ink [4]rectify.Point, ok bool, err error) {
	if !r.reader.ReadsRows() {
		return joined, corners, ink, false, nil
	}
	rows, err := level.Rows(grey, line)
	defer func() {
		for _, row := range rows {
			row.Close()
		}
	}()
	if err != nil || len(rows) == 0 {
		return joined, corners, ink, false, err
	}
	joined = read.Result{Reading: text.Reading{Confidence: 1}, Agreed: true}
	for _, row := range rows {
		result, ok, err := r.reader.ReadRow(ctx, row, effort, tap)
		if err != nil || !ok {
			return joined, corners, ink, false, err
		}
		joined = join(joined, result)
	}
	joined = r.reader.Weigh(joined)
	n := len(joined.Text)
	return joined, rectify.CornersOf(rows), rectify.InkOf(rows), n >= 4 && n <= 9, nil
}

// join appends the result of a lower row to that of an upper one. The whole is
// right when both are.
func join(up, low read.Result) read.Result {
	line := low.Line
	line.Letters = append(up.Line.Letters[:len(up.Line.Letters):len(up.Line.Letters)], low.Line.Letters...)
	return read.Result{
		Reading: text.Reading{
			Text:       up.Text + low.Text,
			Confidence: up.Confidence * low.Confidence,
			Characters: append(up.Characters[:len(up.Characters):len(up.Characters)], low.Characters...),
		},
		Line:   line,
		Looks:  up.Looks + low.Looks,
		Agreed: up.Agreed && low.Agreed,
	}
}
