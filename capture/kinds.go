package capture

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"platewatch/capture/fault"
	"platewatch/capture/internal/file"
	"platewatch/capture/internal/folder"
	"platewatch/capture/internal/mjpeg"
	"platewatch/capture/internal/process"
	"platewatch/capture/internal/rtsp"
	"platewatch/capture/internal/v4l2"
	"platewatch/capture/source"
	"platewatch/capture/still"
)

// kinds is the table of camera kinds, the only place that names them all. A
// source is of the first kind that recognises it.
var kinds = []source.Kind{v4l2.Kind, rtsp.Kind, mjpeg.Kind, file.Kind, folder.Kind}

// kindNames lists what Config.Kind can be.
func kindNames() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	return names
}

func examples() string {
	var all []string
	for _, k := range kinds {
		all = append(all, strconv.Quote(k.Example))
	}
	return source.Alternatives(all)
}

// KindOf is the kind of a camera: what Kind says, or else what Source looks
// like. The error continues the key of the configuration file that it is about.
func KindOf(c Config) (k source.Kind, key string, err error) {
	if c.Kind != "" {
		for _, k := range kinds {
			if k.Name == c.Kind {
				return k, "", nil
			}
		}
		return k, "kind", source.Problem("write "+source.Alternatives(kindNames()), "= %q is not known", c.Kind)
	}
	for _, k := range kinds {
		if k.Recognise(c.Source) {
			return k, "", nil
		}
	}
	shown := source.Redact(c.Source)
	switch {
	case strings.Contains(c.Source, "://"):
		err = source.Problem("write "+examples(), "= %q has a scheme that is not supported", shown)
	case still.IsName(c.Source):
		err = source.Problem("name its folder, with a slash at the end", "= %q is a single picture and not a camera", shown)
	default:
		err = source.Problem(`add kind = "file" or kind = "folder", or end a folder with a slash`, "= %q does not show its kind", shown)
	}
	return k, "source", err
}

// IsVideoName tells from a file's name whether it should be a video.
func IsVideoName(name string) bool { return file.IsName(name) }

// DefaultConfig is what every camera starts from.
func DefaultConfig() Config {
	return Config{OpenTimeout: 5 * time.Second, ReadTimeout: 3 * time.Second}
}

// WithDefaults returns c with the empty settings filled in that have a default
// for its kind. A camera whose kind is not known is returned unchanged.
func WithDefaults(c Config) Config {
	k, _, err := KindOf(c)
	if err != nil {
		return c
	}
	d := DefaultConfig()
	c.OpenTimeout = cmp.Or(c.OpenTimeout, d.OpenTimeout)
	c.ReadTimeout = cmp.Or(c.ReadTimeout, d.ReadTimeout)
	if k.Defaults != nil {
		k.Defaults(&c)
	}
	return c
}

const (
	minTimeout = 100 * time.Millisecond
	maxTimeout = time.Minute
	maxFPS     = 240
)

// Problems yields what is wrong with a camera's settings, as far as it can be
// told without touching the camera: the key in the configuration file, and an
// error whose text continues the key and whose Hint says what to write instead.
func Problems(c Config) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		k, key, kindErr := KindOf(c)
		var fps error
		if !(c.FPS >= 0 && c.FPS <= maxFPS) {
			fps = source.Problem(fmt.Sprintf("write a number from 0 to %d frames a second", maxFPS), "= %g is out of range", c.FPS)
		}
		var missing error
		if c.Source == "" {
			missing = source.Problem("add source = "+examples(), "is missing")
		}
		all := []iter.Seq2[string, error]{source.Failed(
			source.Check{Key: "source", Err: missing},
			source.Check{Key: key, Err: kindErr},
			source.Check{Key: "fps", Err: fps},
			source.Check{Key: "rotate", Err: checkRotation(c.Rotate)},
			source.Check{Key: "open_timeout", Err: source.TimeInRange(c.OpenTimeout, minTimeout, maxTimeout)},
			source.Check{Key: "read_timeout", Err: source.TimeInRange(c.ReadTimeout, minTimeout, maxTimeout)},
		)}
		if kindErr == nil {
			all = append(all, foreignKeys(c, k))
			if k.Problems != nil && missing == nil {
				all = append(all, k.Problems(c))
			}
		}
		for _, problems := range all {
			for key, err := range problems {
				if !yield(key, err) {
					return
				}
			}
		}
	}
}

// foreignKeys finds the settings that belong to other kinds: one that does
// nothing is a mistake that shows as a bad picture months later.
func foreignKeys(c Config, k source.Kind) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for key := range c.GivenKeys() {
			some := slices.ContainsFunc(kinds, func(k source.Kind) bool { return slices.Contains(k.Keys, key) })
			if some && !slices.Contains(k.Keys, key) &&
				!yield(key, source.Problem("remove it", "does nothing for a camera of kind %s", k.Name)) {
				return
			}
		}
	}
}

// valid fills in the defaults and the kind, and returns the first problem as an error that
// matches [fault.ErrConfig].
func valid(c Config) (Config, source.Kind, error) {
	c = WithDefaults(c)
	for key, err := range Problems(c) {
		between := " "
		if strings.HasPrefix(err.Error(), ":") {
			between = ""
		}
		e := fault.Configf(c.Where(), "", "%s%s%w", key, between, err)
		var p *fault.Error
		if errors.As(err, &p) {
			e.Advice = p.Advice
		}
		return c, source.Kind{}, e
	}
	k, _, _ := KindOf(c)
	c.Kind = k.Name
	return c, k, nil
}

// Open opens the camera that c describes; its empty settings have the defaults
// of [WithDefaults]. ctx ends the opening and, for as long as the source lives,
// every Read that waits: for its frame, or for the time at which the frame is
// due.
//
// The errors are of type [*fault.Error] with a hint, and match one of
// [fault.ErrConfig], [io/fs.ErrNotExist], [fault.ErrUnreachable],
// [fault.ErrCredentials], [fault.ErrTimeout] and [fault.ErrBlocked] where the
// cause is known.
func Open(ctx context.Context, c Config) (Source, error) {
	return open(ctx, c, new(process.Tally))
}

func open(ctx context.Context, c Config, t *process.Tally) (Source, error) {
	c, k, err := valid(c)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	src, err := k.Open(ctx, c, t)
	if err != nil {
		return nil, err
	}
	return upright(src, c.Rotate, c.Mirror), nil
}
