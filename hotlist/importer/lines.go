package importer

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

const (
	// maxLine bounds a record: a line, or the lines that a quoted field with
	// line breaks in it makes one.
	maxLine        = 64 << 10
	maxRecordLines = 64
)

var errLongLine = errors.New("the line is too long")

// lineReader hands out an input line by line and can go back to the lines it
// handed out since the last mark. It is an [io.Reader] that never returns more
// than the rest of one line, so that a parser on top of it has consumed whole
// lines whenever it returns. Empty lines before a record are left out.
type lineReader struct {
	in   *bufio.Reader
	line int      // number of the last line taken from in or from back
	back [][]byte // lines to be handed out again, before those of in; nil stands for one that is too long
	kept [][]byte // lines handed out since mark
	size int      // of the kept ones
	buf  []byte   // the memory of the kept ones
	rest []byte   // of the current line, not yet read
	end  bool     // pretend that the input ends: the record got too long
}

func newLineReader(in *bufio.Reader) *lineReader { return &lineReader{in: in} }

// mark starts a new record at the next line.
func (r *lineReader) mark() {
	r.kept, r.size, r.buf, r.rest, r.end = r.kept[:0], 0, r.buf[:0], nil, false
}

// rewind makes all but the first line since mark to be handed out again.
func (r *lineReader) rewind() {
	if len(r.kept) < 2 {
		return
	}
	again := make([][]byte, 0, len(r.kept)-1+len(r.back))
	for _, line := range r.kept[1:] {
		again = append(again, bytes.Clone(line))
	}
	r.line -= len(again)
	r.back = append(again, r.back...)
}

// unread hands out a line again, before all others.
func (r *lineReader) unread(line []byte) {
	r.back = append([][]byte{bytes.Clone(line)}, r.back...)
	r.line--
}

// readLine returns the next line with its end, valid until the next mark. A
// line longer than maxLine is skipped and answered with errLongLine.
func (r *lineReader) readLine() ([]byte, error) {
	if len(r.back) > 0 {
		line := r.back[0]
		r.back = r.back[1:]
		r.line++
		if line == nil {
			return nil, errLongLine
		}
		return line, nil
	}
	line, err := r.in.ReadSlice('\n')
	long := errors.Is(err, bufio.ErrBufferFull)
	for errors.Is(err, bufio.ErrBufferFull) {
		line, err = r.in.ReadSlice('\n')
	}
	if err != nil && err != io.EOF || len(line) == 0 && !long {
		return nil, err
	}
	r.line++
	if long {
		return nil, errLongLine
	}
	start := len(r.buf)
	r.buf = append(r.buf, line...)
	return r.buf[start:len(r.buf):len(r.buf)], nil
}

// Read implements [io.Reader].
func (r *lineReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if r.end || len(r.kept) == maxRecordLines {
			return 0, io.EOF
		}
		line, err := r.readLine()
		switch {
		case errors.Is(err, errLongLine) && len(r.kept) > 0:
			r.kept = append(r.kept, nil)
			r.end = true
			return 0, io.EOF
		case err != nil:
			return 0, err
		}
		if len(r.kept) == 0 && len(bytes.TrimSpace(line)) == 0 {
			r.buf = r.buf[:0]
			continue
		}
		r.size += len(line)
		r.kept = append(r.kept, line)
		r.end = r.size > maxLine
		r.rest = line
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
