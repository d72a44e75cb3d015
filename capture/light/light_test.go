package light

import (
	"image"
	"math"
	"strings"
	"testing"

	"gocv.io/x/gocv"
)

func TestMeasure(t *testing.T) {
	plate := func(ground, ink byte, smear int) gocv.Mat {
		m := gocv.NewMatWithSize(60, 200, gocv.MatTypeCV8UC1)
		px, err := m.DataPtrUint8()
		if err != nil {
			t.Fatal(err)
		}
		for y := range 60 {
			for x := range 200 {
				sum, n := 0, 0
				for k := range max(smear, 1) {
					v := ground
					if (x+k)%20 < 5 && y > 15 && y < 45 || y%30 < 3 {
						v = ink
					}
					sum, n = sum+int(v), n+1
				}
				px[y*200+x] = byte(sum / n)
			}
		}
		return m
	}
	for _, tt := range []struct {
		name        string
		ground, ink byte
		smear       int
		advice      string
	}{
		{"good", 180, 40, 1, ""},
		{"over-exposed", 255, 60, 1, "over-exposed"},
		{"dark", 50, 20, 1, "dark"},
		{"smeared", 180, 40, 9, "blurred"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := plate(tt.ground, tt.ink, tt.smear)
			defer m.Close()
			l, ok := Measure(m, image.Rect(0, 0, 200, 60), 30)
			if !ok {
				t.Fatal("nothing was measured")
			}
			var meter Meter
			for range fewPlates {
				meter.Add(l)
			}
			got := meter.Guidance().Advice()
			if (got == "") != (tt.advice == "") || !strings.Contains(got, tt.advice) {
				t.Errorf("%+v gives %q, want %q", l, got, tt.advice)
			}
			if math.Abs(l.Bright-float64(tt.ground)) > 20 {
				t.Errorf("the ground is %g, want %d", l.Bright, tt.ground)
			}
		})
	}
}
