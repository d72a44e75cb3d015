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
func textRegions(pyr *pyramid, k kernels, atMost int) []region {
	var found []region
	for _, lv := range pyr.levels {
		strokes, binary := blackHatStrokes(lv.grey, k), gocv.NewMat()
		blobs := gocv.NewMatWithSize(strokes.Rows(), strokes.Cols(), gocv.MatTypeCV8UC1)
		planes, err := shape.PlanesOf(strokes, blobs)
		if err == nil {
			maps.Smooth(planes[0], planes[1])
			closing(blobs, &blobs, k.close)
		}
		for _, fixed := range []bool{false, true} {
			if err != nil {
				break
			}
			if fixed {
				gocv.Threshold(blobs, &binary, 70, 255, gocv.ThresholdBinary)
			} else {
				gocv.Threshold(blobs, &binary, 0, 255, gocv.ThresholdBinary|gocv.ThresholdOtsu)
			}
			gocv.MorphologyEx(binary, &binary, gocv.MorphOpen, k.open)
			contours := gocv.FindContours(binary, gocv.RetrievalExternal, gocv.ChainApproxSimple)
			for i := range contours.Size() {
				c := contours.At(i)
				r := gocv.BoundingRect(c)
				w, h := float64(r.Dx()), float64(r.Dy())
				if h < 10 || h > 70 || w < 30 || w < 1.5*h || w > 8*h {
					continue
				}
				fill := gocv.ContourArea(c) / (w * h)
				box := Box{float64(r.Min.X) - 0.1*h, float64(r.Min.Y) - 0.125*h, w + 0.2*h, 1.25 * h}
				found = append(found, region{scaled(box, lv.scale), textRegion,
					fill * planes[0].Mean(r.Min.X, r.Min.Y, r.Max.X, r.Max.Y)})
			}
			contours.Close()
		}
		for _, m := range []*gocv.Mat{&strokes, &blobs, &binary} {
			m.Close()
		}
	}
	return heaviest(found, 0.5, atMost)
}

// blackHatStrokes are the upright edges of dark strokes. The caller closes
// them.
func blackHatStrokes(grey gocv.Mat, k kernels) gocv.Mat {
	hat := gocv.NewMat()
	defer hat.Close()
	blackHat(grey, &hat, k.text)
	strokes := gocv.NewMatWithSize(grey.Rows(), grey.Cols(), gocv.MatTypeCV8UC1)
	absGradient(hat, &strokes, 1)
	return strokes
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
		planes, err := shape.PlanesOf(lv.gradient, bright)
		if err != nil {
			return nil, err
		}
		shape.Each(planes[1], func(s shape.Shape) {
			if fill, ok := quad(bright, s); ok {
				x, y := int(s.X), int(s.Y)
				found = append(found, region{scaled(Box{s.X, s.Y, s.W, s.H}, lv.scale), brightQuad,
					fill * planes[0].Mean(x, y, x+int(s.W), y+int(s.H))})
			}
		})
	}
	return heaviest(found, 0.6, atMost), nil
}

// quad tells whether the outline of a shape has four to six corners and a plate's proportions,
// and is filled except for the characters. fill is the outline's area over its bounding box's, 0
// below the least. Contours are traced only of what has about the right size: most bright shapes
// have not.
func quad(binary gocv.Mat, s shape.Shape) (fill float64, ok bool) {
	const leastInk, leastFill = 0.3, 0.62
	if s.H < 12 || s.H > 110 || s.W < 1.4*s.H || s.W > 7*s.H || s.Area < leastInk*s.W*s.H {
		return 0, false
	}
	x, y, w, h := int(s.X), int(s.Y), int(s.W), int(s.H)
	cut := binary.Region(image.Rect(x, y, x+w, y+h))
	defer cut.Close()
	contours := gocv.FindContours(cut, gocv.RetrievalExternal, gocv.ChainApproxSimple)
	defer contours.Close()
	for i := range contours.Size() {
		c := contours.At(i)
		if gocv.BoundingRect(c).Size() != image.Pt(w, h) {
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
