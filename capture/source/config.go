package source

import (
	"time"

	"platewatch/capture/fault"
	"platewatch/capture/still"
)

// Pace says how fast a file or a folder plays.
type Pace string

const (
	PaceReal Pace = "real" // as a live camera would: at the video's own pace, or FPS pictures a second
	PaceFast Pace = "fast" // as fast as it is read; a camera then drops no frame
)

// Config describes one camera: what a [[camera]] section of the configuration
// file says about where its pictures come from. Fields that do not belong to
// its kind must be left empty.
type Config struct {
	// Name is the camera's name in hits, logs, metrics and the status page.
	Name string `toml:"name"`
	// Source is an rtsp:// or http:// address, a V4L2 device, a video file, or a
	// folder of pictures (with a slash at its end).
	Source string `toml:"source"`
	// Kind is the name of a kind of camera; empty: what Source looks like.
	Kind string `toml:"kind"`

	// What a V4L2 camera is asked for. It may give something else, which is
	// logged and not an error. Zero: as the camera likes.
	Width  int     `toml:"width"`  // pixels
	Height int     `toml:"height"` // pixels
	FPS    float64 `toml:"fps"`    // frames a second; also the pace of a folder
	Format string  `toml:"format"` // pixel format, four letters: MJPG, YUYV, …

	// How the picture becomes upright: turned clockwise by Rotate degrees, and then
	// mirrored (left becomes right). Sizes, areas and boxes are those of the upright
	// picture; Width and Height are what a V4L2 camera is asked for.
	Rotate int  `toml:"rotate"` // 0, 90, 180 or 270
	Mirror bool `toml:"mirror"`

	Transport string `toml:"transport"` // of RTSP: "tcp" (the default there) or "udp"

	// CredentialsFile holds the camera's user:password in one line. They go before
	// the host, or where Source says {user} and {password}: ?usr={user}&pwd={password}.
	CredentialsFile string `toml:"credentials_file"`

	// How the certificate of a camera over rtsps:// or https:// is verified: by the
	// system's authorities unless one of these says otherwise.
	TLSCA          string `toml:"tls_ca"`          // a PEM file of authorities
	TLSFingerprint string `toml:"tls_fingerprint"` // SHA-256 of the camera's own certificate, hexadecimal
	TLSInsecure    bool   `toml:"tls_insecure"`    // not at all: any server that answers gets the password

	OpenTimeout time.Duration `toml:"open_timeout"` // a camera that does not open in this time is tried again
	ReadTimeout time.Duration `toml:"read_timeout"` // a camera that sends no frame for this long is opened again

	Controls
	// AutoExposure is who sets the exposure of a V4L2 camera: the camera
	// ([ExposeCamera], the default) or the unit ([ExposePlate]).
	AutoExposure string `toml:"auto_exposure"`

	Loop bool `toml:"loop"` // files and folders start again at their end
	Pace Pace `toml:"pace"` // files and folders: real (the default there) or fast

	Stills still.Limits `toml:"-"` // which pictures of a folder are refused
}

// Controls are settings of a V4L2 camera that matter for plates. Those that are
// nil or zero stay as the camera has them.
type Controls struct {
	Exposure     time.Duration `toml:"exposure"`      // of one frame; turns the camera's own exposure off
	Gain         *int          `toml:"gain"`          // in the driver's units; turns automatic gain off
	Focus        *int          `toml:"focus"`         // in the driver's units; turns automatic focus off
	WhiteBalance *int          `toml:"white_balance"` // kelvin; turns automatic white balance off
}

// Values of [Config.AutoExposure].
const (
	ExposeCamera = "camera" // the camera sets it by itself, for the whole scene
	ExposePlate  = "plate"  // the unit sets it by the plates that it reads
)

// Where names the camera's device, file or redacted address.
func (c Config) Where() string { return Redact(c.Source) }

// Problem is what is wrong with a setting. Its text continues the setting's
// key: `= "x" is not known`.
func Problem(advice, format string, args ...any) error {
	return fault.Configf("", advice, format, args...)
}
