package ocr

import (
	"image"
	"math"
	"slices"
	"sync"

	"platewatch/ocr/find"
	"platewatch/ocr/judge"
	"platewatch/ocr/read"
	"platewatch/ocr/rectify"
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
	// to be read once a likely plate was read, unless it has a format of the regions:
	// a second plate in the frame is as readable as the first, while signs and stickers
	// need every crop.
	leastBeside = 0.3
	// framedMore is how many short rows on plates are read beyond [Params.Candidates]:
	// they are rare, and the ranker, which knows only chains, puts them anywhere.
	framedMore = 2
	// leastFramed is the least score of a short row on a plate.
	leastFramed = 0.02
	// few candidates are read whatever they show; later ones only where a first glance
	// shows what a plate does, see [shows]. One of 643 plates on street pictures stood at
	// such a place with a score below 0.15.
	few = 4
	// leastUnlikely is the least score of a candidate that is probably not the plate of
	// another vehicle, see [another].
	leastUnlikely = 0.5
	// standsOut is the score from which a place is cut out another way when the first
	// crop shows next to nothing.
	standsOut = 0.5
)

// readingOrder are the candidates' indices, the most plate-like first; those that stand
// where cameras write their own text come last, so that they take no place from a plate.
func readingOrder(candidates []find.Candidate, picture image.Rectangle) []int {
	var order, last []int
	for i, c := range candidates {
		if atMargin(c.Line, picture) {
			last = append(last, i)
		} else {
			order = append(order, i)
		}
	}
	return append(order, last...)
}

// demand is what a candidate must show to be read further.
type demand struct {
	least float64 // how likely the first crop's text must be for others to be read
	row   bool    // a regular row of characters, or the edges of a plate, and four characters
	// margin: it stands where cameras write their own text, and is believed less.
	margin bool
	glance bool // only the cheaper network is to look
}

// demandOn is what a candidate must show beside the plates so far, and after other candidates.
func demandOn(c find.Candidate, before int, plates []Plate, margin bool) demand {
	beside := slices.ContainsFunc(plates, func(p Plate) bool { return p.Confidence >= likely })
	d := demand{least: read.LeastAlone, row: beside || before >= few && c.Score < standsOut && !c.Framed, margin: margin}
	if beside {
		d.least = leastBeside
	}
	return d
}

// shows tells whether a levelled candidate shows what a plate does at first glance,
// which costs a sixth of a look. Of 1,962 places of street pictures that score 0.15 to
// 0.5 and are not a plate, 47 % show nothing of it, of 20 plates among them 3. Beside a
// likely plate 203 of 820 places show nothing, whatever they score, and none of them was
// another plate.
func shows(level *rectify.Plate, l rectify.Line) (bool, error) {
	const letters = 4
	if len(l.Letters) >= letters {
		return true, nil
	}
	left, right, err := level.EdgesSeen(l)
	return left && right, err
}

// worth tells of the texts on a levelled candidate whether they would be reported if the
// reader were sure of them. The plate's corners are measured when the first text is asked
// about: where a look shows nothing, or settles the text, none is.
func (r *Recogniser) worth(c find.Candidate, level *rectify.Plate, l rectify.Line) func(text string, prior float64) bool {
	narrow := sync.OnceValue(func() bool { return around(level.Corners(l)).Dx() < r.p.MinPlateWidth })
	e := judge.Evidence{
		Place: c.Score, Reader: 1, Letters: len(l.Letters), Height: level.FrameHeight(l),
		Light: level.Light(), Fills: level.Fills(l), Framed: r.shortest() < usual,
	}
	return func(text string, prior float64) bool {
		e.Text, e.Prior = text, prior
		return !narrow() && r.judge.Plate(e) >= r.judge.LeastPlate && r.judge.Right(e) >= r.judge.LeastRight
	}
}

// worthReading gives a candidate that cannot add a plate its verdict, and the
// others none. picture is the whole one, read how many better candidates were read before
// it, and plates what was read there. Reading a candidate costs as much as searching a
// small picture, and most candidates beside a plate are lettering.
func (r *Recogniser) worthReading(c find.Candidate, picture image.Rectangle, read int, plates []Plate) Verdict {
	least := r.p.MinScore
	if c.Framed {
		least = min(least, leastFramed)
	}
	switch {
	case c.Score < least:
		return Verdict{reason: lowScore, value: c.Score, than: least}
	case beyondEnd(c.Line, picture):
		return Verdict{reason: cutOff}
	case read >= r.p.Candidates && !(c.Framed && read < r.p.Candidates+framedMore):
		return Verdict{reason: enoughRead, than: float64(r.p.Candidates)}
	}
	box := image.Rect(int(c.Box.X), int(c.Box.Y), int(c.Box.X+c.Box.W), int(c.Box.Y+c.Box.H))
	for _, p := range plates {
		if p.Confidence >= likely {
			least := r.p.MinFurther
			if !another(c, p) {
				least = max(least, leastUnlikely)
			}
			if c.Score < least {
				return Verdict{reason: lowBeside, value: c.Score, than: least, text: p.Text}
			}
		}
		if p.Confidence >= sureEnough && coverage(box, p.Box) > samePlace {
			return Verdict{reason: placeTaken, text: p.Text}
		}
	}
	return Verdict{}
}

// beyondEnd tells whether a plate would reach beyond the upper end of the picture, where
// the characters leave no room for its edge: such places are parts of large things. Of
// 2,767 places that were read on 840 street pictures 370 are at the upper or lower end,
// and none of them gave a plate; at the lower one vehicles leave the picture, and their
// nearest views tell how sharp it is. Where the characters are a large part of the
// picture, it shows a plate alone.
func beyondEnd(l find.Line, picture image.Rectangle) bool {
	const (
		room    = 0.2 // heights of the characters above them
		largest = 0.4 // of the picture's height
	)
	return l.Height <= largest*float64(picture.Dy()) && l.Y-(0.5+room)*l.Height < float64(picture.Min.Y)
}

// another tells whether a candidate may be the plate of another vehicle than the one
// with plate p. A vehicle has one plate on the side that is seen, so lettering close
// to it is on the same vehicle. And the camera stands upright above a road: what is
// higher up in the picture is further away, and not larger.
func another(c find.Candidate, p Plate) bool {
	const (
		widths  = 2   // of the plate, to either side, above and below: a car is three to five wide
		square  = 2   // least width of a plate for this, in its heights: some have two rows
		smaller = 0.4 // of the heights of the characters: vehicles are not that much further away
		larger  = 1 / smaller
		nearer  = 0.8 // least height of what is lower in the picture
	)
	line := c.Line
	dx := math.Abs(line.X0+line.X1-float64(p.Box.Min.X+p.Box.Max.X)) / 2
	dy := math.Abs(line.Y - float64(p.Box.Min.Y+p.Box.Max.Y)/2)
	reach := widths * float64(max(p.Box.Dx(), square*p.Box.Dy()))
	ratio := line.Height / max(p.Height, 1)
	above, below := c.Box.Y+c.Box.H < float64(p.Box.Min.Y), c.Box.Y > float64(p.Box.Max.Y)
	switch {
	case dx < reach && dy < reach:
		return false
	case ratio < smaller, ratio > larger, above && ratio > 1, below && ratio < nearer:
		return false
	}
	return true
}
