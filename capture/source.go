package capture

import (
	"context"
	"time"

	"gocv.io/x/gocv"
)

// Source is one opened stream of pictures. It is used by one goroutine at a
// time.
type Source interface {
	// Read puts the next picture into m (rows x cols x 3, BGR, 8 bit, upright;
	// m's old content is lost, its buffer may be swapped for another) and
	// returns its own time since the stream's start, or -1 if unknown.
	//
	// [io.EOF] is the end of a file or a folder. An error that matches
	// [ErrPicture] concerns one picture of a folder: Read can be called again.
	// After any other error the source is lost and can only be closed. An
	// error leaves m without meaning, but owned by the caller as before.
	Read(m *gocv.Mat) (position time.Duration, err error)
	// Close frees the source. It waits no more than a second.
	Close() error
}

// Open opens the camera that c describes. ctx ends the opening and, for as
// long as the source lives, every Read that waits: for its frame, or for the
// time at which the frame is due.
//
// The errors are of type [*Error] with a hint, and match [ErrConfig],
// [io/fs.ErrNotExist], [ErrUnreachable], [ErrCredentials], [ErrTimeout] or
// [ErrBlocked] where that much can be told.
func Open(ctx context.Context, c Config) (Source, error) {
	return open(ctx, c, new(blockedCalls))
}

func open(ctx context.Context, c Config, b *blockedCalls) (Source, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c = c.WithDefaults()
	switch c.Kind {
	case KindV4L2:
		return openV4L2(ctx, c, b)
	case KindRTSP:
		return openRTSP(ctx, c, b)
	case KindHTTP:
		return openHTTP(ctx, c)
	case KindFile:
		return openFile(ctx, c, b)
	default:
		return openFolder(ctx, c)
	}
}
