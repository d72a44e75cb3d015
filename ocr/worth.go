package ocr

import (
	"image"

	"platewatch/ocr/find"
	"platewatch/ocr/read"
)

const (
	// likely is the confidence of a reading from which only what is plate-like
	// is read beside it. Below it that reading may be a sign or the camera's
	// own writing, and the plate is yet to come.
	likely = 0.5
	// sureEnough is the confidence from which nothing else is looked for in its
	// place. Below it another line of the same plate may be the better one: on
	// American plates the state's name is read before the number.
	sureEnough = 0.8
	// leastBeside is how likely the first look at a place must be for further
	// ones once a likely plate was read: a second plate in the frame is there to
	// be read like the first, while signs and stickers take all looks there are.
	leastBeside = 0.4
)

// leastOf is how likely the first look at the next place must be.
func leastOf(plates []Plate) float64 {
	for _, p := range plates {
		if p.Confidence >= likely {
			return leastBeside
		}
	}
	return read.LeastAlone
}

// worthReading gives a candidate that cannot add a plate its verdict, and the
// others none. read is how many were read before it, on better candidates, and
// plates what was found there. Reading a place costs as much as searching a
// small picture, and most places beside a plate are lettering.
func (r *Recogniser) worthReading(c find.Candidate, read int, plates []Plate) Verdict {
	switch {
	case c.Score < r.p.MinScore:
		return Verdict{reason: lowScore, value: c.Score, than: r.p.MinScore}
	case read == r.p.Candidates:
		return Verdict{reason: enoughRead, than: float64(r.p.Candidates)}
	}
	box := image.Rect(int(c.Box.X), int(c.Box.Y), int(c.Box.X+c.Box.W), int(c.Box.Y+c.Box.H))
	for _, p := range plates {
		if p.Confidence >= likely && c.Score < r.p.MinFurther {
			return Verdict{reason: lowBeside, value: c.Score, than: r.p.MinFurther, text: p.Text}
		}
		if p.Confidence >= sureEnough && overlap(box, p.Box) > samePlace {
			return Verdict{reason: placeTaken, text: p.Text}
		}
	}
	return Verdict{}
}
