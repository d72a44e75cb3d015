package capture

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"gocv.io/x/gocv"

	"platewatch/capture/fault"
	"platewatch/capture/internal/capturetest"
	"platewatch/capture/source"
)

// corners names the colours of a picture's corners: top left, top right, bottom left,
// bottom right.
func corners(m gocv.Mat) string {
	var b strings.Builder
	for _, y := range []int{m.Rows() / 8, m.Rows() * 7 / 8} {
		for _, x := range []int{m.Cols() / 8, m.Cols() * 7 / 8} {
			v := m.GetVecbAt(y, x) // BGR
			switch {
			case v[0] > 128 && v[1] > 128:
				b.WriteByte('W')
			case v[0] > 128:
				b.WriteByte('B')
			case v[1] > 128:
				b.WriteByte('G')
			default:
				b.WriteByte('R')
			}
		}
	}
	return b.String()
}

// TestFieldOrientation: a camera that hangs on its side, upside down or behind a mirror
// gives upright pictures.
func TestFieldOrientation(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		capturetest.WriteJPEG(t, filepath.Join(dir, fmt.Sprint(i, ".jpg")), capturetest.Corners(64, 48)) // RGBW
	}
	for _, tt := range []struct {
		rotate int
		mirror bool
		want   string
	}{
		{0, false, "RGBW"}, {90, false, "BRWG"}, {180, false, "WBGR"}, {270, false, "GWRB"},
		{0, true, "GRWB"}, {90, true, "RBGW"}, {180, true, "BWRG"}, {270, true, "WGBR"},
	} {
		src, err := Open(t.Context(), Config{Source: dir + "/", Pace: source.PaceFast, Rotate: tt.rotate, Mirror: tt.mirror})
		if err != nil {
			t.Fatal(err)
		}
		m := gocv.NewMat()
		for range 3 {
			if _, err := src.Read(&m); err != nil {
				t.Fatal(err)
			}
			if got := corners(m); got != tt.want || (m.Cols() == 64) != (tt.rotate%180 == 0) {
				t.Errorf("rotate %d, mirror %v: corners %s instead of %s, %d wide", tt.rotate, tt.mirror, got, tt.want, m.Cols())
			}
		}
		if _, err := src.Read(&m); !errors.Is(err, io.EOF) {
			t.Errorf("at the end: %v", err)
		}
		m.Close()
		for range 2 {
			if err := src.Close(); err != nil {
				t.Error(err)
			}
		}
		m = gocv.NewMat()
		if _, err := src.Read(&m); !errors.Is(err, fault.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		m.Close()
	}
	_, err := Open(t.Context(), Config{Source: dir + "/", Rotate: 45})
	var e *fault.Error
	if !errors.Is(err, fault.ErrConfig) || !errors.As(err, &e) || !strings.Contains(e.Hint(), "90") {
		t.Errorf("45 degrees: %v", err)
	}
	t.Attr("outcome", "eight orientations")
}

// A turned camera can still be steered.
func TestTurnedIsSteerable(t *testing.T) {
	steered, plain := upright(&steered{}, 90, false), upright(&stalling{}, 90, false)
	defer steered.Close()
	defer plain.Close()
	if _, ok := steered.(source.Steerable); !ok {
		t.Error("it cannot be steered")
	}
	if _, ok := plain.(source.Steerable); ok {
		t.Error("it can be steered")
	}
}
