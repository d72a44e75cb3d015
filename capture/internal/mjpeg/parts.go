package mjpeg

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"platewatch/capture/fault"
)

// Bounds of the header before a picture.
const (
	maxPartLine  = 4 << 10 // bytes
	maxPartLines = 64
)

var errNoParts = errors.New("no picture with a header was found in the stream")

// partReader splits an MJPEG stream into pictures. [mime/multipart] is too strict
// for what cameras send: two dashes too many in the boundary, a length or none, a
// last line or none. So a picture begins after the header that follows a
// boundary's line, and ends after its length or at the next boundary.
type partReader struct {
	r        *bufio.Reader
	boundary []byte // without dashes
	buf      []byte // the picture, reused
}

// partsOf tells from an answer's header that it is an MJPEG stream.
func partsOf(res *http.Response) (*partReader, error) {
	kind, params, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	boundary := strings.Trim(params["boundary"], "-\" ")
	if err != nil || !strings.HasPrefix(kind, "multipart/") || boundary == "" {
		said := res.Header.Get("Content-Type")
		return nil, &fault.Error{Err: fmt.Errorf("the answer is %.60q and not an MJPEG stream", said),
			Advice: "name the camera's MJPEG address, often /mjpg/video.mjpg; a single picture or a web page does not do"}
	}
	return &partReader{r: bufferOf(res.Body), boundary: []byte(boundary)}, nil
}

// next is the next picture's bytes, valid until the call after it.
func (p *partReader) next() ([]byte, error) {
	length, err := p.header()
	if err != nil {
		return nil, err
	}
	if length >= 0 {
		if length > maxPart {
			return nil, fmt.Errorf("%w: a picture of %d bytes", fault.ErrFrame, length)
		}
		p.buf = grown(p.buf, length)
		_, err := io.ReadFull(p.r, p.buf)
		return p.buf, err
	}
	return p.untilBoundary()
}

// header skips to the boundary's line and reads what follows. length is −1
// where it does not say.
func (p *partReader) header() (length int, err error) {
	length = -1
	inside := false
	for range maxPartLines {
		line, err := p.line()
		if err != nil {
			return 0, err
		}
		switch {
		case bytes.HasPrefix(line, []byte("--")) && bytes.Contains(line, p.boundary):
			inside, length = true, -1
		case !inside:
		case len(line) == 0:
			return length, nil
		default:
			name, value, ok := bytes.Cut(line, []byte(":"))
			if !ok || !strings.EqualFold(string(bytes.TrimSpace(name)), "Content-Length") {
				continue
			}
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil || length < 0 {
				return 0, fmt.Errorf("a picture with the length %.20q", value)
			}
		}
	}
	return 0, errNoParts
}

// line is the next line without its end.
func (p *partReader) line() ([]byte, error) {
	line, err := p.r.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull), err == nil && len(line) > maxPartLine:
		return nil, errNoParts
	case err != nil:
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

// untilBoundary reads a picture of unknown length. The boundary stays unread.
func (p *partReader) untilBoundary() ([]byte, error) {
	p.buf = p.buf[:0]
	end := append([]byte("--"), p.boundary...)
	for {
		// Wait for as much as the boundary takes; take what is buffered already.
		if _, err := p.r.Peek(len(end)); err != nil {
			return nil, err
		}
		ready, err := p.r.Peek(p.r.Buffered())
		if err != nil {
			return nil, err
		}
		if i := bytes.Index(ready, end); i >= 0 {
			p.buf = append(p.buf, ready[:i]...)
			if _, err := p.r.Discard(i); err != nil {
				return nil, err
			}
			return bytes.TrimRight(p.buf, "\r\n-"), nil
		}
		take := len(ready) - len(end) + 1
		if len(p.buf)+take > maxPart {
			return nil, fmt.Errorf("%w: a picture of more than %d bytes", fault.ErrFrame, maxPart)
		}
		p.buf = append(p.buf, ready[:take]...)
		if _, err := p.r.Discard(take); err != nil {
			return nil, err
		}
	}
}

// grown is a buffer of n bytes, b's where it is large enough.
func grown(b []byte, n int) []byte {
	if cap(b) >= n {
		return b[:n]
	}
	return make([]byte, n, n+n/4)
}
