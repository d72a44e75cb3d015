package ocr

import (
	"image"

	"platewatch/ocr/find"
	"platewatch/ocr/read"
)

const (
	// likely is the confidence of a reading from which only plate-like
	// candidates are read beside it. Below it the reading may be a sign or the
	// camera's own clock, and the plate is still to be found.
	likely = 0.5
	// sureEnough is the confidence from which nothing else is read in its place.
	// Below it another line of the same plate may be the better one: on American
	// plates the state's name is often read before the number.
	sureEnough = 0.8
	// leastBeside is how likely the first crop of a candidate must be for others
	// to be read once a likely plate was read: a second plate in the frame is as
	// readable as the first, while signs and stickers need every crop.
	leastBeside = 0.4
	// framedMore is how many short rows on plates are read beyond [Params.Candidates]:
	// they are rare, and the ranker, which knows only chains, puts them anywhere.
	framedMore = 2
)

// leastOf is how likely the first crop of the next candidate must be for others
// to be read.
func leastOf(plates []Plate) float64 {
	for _, p := range plates {
		if p.Confidence >= likely {
			return leastBeside
		}
	}
	return read.LeastAlone
}

// worthReading gives a candidate that cannot add a plate its verdict, and the
// others none. read is how many better candidates were read before it, and
// plates what was read there. Reading a candidate costs as much as searching a
// small picture, and most candidates beside a plate are lettering.
func (r *Recogniser) worthReading(c find.Candidate, read int, plates []Plate) Verdict {
	switch {
	case c.Score < r.p.MinScore:
		return Verdict{reason: lowScore, value: c.Score, than: r.p.MinScore}
	case read >= r.p.Candidates && !(c.Framed && read < r.p.Candidates+framedMore):
		return Verdict{reason: enoughRead, than: float64(r.p.Candidates)}
	}
	box := image.Rect(int(c.Box.X), int(c.Box.Y), int(c.Box.X+c.Box.W), int(c.Box.Y+c.Box.H))
	for _, p := range plates {
		if p.Confidence >= likely && c.Score < r.p.MinFurther {
			return Verdict{reason: lowBeside, value: c.Score, than: r.p.MinFurther, text: p.Text}
		}
		if p.Confidence >= sureEnough && coverage(box, p.Box) > samePlace {
			return Verdict{reason: placeTaken, text: p.Text}
		}
	}
	return Verdict{}
}
