package mjpeg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"platewatch/capture/fault"
)

const (
	// maxPicture bounds one picture of an MJPEG stream, in bytes: an 8K JPEG.
	maxPicture = 16 << 20
	// maxRubbish bounds what lies between two pictures, in bytes.
	maxRubbish = 1 << 20
	// readBytes is how much is read at once.
	readBytes = 32 << 10
)

// pictureReader finds the pictures of an MJPEG stream by their own bytes, from their
// beginning (SOI) over the lengths of their segments to their end (EOI). What is
// between them does not matter: cameras write boundaries with two dashes too many or
// none, quote them wrongly, leave the first one out or all of them, and count their
// pictures' bytes wrongly. After rubbish it goes on at the next beginning.
type pictureReader struct {
	r       io.Reader
	buf     []byte // what was read
	begin   int    // the bytes before were returned, or skipped
	taken   int    // bytes behind it that the last picture had
	skipped int    // bytes since the last picture
	found   bool   // a picture, at least one
}

// picturesOf tells from an answer's header that it can be an MJPEG stream.
func picturesOf(res *http.Response) (*pictureReader, error) {
	said := res.Header.Get("Content-Type")
	kind, _, _ := mime.ParseMediaType(said)
	if kind == "" { // a boundary that is not well-formed
		kind, _, _ = strings.Cut(strings.ToLower(said), ";")
	}
	kind = strings.TrimSpace(kind)
	var what string
	switch {
	case kind == "image/jpeg" && res.ContentLength >= 0:
		what = "a single picture"
	case strings.HasPrefix(kind, "image/") && kind != "image/jpeg", kind == "text/html", strings.HasSuffix(kind, "json"), strings.HasSuffix(kind, "xml"):
		what = fmt.Sprintf("%.60q", said)
	default:
		return &pictureReader{r: res.Body}, nil
	}
	return nil, &fault.Error{Err: fmt.Errorf("the answer is %s and not an MJPEG stream", what), Advice: streamAdvice}
}

const streamAdvice = "name the camera's MJPEG address, often /mjpg/video.mjpg; a single picture or a web page does not do"

// next is the next picture's bytes, valid until the call after it. One whose end is
// missing ends where the next one begins.
func (p *pictureReader) next() ([]byte, error) {
	p.drop(p.taken)
	p.taken = 0
	for {
		if err := p.seek(); err != nil {
			return nil, err
		}
		n, err := p.measure()
		if err != nil {
			return nil, err
		}
		if n > 0 {
			p.taken, p.skipped, p.found = n, 0, true
			return p.rest()[:n], nil
		}
		// It only looked like a picture: go on after its start marker.
		p.skipped += len(soi)
		p.drop(len(soi))
	}
}

var soi = []byte{0xff, 0xd8}

// seek moves the beginning to the next SOI.
func (p *pictureReader) seek() error {
	for {
		i := bytes.Index(p.rest(), soi)
		if i >= 0 {
			p.skipped += i
			p.drop(i)
			return nil
		}
		if n := len(p.rest()); n > 1 { // the last byte may be half of one
			p.skipped += n - 1
			p.drop(n - 1)
		}
		if p.skipped > maxRubbish {
			return fmt.Errorf("%w: no JPEG picture among %d bytes of the stream", fault.ErrFrame, p.skipped)
		}
		if err := p.fill(); err != nil {
			return err
		}
	}
}

// Markers of ITU-T T.81, table B.1.
const (
	markerTEM  = 0x01
	markerRST0 = 0xd0
	markerRST7 = 0xd7
	markerSOI  = 0xd8
	markerEOI  = 0xd9
	markerSOS  = 0xda
	markerAPP0 = 0xe0
)

const (
	// maxSegments bounds the segments of a picture before its pixels. Cameras write
	// about ten.
	maxSegments = 256
	// maxStray is how many bytes may lie before a segment, as some writers leave there.
	maxStray = 64
)

// measure is the length of the picture at the beginning, for which it reads as much
// as is needed; 0 if it is not a picture.
func (p *pictureReader) measure() (int, error) {
	at, segments, scanning, scanned := len(soi), 0, false, false
	for {
		marker, pos, err := p.marker(at, scanning)
		if err != nil || pos < 0 {
			return 0, err
		}
		switch {
		case marker == markerEOI && scanned:
			return pos + 2, nil
		case marker == markerSOI && scanning:
			return pos, nil
		case scanning && (marker == 0 || marker >= markerRST0 && marker <= markerRST7):
			at = pos + 2
			continue
		case marker == markerTEM:
			at = pos + 2
			continue
		case marker == 0, marker >= markerRST0 && marker <= markerEOI:
			return 0, nil
		}
		if err := p.need(pos + 4); err != nil {
			return 0, err
		}
		length := int(binary.BigEndian.Uint16(p.rest()[pos+2:]))
		if segments++; length < 2 || segments > maxSegments {
			return 0, nil
		}
		at = pos + 2 + length
		if marker < markerAPP0 { // one in an APPn segment is a thumbnail's
			if err := p.need(at); err != nil {
				return 0, err
			}
			if bytes.Contains(p.rest()[pos+4:at], []byte{0xff, markerSOI, 0xff}) {
				return 0, nil // the rest of this picture is missing
			}
		}
		scanning = marker == markerSOS
		scanned = scanned || scanning
	}
}

// marker is the next marker at or behind a place, and where it stands; −1 if
// something else is there. In pixels it may be any distance away.
func (p *pictureReader) marker(at int, scanning bool) (marker byte, pos int, err error) {
	first := at
	for {
		if err := p.need(at + 2); err != nil {
			return 0, 0, err
		}
		b := p.rest()
		i := bytes.IndexByte(b[at:len(b)-1], 0xff)
		if i < 0 {
			at = len(b) - 1
		} else {
			at += i
		}
		if !scanning && at-first > maxStray {
			return 0, -1, nil
		}
		if i < 0 {
			continue
		}
		if b[at+1] == 0xff { // filling
			at++
			first++
			continue
		}
		return b[at+1], at, nil
	}
}

// rest is what was read, and neither returned nor skipped.
func (p *pictureReader) rest() []byte { return p.buf[p.begin:] }

// need reads until there are n bytes.
func (p *pictureReader) need(n int) error {
	if n > maxPicture {
		return fmt.Errorf("%w: a picture of more than %d bytes", fault.ErrFrame, maxPicture)
	}
	for len(p.rest()) < n {
		if err := p.fill(); err != nil {
			return err
		}
	}
	return nil
}

// fill reads once.
func (p *pictureReader) fill() error {
	if cap(p.buf)-len(p.buf) < readBytes {
		rest := p.rest()
		if cap(p.buf) < 2*len(rest)+readBytes {
			p.buf = make([]byte, len(rest), 2*len(rest)+2*readBytes)
		}
		p.buf, p.begin = p.buf[:copy(p.buf, rest)], 0
	}
	n := len(p.buf)
	read, err := p.r.Read(p.buf[n : n+readBytes])
	p.buf = p.buf[:n+read]
	if read > 0 {
		return nil // an error comes again
	}
	if errors.Is(err, io.EOF) && !p.found {
		return &fault.Error{Err: fmt.Errorf("%w: the answer ends without a JPEG picture", fault.ErrStreamEnded), Advice: streamAdvice}
	}
	return err
}

// drop removes bytes from the beginning.
func (p *pictureReader) drop(n int) { p.begin += n }
