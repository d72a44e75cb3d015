package aim

import (
	"math"

	"platewatch/ocr/rectify"
)

// plateKind is the shape of a plate, which its corners are compared with.
type plateKind struct {
	aspect float64 // width over height, as the corners of plates seen face on have it
	least  float64 // pixels of width from which plates are read
	moving float64 // pixels of width for moving traffic
	high   float64 // height over that of the characters, as outlines have it: the same from every side
}

// The two shapes. Aspects are those that the outlines of rendered plates have when
// they are seen face on (TestPose): the true ones are 2.0 and 4.7. Widths for US
// plates (305 mm) are those that makers of such readers demand; on the long European
// ones (520 mm, 480 without the band) they give characters of the same height.
var (
	shortPlate = plateKind{aspect: 2.12, least: 75, moving: 130, high: 1.86}
	longPlate  = plateKind{aspect: 4.63, least: 85, moving: 175, high: 1.35}
)

// kindOf tells the shape by the share of the plate's height that the characters
// take: 70 of 152 mm on US plates, 77 of 110 mm on European ones. It does not change
// with the angle from the side, as the aspect does.
func kindOf(corners [4]rectify.Point, height float64) plateKind {
	_, down := sides(corners)
	if height > 0.63*math.Hypot(down.X, down.Y) {
		return longPlate
	}
	return shortPlate
}

// angles is from where a camera sees a plate, in degrees.
type angles struct {
	Yaw   float64 // from the side
	Pitch float64 // from above
	Roll  float64 // of the camera, clockwise
}

// sides are the mean upper and lower side, and the mean left and right side.
func sides(c [4]rectify.Point) (along, down rectify.Point) {
	along = rectify.Point{X: (c[1].X - c[0].X + c[2].X - c[3].X) / 2, Y: (c[1].Y - c[0].Y + c[2].Y - c[3].Y) / 2}
	down = rectify.Point{X: (c[3].X - c[0].X + c[2].X - c[1].X) / 2, Y: (c[3].Y - c[0].Y + c[2].Y - c[1].Y) / 2}
	return along, down
}

// outlineSeen tells whether the upper and lower edge of a plate were found: its height
// over that of its characters is then that of its kind. Elsewhere the outline is a
// guess, and angles from it would be wrong.
func outlineSeen(corners [4]rectify.Point, height float64) bool {
	const within = 0.08
	_, down := sides(corners)
	high := kindOf(corners, height).high
	return math.Abs(math.Hypot(down.X, down.Y)/height-high) <= within*high
}

// anglesOf is from where a plate is seen, by its corners (clockwise from the top left,
// pixels) and the height of its characters.
//
// A plate takes less than two degrees of the view, so that its picture is its true
// shape, turned and scaled: the mean sides, divided by the true width and height, are
// s times the first two rows of the first two columns r1, r2 of the rotation. With b1
// and b2 for these sides,
//
//	s² = (|b1|² + |b2|² + √((|b1|² + |b2|²)² − 4·det(b1, b2)²)) / 2
//	sin(pitch) = √(1 − |b2|²/s²), sin(yaw)·cos(pitch) = √(1 − |b1|²/s²)
//
// and roll is the lean of b2. No focal length enters: the angles are those to the line
// of sight, not to the camera's axis. Limits: the camera is taken to be above the
// plate; left and right cannot be told apart, so yaw is never negative; and because a
// cosine is flat, an outline wrong by 5 % gives 18° where there are none. On rendered
// plates from 110 pixels of width, angles from 25° on are right within 9°, and smaller
// ones within 25° (go test -run Pose -v).
func anglesOf(corners [4]rectify.Point, height float64) angles {
	along, down := sides(corners)
	a := kindOf(corners, height).aspect
	b1, b2 := rectify.Point{X: along.X / a, Y: along.Y / a}, down
	n1, n2 := b1.X*b1.X+b1.Y*b1.Y, b2.X*b2.X+b2.Y*b2.Y
	if n1 == 0 || n2 == 0 {
		return angles{}
	}
	det := b1.X*b2.Y - b1.Y*b2.X
	s2 := (n1 + n2 + math.Sqrt(max(0, (n1+n2)*(n1+n2)-4*det*det))) / 2
	pitch := math.Asin(math.Sqrt(max(0, 1-n2/s2)))
	yaw := math.Asin(min(1, math.Sqrt(max(0, 1-n1/s2))/max(math.Cos(pitch), 0.1)))
	return angles{Yaw: degrees(yaw), Pitch: degrees(pitch), Roll: degrees(math.Atan2(b2.X, b2.Y))}
}

func degrees(radians float64) float64 { return radians * 180 / math.Pi }

// assumedView is the horizontal view in degrees that turning instructions assume:
// lenses for plates have 20 to 40. A wrong one makes them too large or too small, and
// the next plate tells so.
const assumedView = 30.0

// turnFor is by how many degrees a camera must turn so that a place in its picture
// comes to the middle: positive to the right, and downwards. x and y are shares of the
// picture's width and height, aspect its width over height.
func turnFor(x, y, aspect float64) (right, down float64) {
	f := 0.5 / math.Tan(assumedView/2*math.Pi/180) // focal length in widths
	return degrees(math.Atan((x - 0.5) / f)), degrees(math.Atan((y - 0.5) / aspect / f))
}
