package capture

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Kinds of cameras.
const (
	KindV4L2   = "v4l2"   // a local camera, by its device file
	KindRTSP   = "rtsp"   // a network camera
	KindHTTP   = "http"   // a network camera that sends MJPEG over HTTP
	KindFile   = "file"   // a video file
	KindFolder = "folder" // a folder of pictures, in the order of their names
)

// Kinds lists what Config.Kind can be.
func Kinds() []string { return []string{KindV4L2, KindRTSP, KindHTTP, KindFile, KindFolder} }

// Pace says how fast a file or a folder plays.
type Pace string

const (
	PaceReal Pace = "real" // as a live camera would: at the video's own pace, or FPS pictures a second
	PaceFast Pace = "fast" // as fast as it is read; a [Camera] then drops no frame
)

// Transports of RTSP.
const (
	TransportTCP = "tcp" // interleaved in the RTSP connection: no packet is lost
	TransportUDP = "udp"
)

// Defaults of [Config.WithDefaults].
const (
	DefaultOpenTimeout = 5 * time.Second
	DefaultReadTimeout = 3 * time.Second
	DefaultFolderFPS   = 5.0
)

// Config describes one camera. Fields that do not belong to its Kind must be
// left empty.
type Config struct {
	Name string // in frames, logs and metrics
	Kind string // one of [Kinds]

	Device string // v4l2: the device file, e.g. /dev/video0 or a link below /dev/v4l/by-id
	URL    string // rtsp: rtsp://host[:port]/path, also rtsps; http: http://host[:port]/path, also https
	Path   string // file, folder

	// What a V4L2 camera is asked for. It may give something else, which is
	// logged and not an error. Zero: as the camera likes.
	Width, Height int     // pixels
	Format        string  // pixel format, four letters: MJPG, YUYV, ...
	FPS           float64 // frames a second; also the pace of a folder (default 5)

	Controls     Controls // v4l2: settings of the camera
	AutoExposure string   // v4l2: who sets the exposure, camera (default) or plate

	Transport       string // rtsp: tcp (default) or udp
	CredentialsFile string // rtsp, http: a file with user:password on its first line

	Pace Pace // file, folder: real (default) or fast
	Loop bool // file, folder: start again at the end

	OpenTimeout time.Duration // v4l2, rtsp, http, file: bound of opening; default 5 s
	ReadTimeout time.Duration // v4l2, rtsp, http, file: bound of one frame; default 3 s

	Stills StillLimits // folder: what is refused
}

// WithDefaults returns c with the empty fields that have a default filled in.
func (c Config) WithDefaults() Config {
	c.OpenTimeout = cmp.Or(c.OpenTimeout, DefaultOpenTimeout)
	c.ReadTimeout = cmp.Or(c.ReadTimeout, DefaultReadTimeout)
	switch c.Kind {
	case KindRTSP:
		c.Transport = cmp.Or(c.Transport, TransportTCP)
	case KindFile:
		c.Pace = cmp.Or(c.Pace, PaceReal)
	case KindFolder:
		c.Pace = cmp.Or(c.Pace, PaceReal)
		c.FPS = cmp.Or(c.FPS, DefaultFolderFPS)
		c.Stills = c.Stills.withDefaults()
	}
	return c
}

// Where names the camera's device, file or redacted URL.
func (c Config) Where() string {
	switch c.Kind {
	case KindV4L2:
		return c.Device
	case KindRTSP, KindHTTP:
		return Redact(c.URL)
	}
	return c.Path
}

// Validate checks everything that can be told without touching the camera.
// Its error matches [ErrConfig] and names the field.
func (c Config) Validate() error {
	if !slices.Contains(Kinds(), c.Kind) {
		return configError("", "kind is one of "+strings.Join(Kinds(), ", "), "there is no camera kind %q", c.Kind)
	}
	if err := c.checkFields(); err != nil {
		return err
	}
	if err := c.checkNumbers(); err != nil {
		return err
	}
	switch c.Kind {
	case KindV4L2:
		return c.checkV4L2()
	case KindRTSP, KindHTTP:
		return c.checkURL()
	}
	if c.Pace != "" && c.Pace != PaceReal && c.Pace != PaceFast {
		return configError(c.Path, "pace is real or fast", "there is no pace %q", c.Pace)
	}
	return nil
}

// checkFields finds the field that the kind needs, and those that belong to
// other kinds: a setting that does nothing is a mistake somebody should see.
func (c Config) checkFields() error {
	fields := []struct {
		name  string
		set   bool
		needs bool
		kinds []string
	}{
		{"device", c.Device != "", true, []string{KindV4L2}},
		{"url", c.URL != "", true, []string{KindRTSP, KindHTTP}},
		{"path", c.Path != "", true, []string{KindFile, KindFolder}},
		{"width", c.Width != 0, false, []string{KindV4L2}},
		{"height", c.Height != 0, false, []string{KindV4L2}},
		{"format", c.Format != "", false, []string{KindV4L2}},
		{"fps", c.FPS != 0, false, []string{KindV4L2, KindFolder}},
		{"exposure", c.Controls.Exposure != 0, false, []string{KindV4L2}},
		{"gain", c.Controls.Gain != nil, false, []string{KindV4L2}},
		{"focus", c.Controls.Focus != nil, false, []string{KindV4L2}},
		{"white_balance", c.Controls.WhiteBalance != nil, false, []string{KindV4L2}},
		{"auto_exposure", c.AutoExposure != "", false, []string{KindV4L2}},
		{"transport", c.Transport != "", false, []string{KindRTSP}},
		{"credentials_file", c.CredentialsFile != "", false, []string{KindRTSP, KindHTTP}},
		{"pace", c.Pace != "", false, []string{KindFile, KindFolder}},
		{"loop", c.Loop, false, []string{KindFile, KindFolder}},
	}
	for _, f := range fields {
		belongs := slices.Contains(f.kinds, c.Kind)
		if f.needs && belongs && !f.set {
			return configError("", "set "+f.name, "a camera of kind %s needs %s", c.Kind, f.name)
		}
		if f.set && !belongs {
			return configError(c.Where(), "remove it, or change kind to "+strings.Join(f.kinds, " or "),
				"%s means nothing for a camera of kind %s", f.name, c.Kind)
		}
	}
	return nil
}

const maxTimeout = time.Minute

func (c Config) checkNumbers() error {
	for _, n := range []struct {
		name string
		v    int
	}{{"width", c.Width}, {"height", c.Height}} {
		if n.v < 0 || n.v > maxFrameSide {
			return configError(c.Where(), "", "%s is %d and must be 0 to %d pixels", n.name, n.v, maxFrameSide)
		}
	}
	if (c.Width == 0) != (c.Height == 0) {
		return configError(c.Where(), "set both, or neither", "width and height belong together")
	}
	if !(c.FPS >= 0 && c.FPS <= 1000) {
		return configError(c.Where(), "", "fps is %g and must be 0 to 1000", c.FPS)
	}
	for _, t := range []struct {
		name string
		v    time.Duration
	}{{"open timeout", c.OpenTimeout}, {"read timeout", c.ReadTimeout}} {
		if t.v != 0 && (t.v < 100*time.Millisecond || t.v > maxTimeout) {
			return configError(c.Where(), "", "the %s is %v and must be 100ms to %v", t.name, t.v, maxTimeout)
		}
	}
	return nil
}

func (c Config) checkV4L2() error {
	if e := c.Controls.Exposure; e != 0 && (e < exposureUnit || e > time.Second) {
		return configError(c.Device, "", "the exposure is %v and must be %v to 1s", e, exposureUnit)
	}
	if a := c.AutoExposure; a != "" && a != ExposeCamera && a != ExposePlate {
		return configError(c.Device, "auto_exposure is camera or plate", "there is no auto_exposure %q", a)
	}
	if c.Format == "" {
		return nil
	}
	valid := len(c.Format) == 4
	for _, b := range []byte(c.Format) {
		valid = valid && b >= ' ' && b <= '~'
	}
	if !valid {
		return configError(c.Device, "common ones are MJPG and YUYV: `v4l2-ctl --list-formats` lists the camera's",
			"format %q is not four letters", c.Format)
	}
	return nil
}

func (c Config) checkURL() error {
	advice, schemes := "it looks like rtsp://192.168.1.20:554/stream1", []string{"rtsp", "rtsps"}
	if c.Kind == KindHTTP {
		advice, schemes = "it looks like http://192.168.1.20/mjpg/video.mjpg", []string{"http", "https"}
	}
	u, err := url.Parse(c.URL)
	if err != nil {
		// The parser's own text repeats the URL with its password.
		return configError(Redact(c.URL), advice+"; a password with special characters belongs in the credentials file", "the URL cannot be parsed")
	}
	if !slices.Contains(schemes, u.Scheme) {
		return configError(u.Redacted(), advice, "the URL begins with %q and not with %s://", u.Scheme, strings.Join(schemes, ":// or "))
	}
	if u.Hostname() == "" {
		return configError(u.Redacted(), advice, "the URL names no host")
	}
	if _, has := u.User.Password(); has && c.CredentialsFile != "" {
		return configError(u.Redacted(), "take it out of the URL", "there is a password in the URL and a credentials file")
	}
	if c.Transport != "" && c.Transport != TransportTCP && c.Transport != TransportUDP {
		return configError(u.Redacted(), "transport is tcp or udp", "there is no transport %q", c.Transport)
	}
	return nil
}
