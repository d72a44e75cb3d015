package decoder

import (
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"gocv.io/x/gocv"

	"platewatch/capture/fault"
	"platewatch/capture/internal/device"
	"platewatch/capture/internal/handover"
	"platewatch/capture/internal/orientation"
	"platewatch/capture/internal/videoio"
)

// optionsVariable is the only way to pass FFmpeg's options through OpenCV.
const optionsVariable = "OPENCV_FFMPEG_CAPTURE_OPTIONS"

// Options of FFmpeg. Key and value are separated by ";", pairs by "|".
//
// A file may be any of these formats, whatever its name says, but no playlist that
// leads FFmpeg to other files or hosts, no subtitle and no text, which FFmpeg would
// render.
//
// What the unit sends says in its first packets what it is: half of FFmpeg's usual
// second and a half of opening would be spent looking for more.
const (
	fileOptions = "protocol_whitelist;file|format_whitelist;" +
		"mov,matroska,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,mjpeg,flv,asf,ogg,ivf,obu,dv,mxf,nut,yuv4mpegpipe,gif,3gp,webm"
	pipeOptions = "protocol_whitelist;pipe|format_whitelist;matroska|analyzeduration;100000|probesize;4096|fpsprobesize;0"
)

// readBound is for calls of OpenCV that end by themselves. The unit waits shorter,
// and kills.
const readBound = time.Hour

// video plays a video file, or what the unit sends.
func (u *unit) video() error {
	path, options, end := u.job.Path, fileOptions, func() error { return u.tell(handover.Message{Kind: handover.Ended}) }
	if path == "" {
		path, options = fmt.Sprintf("pipe:%d", handover.VideoFD), pipeOptions
		end = func() error { return u.fail(fault.ErrStreamEnded, "", "%w", fault.ErrStreamEnded) }
	}
	// FFmpeg itself refuses a larger picture, where it reads its header.
	if err := os.Setenv(optionsVariable, fmt.Sprintf("%s|max_pixels;%d", options, u.job.MaxPixels)); err != nil {
		return err
	}
	c, err := videoio.Open(path, videoio.FFmpeg,
		videoio.Param{Property: videoio.OpenTimeoutMsec, Value: int(readBound.Milliseconds())},
		videoio.Param{Property: videoio.ReadTimeoutMsec, Value: int(readBound.Milliseconds())})
	if err != nil {
		if errors.Is(err, videoio.ErrRefused) {
			return u.fail(nil, "`ffprobe` shows its format; MP4, MKV, AVI and MPEG with H.264, H.265 or MJPEG are known to work",
				"is not a video that can be decoded")
		}
		return u.fail(nil, "", "%w", err)
	}
	turned, known := orientation.Of(u.job.Path)
	if !known {
		return u.play(c, 1, end)
	}
	c.Set(videoio.TurnByItself, 0)
	return u.play(upright(c, turned), 1, end)
}

// upright turns the frames of a video clockwise.
func upright(c capture, degrees int) capture {
	if degrees == 0 {
		return c
	}
	return &turned{c, map[int]gocv.RotateFlag{90: gocv.Rotate90Clockwise, 180: gocv.Rotate180Clockwise, 270: gocv.Rotate90CounterClockwise}[degrees], gocv.NewMat()}
}

// turned is a video that is turned for display.
type turned struct {
	capture
	by    gocv.RotateFlag
	spare gocv.Mat // the frame as the video has it
}

func (t *turned) Read(m *gocv.Mat) (bool, error) {
	ok, err := t.capture.Read(&t.spare)
	if ok {
		gocv.Rotate(t.spare, m, t.by)
	}
	return ok, err
}

// openDevice opens a V4L2 camera; tests have another one there.
var openDevice = func(path string) (capture, error) { return videoio.Open(path, videoio.V4L2) }

// device reads a V4L2 camera.
func (u *unit) device() error {
	c, err := openDevice(u.job.Path)
	if err != nil {
		return u.failWith(device.Refusal(u.job.Path))
	}
	watch := device.NewWatch(u.job.Path)
	device.Prepare(c, u.job)
	if device.Controlled(u.job) {
		set := make(chan struct{})
		go device.Control(u.job, u.steer, func(m handover.Message) { _ = u.tell(m) }, func() { close(set) })
		select {
		case <-set:
		case <-time.After(controlBound):
		}
	}
	// Drivers skip a frame now and then.
	return u.play(c, 2, func() error { return u.failWith(watch.Lost()) })
}

// controlBound is how long a camera's pictures wait for its controls.
const controlBound = 2 * time.Second

// capture is what play needs of [videoio.Capture].
type capture interface {
	Read(*gocv.Mat) (bool, error)
	Get(property int) float64
	Set(property int, value float64) bool
}

// play hands over one frame after the other, until misses reads in a row give
// none; end tells the unit so.
func (u *unit) play(c capture, misses int, end func() error) error {
	number := func(property int) float64 {
		if v := c.Get(property); v > 0 && v < 1e6 {
			return v
		}
		return 0
	}
	if err := u.job.CheckSize(int(number(videoio.FrameWidth)), int(number(videoio.FrameHeight))); err != nil {
		return u.failWith(err)
	}
	if err := u.tell(handover.Message{Kind: handover.Opened, FPS: min(number(videoio.FPS), 1000)}); err != nil {
		return nil
	}
	slots := newSlots(u)
	origin := math.NaN()
	for missed := 0; ; {
		slot := <-u.free
		ok, err := slots.read(c, slot)
		if !ok {
			u.free <- slot
			if missed++; missed < misses {
				continue
			}
			if err != nil {
				return u.failWith(err)
			}
			return end()
		}
		missed = 0
		position := time.Duration(-1)
		if ms := c.Get(videoio.PosMsec); ms >= 0 && !math.IsInf(ms, 0) {
			if math.IsNaN(origin) {
				origin = ms // positions count from whatever the camera likes
			}
			if d := time.Duration((ms - origin) * float64(time.Millisecond)); d >= 0 {
				position = d
			}
		}
		w, h := slots.width, slots.height
		if err := u.tell(handover.Message{Kind: handover.Frame, Slot: slot, Width: w, Height: h, Position: position}); err != nil {
			return nil
		}
	}
}

// slots are the slots as Mats, so that OpenCV writes its pictures straight into
// them.
type slots struct {
	u             *unit
	width, height int
	mats          []gocv.Mat // over the slots; none before the first frame
	spare         gocv.Mat   // the first frame, and one of another size or kind
}

func newSlots(u *unit) *slots { return &slots{u: u, spare: gocv.NewMat()} }

// read reads the next frame into a slot.
func (s *slots) read(c capture, slot int) (bool, error) {
	if s.mats == nil {
		if ok, err := c.Read(&s.spare); !ok {
			return false, err
		}
		return s.adopt(&s.spare, slot)
	}
	m := s.mats[slot]
	if ok, err := c.Read(&m); !ok {
		return false, err
	}
	at, err := m.DataPtrUint8()
	if err != nil || len(at) == 0 || &at[0] != &s.u.memory.Slot(slot)[0] || m.Type() != gocv.MatTypeCV8UC3 {
		return s.adopt(&m, slot) // OpenCV took a buffer of its own, for a frame that did not fit
	}
	return true, nil
}

// adopt copies a frame of a new size or kind into a slot, and makes the Mats that
// fit it.
func (s *slots) adopt(m *gocv.Mat, slot int) (bool, error) {
	if err := s.u.job.CheckSize(m.Cols(), m.Rows()); err != nil {
		return false, err
	}
	bgr := m
	if m.Type() != gocv.MatTypeCV8UC3 {
		if err := toBGR(*m, &s.spare); err != nil {
			return false, err
		}
		bgr = &s.spare
	}
	if err := s.u.copyTo(slot, *bgr); err != nil {
		return false, err
	}
	s.width, s.height = bgr.Cols(), bgr.Rows()
	for i := range s.mats {
		s.mats[i].Close()
	}
	s.mats = s.mats[:0]
	for i := range s.u.job.Slots {
		over, err := gocv.NewMatFromBytes(s.height, s.width, gocv.MatTypeCV8UC3, s.u.memory.Slot(i)[:3*s.width*s.height])
		if err != nil {
			return false, err
		}
		s.mats = append(s.mats, over)
	}
	return true, nil
}

// toBGR makes an 8-bit BGR picture of one that is grey or has an alpha channel.
func toBGR(from gocv.Mat, to *gocv.Mat) error {
	switch t := from.Type(); t {
	case gocv.MatTypeCV8UC1:
		gocv.CvtColor(from, to, gocv.ColorGrayToBGR)
	case gocv.MatTypeCV8UC4:
		gocv.CvtColor(from, to, gocv.ColorBGRAToBGR)
	default:
		return fmt.Errorf("%w: pixels of OpenCV type %d are not 8-bit colour", fault.ErrFrame, t)
	}
	return nil
}
