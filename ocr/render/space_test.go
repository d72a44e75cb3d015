package render

import "testing"

// A point straight ahead of an unturned camera lands in the middle of its
// picture, and one a metre aside at ten metres focal/10 pixels beside it.
func TestProjection(t *testing.T) {
	c := View{Width: 1280, Height: 720, Focal: 2000, Rise: 1.5}.pinhole()
	for _, tc := range []struct {
		p    vec
		want Point
	}{
		{vec{0, 1.5, 10}, Point{X: 640, Y: 360}},
		{vec{1, 1.5, 10}, Point{X: 840, Y: 360}},
		{vec{0, .5, 10}, Point{X: 640, Y: 560}},
	} {
		if got, ok := c.project(tc.p); !ok || got.Sub(tc.want).Len() > 1e-9 {
			t.Errorf("project(%v) = %v, %t; want %v", tc.p, got, ok, tc.want)
		}
	}
	if _, ok := c.project(vec{0, 1, -1}); ok {
		t.Error("a point behind the camera was projected")
	}
	// Turned to the right, what lies ahead moves to the left; pitched down, up.
	c = View{Width: 1280, Height: 720, Focal: 2000, Rise: 1.5, Yaw: 5, Pitch: 3}.pinhole()
	if got, _ := c.project(vec{0, 1.5, 10}); got.X >= 640 || got.Y >= 360 {
		t.Errorf("a camera turned right and down sees the horizon ahead at %v", got)
	}
}
