package importer

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

const (
	// maxLine bounds a record, in bytes: one line, or several that a quoted field
	// with line breaks joins.
	maxLine        = 64 << 10
	maxRecordLines = 64
)

var errLongLine = errors.New("the line is too long")

// lineReader reads an input line by line, and can return to the lines read since the
// last mark. As an [io.Reader] it never returns more than the rest of one line, so
// that a parser has always consumed whole lines when it returns. It skips empty lines
// before a record.
type lineReader struct {
	in   *bufio.Reader
	line int                      // number of the last line read from in or back
	back [][]byte                 // lines to read again before in; nil: one that is too long
	kept [][]byte                 // lines read since mark
	size int                      // of kept, in bytes
	buf  []byte                   // memory of kept
	rest []byte                   // unread part of the current line
	end  bool                     // report the end of the input: the record is too long
	edit func(line []byte) []byte // changes the first line of a record in place; nil: none
}

func newLineReader(in *bufio.Reader) *lineReader { return &lineReader{in: in} }

// mark starts a new record at the next line.
func (r *lineReader) mark() {
	r.kept, r.size, r.buf, r.rest, r.end = r.kept[:0], 0, r.buf[:0], nil, false
}

// rewind returns to the second line since mark.
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

// unread makes line the next one to read.
func (r *lineReader) unread(line []byte) {
	r.back = append([][]byte{bytes.Clone(line)}, r.back...)
	r.line--
}

// readLine returns the next line with its line end, valid until the next mark. It
// skips a line longer than maxLine and returns errLongLine.
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
		if r.edit != nil && len(r.kept) == 0 {
			line = r.edit(line)
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
