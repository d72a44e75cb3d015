package setup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/google/renameio/v2"
	"gocv.io/x/gocv"

	"platewatch/capture"
	"platewatch/cmd/platewatch/internal/picture"
	"platewatch/ocr"
	"platewatch/uplink/broker"
	"platewatch/uplink/probe"
)

// watchFor is how long a camera's pictures are counted.
const watchFor = 2 * time.Second

// sight is what a camera showed.
type sight struct {
	width, height int     // pixels
	fps           float64 // pictures a second, over [watchFor]; 0 for a single one
	plates        []ocr.Plate
	picture       string // file with the last picture
}

// String says it to a person. Texts of plates are not part of it: none of them is
// known to be on a list.
func (s sight) String() string {
	text := fmt.Sprintf("%d×%d pixels", s.width, s.height)
	if s.fps > 0 {
		text += fmt.Sprintf(", %.0f pictures a second", s.fps)
	}
	switch len(s.plates) {
	case 0:
		return text + ", no plate on the last picture"
	case 1:
		return text + fmt.Sprintf(", one plate on the last picture, its characters %.0f pixels high", s.plates[0].Height)
	}
	return text + fmt.Sprintf(", %d plates on the last picture", len(s.plates))
}

// look opens the camera as the unit would, counts its pictures, reads the last one
// and keeps it in the file.
func look(ctx context.Context, c capture.Config, file string) (s sight, err error) {
	src, err := capture.Open(ctx, c)
	if err != nil {
		return s, err
	}
	defer src.Close()
	frame, next := gocv.NewMat(), gocv.NewMat()
	defer func() { frame.Close(); next.Close() }()
	var first time.Time
	for n := 0; ; n++ {
		_, err := src.Read(&next)
		if errors.Is(err, io.EOF) && n > 0 { // a short clip, or a folder of pictures
			break
		}
		if err != nil {
			return s, err
		}
		frame, next = next, frame
		if first.IsZero() {
			first = time.Now()
		} else if took := time.Since(first); took >= watchFor {
			s.fps = float64(n) / took.Seconds()
			break
		}
	}
	s.width, s.height = frame.Cols(), frame.Rows()
	if s.plates, err = platesOn(ctx, frame); err != nil {
		return s, err
	}
	jpeg, err := picture.JPEG(frame, 90)
	if err == nil {
		err = renameio.WriteFile(file, jpeg, 0o600)
	}
	s.picture = file
	return s, err
}

// platesOn reads the plates of a picture.
func platesOn(ctx context.Context, frame gocv.Mat) ([]ocr.Plate, error) {
	p := ocr.DefaultParams()
	p.Workers = 1
	r, err := ocr.New(p)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	res, err := r.Recognise(ctx, frame)
	return res.Plates, err
}

// brokerTimeout bounds a try.
const brokerTimeout = 20 * time.Second

// tryBroker uses the broker as the unit would, and says what it found.
func tryBroker(ctx context.Context, b broker.Broker, unit string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, brokerTimeout)
	defer cancel()
	r, err := probe.Run(ctx, b, unit)
	if err != nil {
		return "", err
	}
	text := "the broker lets the unit in, write and read"
	if r.Online != "" {
		text = fmt.Sprintf("the broker lets the unit in. A unit named %s is online there already: if it is not this board, choose another name", unit)
	}
	if !r.Certificate.IsZero() {
		text += "; its certificate expires on " + r.Certificate.Local().Format(time.DateOnly)
	}
	return text, nil
}

// pictureFolder is where the pictures of the cameras lie while somebody may look at
// them: in memory where the system has such a place.
func pictureFolder() (string, error) {
	parent := ""
	if info, err := os.Stat("/run"); err == nil && info.IsDir() && os.Getuid() == 0 {
		parent = "/run"
	}
	return os.MkdirTemp(parent, "platewatch-setup-")
}
