package capture

import (
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/source"
)

// rotations are the values of [source.Config.Rotate], degrees clockwise.
var rotations = map[int]gocv.RotateFlag{90: gocv.Rotate90Clockwise, 180: gocv.Rotate180Clockwise, 270: gocv.Rotate90CounterClockwise}

func checkRotation(degrees int) error {
	if _, ok := rotations[degrees]; ok || degrees == 0 {
		return nil
	}
	return source.Problem("write 0, 90, 180 or 270, degrees clockwise", "= %d is not possible", degrees)
}

// upright turns and mirrors the pictures of a camera that hangs otherwise.
func upright(src Source, rotate int, mirror bool) Source {
	if rotate == 0 && !mirror {
		return src
	}
	t := &turned{Source: src, rotate: rotate, mirror: mirror, given: gocv.NewMat(), between: gocv.NewMat()}
	if s, ok := src.(source.Steerable); ok {
		return steerableTurned{t, s}
	}
	return t
}

// turned is a [Source] whose pictures are turned.
type turned struct {
	Source
	rotate         int
	mirror         bool
	given, between gocv.Mat // as the source gives it, and half way
	closed         bool
}

// Read implements [source.Source].
func (t *turned) Read(m *gocv.Mat) (time.Duration, error) {
	if t.closed {
		return t.Source.Read(m)
	}
	position, err := t.Source.Read(&t.given)
	if err != nil {
		return position, err
	}
	const leftRight = 1 // of cv::flip
	switch by, rotated := rotations[t.rotate]; {
	case !rotated:
		gocv.Flip(t.given, m, leftRight)
	case !t.mirror:
		gocv.Rotate(t.given, m, by)
	default:
		gocv.Rotate(t.given, &t.between, by)
		gocv.Flip(t.between, m, leftRight)
	}
	return position, nil
}

// Video is for [source.VideoOf].
func (t *turned) Video() source.Video { return source.VideoOf(t.Source) }

// Close implements [source.Source].
func (t *turned) Close() error {
	if !t.closed {
		t.closed = true
		t.given.Close()
		t.between.Close()
	}
	return t.Source.Close()
}

// steerableTurned is a turned source whose exposure the unit can set.
type steerableTurned struct {
	*turned
	source.Steerable
}

func (s steerableTurned) Read(m *gocv.Mat) (time.Duration, error) { return s.turned.Read(m) }
func (s steerableTurned) Close() error                            { return s.turned.Close() }
