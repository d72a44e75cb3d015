package draw

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"
	"time"

	"gocv.io/x/gocv"
	xdraw "golang.org/x/image/draw"

	"platewatch/ocr"
	"platewatch/ocr/find"
	"platewatch/ocr/rectify"
)

// Measures of a contact sheet, in pixels.
const (
	sheetWidth = 1400
	margin     = 24
	gap        = 12

	frameWidth, frameHeight = 880, 660                     // the frame is scaled to fit
	columnLeft              = margin + frameWidth + margin // of legend and maps
	columnWidth             = sheetWidth - columnLeft - margin

	// The columns of a candidate.
	factsLeft, factsWidth     = margin + 44, 132
	levelLeft, levelWidth     = factsLeft + factsWidth + gap, 400
	levelHeight               = 2 * rectify.CharHeight * 13 / 10
	looksLeft, looksAcross    = levelLeft + levelWidth + gap, 3
	largestScale, nothingRead = 4, "–"
)

// The looks, of which the scout's are enlarged, and the verdict beside them.
var (
	lookWidth, lookHeight = rectify.Full.Width, rectify.Full.Height
	verdictLeft           = looksLeft + looksAcross*(lookWidth+gap)
	verdictWidth          = sheetWidth - verdictLeft - margin
)

var (
	paper   = color.RGBA{R: 250, G: 250, B: 248, A: 255}
	ink     = color.RGBA{R: 32, G: 36, B: 40, A: 255}
	faint   = color.RGBA{R: 104, G: 110, B: 116, A: 255}
	rule    = color.RGBA{R: 214, G: 216, B: 216, A: 255}
	kept    = color.RGBA{R: 22, G: 140, B: 60, A: 255}  // reported
	dropped = color.RGBA{R: 204, G: 92, B: 0, A: 255}   // read, and not reported
	passed  = color.RGBA{R: 96, G: 104, B: 128, A: 255} // not read
	// The colours of the looks' lines, in turn.
	lineColours = []color.RGBA{{R: 0, G: 130, B: 230, A: 255}, {R: 214, G: 40, B: 160, A: 255}, {R: 0, G: 150, B: 136, A: 255}}
)

func colourOf(a ocr.Attempt) color.RGBA {
	switch {
	case a.Verdict.Reported():
		return kept
	case a.Level != nil:
		return dropped
	}
	return passed
}

// sheet is a contact sheet that is being drawn.
type sheet struct {
	img                        *image.RGBA
	title, text, small, plates *writer
}

// Sheet draws the contact sheet of one picture (8-bit BGR): the frame with
// every candidate, the finder's maps, and for each candidate its levelled
// picture with the lines found, the crops shown to the reader, the text that each
// look read, and the verdict.
func Sheet(name string, picture gocv.Mat, t *ocr.Trace) *image.RGBA {
	s := &sheet{title: newWriter(words(), 22), text: newWriter(words(), 15), small: newWriter(words(), 13), plates: newWriter(plates(), 21)}
	// Draw twice: the first time, without a picture, measures the height.
	s.img = image.NewRGBA(image.Rect(0, 0, sheetWidth, 0))
	height := s.draw(name, picture, t)
	s.img = image.NewRGBA(image.Rect(0, 0, sheetWidth, height))
	draw.Draw(s.img, s.img.Bounds(), image.NewUniform(paper), image.Point{}, draw.Src)
	s.draw(name, picture, t)
	return s.img
}

// draw returns the height of everything.
func (s *sheet) draw(name string, picture gocv.Mat, t *ocr.Trace) int {
	y := margin
	s.title.write(s.img, margin, y, s.title.fit(name, sheetWidth-2*margin), ink)
	y += s.title.height() + 2
	s.text.write(s.img, margin, y, fmt.Sprintf("%d × %d pixels · candidates: %d, %d read, %d reported · find %.1f ms, read %.1f ms (with the pictures of this sheet)",
		picture.Cols(), picture.Rows(), len(t.Attempts), t.Candidates, len(t.Plates), milliseconds(t.Find), milliseconds(t.Read)), faint)
	y += s.text.height() + gap
	bottom := max(s.frame(y, picture, t.Attempts), s.column(y, t.Maps))
	y = bottom + margin
	for i, a := range t.Attempts {
		draw.Draw(s.img, image.Rect(margin, y, sheetWidth-margin, y+1), image.NewUniform(rule), image.Point{}, draw.Src)
		y = s.candidate(y+gap, i, a, picture) + gap
	}
	return y + margin - gap
}

// frame draws the picture with its candidates; it returns where it ends.
func (s *sheet) frame(y int, picture gocv.Mat, attempts []ocr.Attempt) int {
	whole := image.Rect(0, 0, picture.Cols(), picture.Rows())
	at, scale := fitInto(whole.Size(), image.Rect(margin, y, margin+frameWidth, y+frameHeight))
	s.pastePiece(at, picture, whole)
	on := s.img.SubImage(at).(draw.Image)
	var boxes []image.Rectangle
	for _, a := range attempts {
		points := corners(a)
		for i, p := range points {
			points[i] = rectify.Point{X: float64(at.Min.X) + p.X*scale, Y: float64(at.Min.Y) + p.Y*scale}
		}
		outline(on, points, 2, colourOf(a))
		boxes = append(boxes, boxOf(points).Inset(-1))
	}
	l := newLabels(at, s.small, boxes)
	for i, a := range attempts {
		l.put(on, boxes[i], fmt.Sprintf("%d  %.2f", i+1, a.Candidate.Score), bright(colourOf(a)))
	}
	return at.Max.Y
}

// corners returns the corners of the plate that was read, or else of the finder's box.
func corners(a ocr.Attempt) []rectify.Point {
	if c := a.Reading.Corners; a.Reading.Text != "" {
		return c[:]
	}
	b := a.Candidate.Box
	return boxPoints(b.X, b.Y, b.W, b.H)
}

// column writes the legend and shows the finder's maps.
func (s *sheet) column(y int, maps []ocr.Map) int {
	for _, l := range []struct {
		c    color.RGBA
		text string
	}{
		{kept, "reported as a plate"},
		{dropped, "read, and dropped"},
		{passed, "not read"},
	} {
		s.chip(columnLeft, y, l.c, "1")
		s.text.write(s.img, columnLeft+40, y+3, l.text, ink)
		y += 30
	}
	legend := []string{
		"Numbers give the finder's order; its score, 0 to 1, stands beside them.",
		"On the levelled pictures: the line of characters that a look read along.",
		"Small pictures are the crops shown to the reader, with the text that this look alone gave. Lettering is stretched, and the row of dots in the middle is the model's contrast reference.",
	}
	if len(maps) > 0 {
		legend = append(legend, "The finder's maps: white may be a character. The first number is the scale (0 is the frame, each further one half of it), the second the way to binarise (0 local mean, 1 black hat).")
	}
	for _, text := range legend {
		for _, line := range s.small.wrap(text, columnWidth) {
			s.small.write(s.img, columnLeft, y, line, faint)
			y += s.small.height()
		}
		y += 5
	}
	across := 2
	if len(maps) > 6 { // light characters were searched as well
		across = 3
	}
	width := (columnWidth - (across-1)*gap) / across
	y += 3
	for row := 0; row < len(maps); row += across {
		deepest := y
		for i, m := range maps[row:min(row+across, len(maps))] {
			x := columnLeft + i*(width+gap)
			s.small.write(s.img, x, y, s.small.fit(m.Name, width), ink)
			at, _ := fitInto(m.Picture.Bounds().Size(), image.Rect(x, y+s.small.height(), x+width, y+s.small.height()+width))
			s.paste(at, m.Picture)
			deepest = max(deepest, at.Max.Y)
		}
		y = deepest + gap
	}
	return y
}

// candidate draws one candidate's row; it returns where it ends.
func (s *sheet) candidate(y, i int, a ocr.Attempt, picture gocv.Mat) int {
	c := colourOf(a)
	s.chip(margin, y, c, fmt.Sprint(i+1))
	ground := "dark on light"
	if a.Candidate.Light {
		ground = "light on dark"
	}
	bottom := y
	for _, fact := range []string{
		fmt.Sprintf("score %.3f", a.Candidate.Score),
		fmt.Sprintf("%d shapes", a.Candidate.Shapes),
		fmt.Sprintf("%.0f px high", a.Candidate.Line.Height),
		ground,
	} {
		s.text.write(s.img, factsLeft, bottom, s.text.fit(fact, factsWidth), ink)
		bottom += s.text.height() + 1
	}
	bottom = max(bottom, s.level(y, a, picture), s.looks(y, a.Looks))
	return max(bottom, s.verdict(y, a, c))
}

// level shows the levelled picture with the looks' lines; for a candidate that was
// not read, its place in the frame.
func (s *sheet) level(y int, a ocr.Attempt, picture gocv.Mat) int {
	room := image.Rect(levelLeft, y, levelLeft+levelWidth, y+levelHeight)
	if a.Level == nil {
		room.Max.Y = y + 76
		whole := image.Rect(0, 0, picture.Cols(), picture.Rows())
		box := a.Candidate.Box
		around := find.Box{X: box.X - box.H/2, Y: box.Y - box.H/4, W: box.W + box.H, H: 1.5 * box.H}.Rect(whole)
		if around.Empty() {
			return y
		}
		at, _ := fitInto(around.Size(), room)
		s.pastePiece(at, picture, around)
		return at.Max.Y
	}
	at, scale := fitInto(a.Level.Bounds().Size(), room)
	s.paste(at, a.Level)
	on := s.img.SubImage(at).(draw.Image)
	for i, line := range linesOf(a.Looks) {
		for k, p := range line {
			line[k] = rectify.Point{X: float64(at.Min.X) + p.X*scale, Y: float64(at.Min.Y) + p.Y*scale}
		}
		outline(on, line[:], 1.5, lineColours[i%len(lineColours)])
	}
	return at.Max.Y
}

// linesOf are the looks' lines, each once, in the order of the looks.
func linesOf(looks []ocr.LookTrace) [][4]rectify.Point {
	var lines [][4]rectify.Point
	for _, k := range looks {
		if !slices.Contains(lines, k.Line) {
			lines = append(lines, k.Line)
		}
	}
	return lines
}

// looks shows each crop given to the reader, with the text read from it below.
func (s *sheet) looks(y int, looks []ocr.LookTrace) int {
	lines := linesOf(looks)
	bottom := y
	for i, k := range looks {
		x := looksLeft + i%looksAcross*(lookWidth+gap)
		top := y + i/looksAcross*(lookHeight+s.small.height()+gap)
		at, _ := fitInto(k.Cut.Bounds().Size(), image.Rect(x, top, x+lookWidth, top+lookHeight))
		s.paste(at, k.Cut)
		// A bar in the colour of the line that the crop was cut along.
		c := lineColours[slices.Index(lines, k.Line)%len(lineColours)]
		draw.Draw(s.img, image.Rect(x, top+lookHeight+2, x+4, top+lookHeight+2+s.small.height()), image.NewUniform(c), image.Point{}, draw.Src)
		text := k.Text
		if text == "" {
			text = nothingRead
		}
		p := fmt.Sprintf("  %.3f", k.Probability)
		if k.Scout {
			p += " scout"
		}
		text = s.small.fit(text, lookWidth-10-s.small.width(p)) + p
		s.small.write(s.img, x+9, top+lookHeight+2, text, ink)
		bottom = top + lookHeight + 2 + s.small.height()
	}
	return bottom
}

// verdict writes the text read and the verdict. If nothing was read, it takes the
// looks' place.
func (s *sheet) verdict(y int, a ocr.Attempt, c color.RGBA) int {
	x, width := verdictLeft, verdictWidth
	if len(a.Looks) == 0 {
		x, width = looksLeft, sheetWidth-margin-looksLeft
	}
	if r := a.Reading; r.Text != "" {
		s.plates.write(s.img, x, y-2, s.plates.fit(r.Text, width), ink)
		y += s.plates.height() + 2
		for _, line := range []string{
			fmt.Sprintf("confidence %.2f", r.Confidence),
			fmt.Sprintf("chance of a plate %.2f", r.OnPlate),
			formatOf(r.Plate),
		} {
			if line != "" {
				s.small.write(s.img, x, y, s.small.fit(line, width), faint)
				y += s.small.height() + 1
			}
		}
		y += 3
	}
	for _, line := range s.text.wrap(a.Verdict.String(), width) {
		s.text.write(s.img, x, y, line, c)
		y += s.text.height()
	}
	return y
}

// formatOf names the format that a plate's text fits, if a region was given.
func formatOf(p ocr.Plate) string {
	if p.Region == "" {
		return ""
	}
	return "as plates of " + p.Region
}

// chip draws a number on a coloured background.
func (s *sheet) chip(x, y int, c color.RGBA, number string) {
	at := image.Rect(x, y, x+30, y+24)
	draw.Draw(s.img, at, image.NewUniform(c), image.Point{}, draw.Src)
	s.text.write(s.img, x+(30-s.text.width(number))/2, y+3, number, color.White)
}

// paste scales a picture into a place.
func (s *sheet) paste(at image.Rectangle, img image.Image) {
	if !at.Overlaps(s.img.Rect) { // the first time
		return
	}
	scaler := xdraw.Scaler(xdraw.ApproxBiLinear)
	if img.Bounds().Size() == at.Size() {
		scaler = xdraw.NearestNeighbor
	}
	scaler.Scale(s.img, at, img, img.Bounds(), draw.Src, nil)
}

// fitInto is the place in the upper left of room that a picture of the size
// fills, and the scale that it takes: at most largestScale.
func fitInto(size image.Point, room image.Rectangle) (image.Rectangle, float64) {
	scale := min(largestScale, float64(room.Dx())/float64(size.X), float64(room.Dy())/float64(size.Y))
	w, h := max(1, int(math.Round(float64(size.X)*scale))), max(1, int(math.Round(float64(size.Y)*scale)))
	return image.Rectangle{Min: room.Min, Max: room.Min.Add(image.Pt(w, h))}, scale
}

// pastePiece scales a piece of a BGR picture into a place. Shrinking averages.
func (s *sheet) pastePiece(at image.Rectangle, picture gocv.Mat, of image.Rectangle) {
	if !at.Overlaps(s.img.Rect) { // the first time
		return
	}
	cut := picture.Region(of)
	defer cut.Close()
	scaled := gocv.NewMat()
	defer scaled.Close()
	how := gocv.InterpolationCubic
	if at.Dx() < of.Dx() {
		how = gocv.InterpolationArea
	}
	gocv.Resize(cut, &scaled, at.Size(), 0, 0, how)
	from, ok := canvasOn(scaled)
	if !ok {
		return
	}
	for y := range from.h {
		to := s.img.Pix[s.img.PixOffset(at.Min.X, at.Min.Y+y):]
		row := from.pix[3*y*from.w:]
		for x := range from.w {
			to[4*x], to[4*x+1], to[4*x+2], to[4*x+3] = row[3*x+2], row[3*x+1], row[3*x], 255
		}
	}
}

// bright is a colour that can be read on labels.
func bright(c color.RGBA) color.RGBA {
	up := func(v uint8) uint8 { return uint8(min(255, 110+int(v)*2/3)) }
	return color.RGBA{R: up(c.R), G: up(c.G), B: up(c.B), A: 255}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
