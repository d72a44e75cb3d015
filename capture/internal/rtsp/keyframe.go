package rtsp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"platewatch/capture/fault"
	"platewatch/capture/internal/process"
)

const (
	// keyframeBound is how long a stream that runs may be without a keyframe. "Smart"
	// codecs (H.264+, Zipstream) send one each 10 to 90 s while little moves.
	keyframeBound = 2 * time.Minute
	// lookEach is how often a stream that has not begun is looked at.
	lookEach = 100 * time.Millisecond
	// minFirstPacket is the least time that a camera has for its first packet, when
	// connecting and starting the decoder took most of the bound.
	minFirstPacket = time.Second
)

// opened waits for the first keyframe, and for the decoder to know the video. A
// camera that sends pictures is waited for, for [keyframeBound] at most: opening it
// anew would only begin the wait again.
func (s *camera) opened(deadline time.Time) error {
	if s.jpeg != nil {
		return nil
	}
	if least := s.begin.Add(minFirstPacket); deadline.Before(least) {
		deadline = least // starting the decoder took the rest
	}
	if err := s.keyframe(deadline); err != nil {
		return err
	}
	// Connecting may have taken most of the time. A decoder that works, and gets little of
	// the processor, has all of it once more: killed, it would be started anew for ever.
	hang := max(time.Until(deadline), process.HangBound)
	bound := max(hang, s.c.OpenTimeout)
	if s.missed.Load() != 0 {
		hang = bound
	}
	_, err := s.process.Opened(s.ctx, hang, bound)
	if cause := context.Cause(s.ctx); cause != nil {
		return cause
	}
	s.asked.Store(s.process.Watch()) // opening took some, which is not the first answer's
	return err
}

// keyframe waits until the decoder has got a picture that it can begin with.
func (s *camera) keyframe(deadline time.Time) error {
	tick := time.NewTicker(lookEach)
	defer tick.Stop()
	defer s.tally.Wait(time.Time{})
	for {
		select {
		case <-s.begun:
			return nil
		case <-s.ctx.Done():
			return context.Cause(s.ctx)
		case <-s.ended:
			if cause := context.Cause(s.ctx); cause != nil {
				return cause
			}
			return &fault.Error{Op: "open", Path: s.where, Err: fault.ErrStreamEnded, Advice: "look at the camera's network and power"}
		case <-tick.C:
		}
		missed := time.Duration(s.missed.Load())
		now := time.Since(s.begin)
		if missed == 0 {
			if time.Now().After(deadline) {
				return s.nothing()
			}
			continue
		}
		s.tally.Wait(s.begin.Add(missed))
		switch {
		case now-time.Duration(s.heard.Load()) > s.c.ReadTimeout:
			return s.timeout()
		case now-missed > keyframeBound:
			return &fault.Error{Op: "open", Path: s.where, Class: fault.ErrTimeout,
				Err:    fmt.Errorf("the camera sent no keyframe within %v", keyframeBound),
				Advice: KeyframeAdvice}
		}
	}
}

// KeyframeAdvice is what to do about a camera that seldom sends a keyframe.
const KeyframeAdvice = "set the camera's keyframe (I-frame) interval to 1 or 2 s, and switch its smart codec off (H.264+, Zipstream and the like)"

// nothing is the error of a stream that was begun, and of which no picture came.
func (s *camera) nothing() error {
	e := &fault.Error{Op: "open", Path: s.where, Class: fault.ErrTimeout,
		Err:    fmt.Errorf("the camera begins the stream, and sends no packet within %v", s.c.OpenTimeout),
		Advice: "restart the camera"}
	switch {
	case s.heard.Load() != 0:
		e.Err = errors.New("the camera sends packets, and no picture in them")
		e.Advice = "set the camera to H.264 or H.265; try transport tcp"
	case s.c.Transport == transportUDP:
		e.Advice = `write transport = "tcp": a firewall may stop UDP`
	}
	return e
}
