package find

import (
	"cmp"
	"image"
	"slices"

	"gocv.io/x/gocv"

	"platewatch/ocr/internal/maps"
	"platewatch/ocr/internal/shape"
)

// regionKind says how a region was found.
type regionKind int

const (
	textRegion regionKind = iota
	brightQuad
)

// firstRegionSource numbers the regions' maps after the pyramid's.
const firstRegionSource = 2 * pyramidLevels

// region is a box to enlarge and search again.
type region struct {
	box    Box
	kind   regionKind
	weight float64
}

// textRegions are boxes full of vertical dark strokes: black-hat, horizontal
// gradient, closed to blobs. Plates too small or faint for their characters
// to come apart show up here.
func textRegions(pyr *pyramid, atMost int) ([]region, error) {
	var found []region
	for _, lv := range pyr.levels {
		more, err := blobs(lv)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return heaviest(found, 0.5, atMost), nil
}

// blobs are the text regions of one level, at two thresholds.
func blobs(lv level) ([]region, error) {
	const fixed = 70
	rows, cols := lv.grey.Rows(), lv.grey.Cols()
	strokes, closed := shape.NewMat(rows, cols), shape.NewMat(rows, cols)
	defer strokes.Close()
	defer closed.Close()
	planes, err := shape.PlanesOf(lv.grey, strokes, closed)
	if err != nil {
		return nil, err
	}
	maps.Strokes(planes[0], planes[2], planes[1])
	maps.Smooth(planes[1], planes[2])
	maps.Close(planes[2])
	var found []region
	var opened shape.Bits
	for _, least := range [...]int{maps.Otsu(planes[2]), fixed} {
		maps.Opened(planes[2], least, &opened)
		var shapes []shape.Shape
		opened.Each(func(s shape.Shape) { shapes = append(shapes, s) })
		for _, s := range slices.Backward(shapes) {
			if s.H < 10 || s.H > 70 || s.W < 30 || s.W < 1.5*s.H || s.W > 8*s.H {
				continue
			}
			fill, ok, err := outermost(s, shapes, &opened)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
			x, y := int(s.X), int(s.Y)
			box := Box{s.X - 0.1*s.H, s.Y - 0.125*s.H, s.W + 0.2*s.H, 1.25 * s.H}
			found = append(found, region{scaled(box, lv.scale), textRegion,
				fill * planes[1].Mean(x, y, x+int(s.W), y+int(s.H))})
		}
	}
	return found, nil
}

// outermost returns how much of the box of a shape its outline encloses. A shape that lies
// inside of another one's outline is none of its own. Contours are traced only around the
// shape, and the shapes that may enclose it.
func outermost(s shape.Shape, shapes []shape.Shape, b *shape.Bits) (fill float64, ok bool, err error) {
	at := image.Rect(int(s.X), int(s.Y), int(s.X+s.W), int(s.Y+s.H))
	around := at
	for _, o := range shapes {
		if o.X < s.X && o.Y < s.Y && o.X+o.W > s.X+s.W && o.Y+o.H > s.Y+s.H {
			around = around.Union(image.Rect(int(o.X), int(o.Y), int(o.X+o.W), int(o.Y+o.H)))
		}
	}
	cut, err := b.Cut(around)
	if err != nil {
		return 0, false, err
	}
	defer cut.Close()
	contours := gocv.FindContours(cut, gocv.RetrievalExternal, gocv.ChainApproxSimple)
	defer contours.Close()
	for i := range contours.Size() {
		c := contours.At(i)
		if gocv.BoundingRect(c).Add(around.Min) == at {
			return gocv.ContourArea(c) / (s.W * s.H), true, nil
		}
	}
	return 0, false, nil
}

// brightQuads are bright four- to six-cornered areas with strokes inside.
func brightQuads(pyr *pyramid, atMost int) ([]region, error) {
	var found []region
	for i := range pyr.levels[:min(2, len(pyr.levels))] {
		lv := &pyr.levels[i]
		bright, err := lv.brightAreas()
		if err != nil {
			return nil, err
		}
		gradient, err := shape.PlaneOf(lv.gradient)
		if err != nil {
			return nil, err
		}
		err = quads(bright, func(s shape.Shape, fill float64, fits bool) {
			if fits {
				x, y := int(s.X), int(s.Y)
				found = append(found, region{scaled(Box{s.X, s.Y, s.W, s.H}, lv.scale), brightQuad,
					fill * gradient.Mean(x, y, x+int(s.W), y+int(s.H))})
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return heaviest(found, 0.6, atMost), nil
}

// quads calls yield for each shape of a map with a plate's proportions whose outline is
// filled except for the characters; fill is the outline's area over its bounding box's, and fits
// is set if it has four to six corners. Contours are traced only of what has about the right size:
// most bright shapes have not.
func quads(binary *shape.Bits, yield func(s shape.Shape, fill float64, fits bool)) error {
	const leastInk = 0.3
	var failed error
	binary.Each(func(s shape.Shape) {
		if s.H < 12 || s.H > 110 || s.W < 1.4*s.H || s.W > 7*s.H || s.Area < leastInk*s.W*s.H || failed != nil {
			return
		}
		cut, err := binary.Cut(image.Rect(int(s.X), int(s.Y), int(s.X+s.W), int(s.Y+s.H)))
		if err != nil {
			failed = err
			return
		}
		defer cut.Close()
		if fill, fits := quad(cut, s); fill > 0 {
			yield(s, fill, fits)
		}
	})
	return failed
}

// quad looks at the outline of a shape in its box. fill is 0 below the least.
func quad(cut gocv.Mat, s shape.Shape) (fill float64, fits bool) {
	const leastFill = 0.62
	contours := gocv.FindContours(cut, gocv.RetrievalExternal, gocv.ChainApproxSimple)
	defer contours.Close()
	for i := range contours.Size() {
		c := contours.At(i)
		if gocv.BoundingRect(c).Size() != image.Pt(int(s.W), int(s.H)) {
			continue // beside the shape, in a corner of its box
		}
		if fill = gocv.ContourArea(c) / (s.W * s.H); fill <= leastFill {
			return 0, false
		}
		corners := gocv.ApproxPolyDP(c, 0.03*gocv.ArcLength(c, true), true)
		defer corners.Close()
		return fill, corners.Size() >= 4 && corners.Size() <= 6
	}
	return 0, false
}

// scaled turns a box on a level into one on the frame.
func scaled(b Box, scale float64) Box {
	return Box{b.X / scale, b.Y / scale, b.W / scale, b.H / scale}
}

// heaviest keeps the heaviest regions that overlap no heavier one.
func heaviest(found []region, overlap float64, atMost int) []region {
	slices.SortStableFunc(found, func(a, b region) int { return cmp.Compare(b.weight, a.weight) })
	var kept []region
next:
	for _, r := range found {
		if len(kept) == atMost {
			break
		}
		for _, k := range kept {
			if r.box.Overlap(k.box) >= overlap {
				continue next
			}
		}
		kept = append(kept, r)
	}
	return kept
}
