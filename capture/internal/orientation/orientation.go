// Package orientation reads how a video is to be turned for display. Telephones film
// in portrait with a sensor that lies across, and note it in the file (ISO/IEC
// 14496-12, the matrix of the track header); some releases of OpenCV turn such
// videos the wrong way.
package orientation

import (
	"encoding/binary"
	"io"
	"os"
)

const (
	// maxBoxes bounds the boxes that are looked at.
	maxBoxes = 4096
	one      = 1 << 16 // in the matrix's fixed-point numbers
)

// Of is by how many degrees clockwise the video of an MP4 or QuickTime file is to be
// turned: 0, 90, 180 or 270. It is not known for other files, and for those that are
// mirrored or turned by other angles.
func Of(path string) (degrees int, known bool) {
	f, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, false
	}
	r := &reader{r: f}
	r.walk(0, info.Size(), nil)
	return r.degrees, r.known
}

type reader struct {
	r       io.ReaderAt
	boxes   int
	degrees int
	known   bool // of a video track

	// Of the track that is being read.
	turn    int
	isTurn  bool
	isVideo bool
}

// walk looks at the boxes between two places, which lie in the boxes of path.
func (r *reader) walk(at, end int64, path []string) {
	for at+8 <= end && !r.known {
		if r.boxes++; r.boxes > maxBoxes {
			return
		}
		var head [16]byte
		if n, _ := r.r.ReadAt(head[:], at); n < 8 {
			return
		}
		size, body := int64(binary.BigEndian.Uint32(head[:])), at+8
		switch size {
		case 0:
			size = end - at
		case 1:
			size, body = int64(binary.BigEndian.Uint64(head[8:])), at+16
		}
		if size < body-at || size > end-at {
			return
		}
		r.box(string(head[4:8]), body, at+size, path)
		at += size
	}
}

func (r *reader) box(kind string, at, end int64, path []string) {
	depth := len(path)
	inside := func(parents ...string) bool {
		if depth != len(parents) {
			return false
		}
		for i, p := range parents {
			if path[i] != p {
				return false
			}
		}
		return true
	}
	switch {
	case kind == "moov" && inside(), kind == "mdia" && inside("moov", "trak"):
		r.walk(at, end, append(path, kind))
	case kind == "trak" && inside("moov"):
		r.turn, r.isTurn, r.isVideo = 0, false, false
		r.walk(at, end, append(path, kind))
		if r.isVideo {
			r.degrees, r.known = r.turn, r.isTurn
		}
	case kind == "tkhd" && inside("moov", "trak"):
		r.header(at, end)
	case kind == "hdlr" && inside("moov", "trak", "mdia"):
		var b [12]byte // version and flags, pre_defined, handler_type
		if n, _ := r.r.ReadAt(b[:], at); n == len(b) {
			r.isVideo = string(b[8:]) == "vide"
		}
	}
}

// header reads a track's matrix.
func (r *reader) header(at, end int64) {
	var version [1]byte
	if n, _ := r.r.ReadAt(version[:], at); n == 0 {
		return
	}
	at += 4 + 20 + 16 // version and flags; times, number and duration; layer, volume and the like
	if version[0] == 1 {
		at += 12
	}
	var b [20]byte // the first five of the matrix's nine numbers: a b u c d
	if at+36 > end {
		return
	}
	if n, _ := r.r.ReadAt(b[:], at); n < len(b) {
		return
	}
	number := func(i int) int { return int(int32(binary.BigEndian.Uint32(b[4*i:]))) }
	m := [4]int{number(0), number(1), number(3), number(4)}
	r.turn, r.isTurn = map[[4]int]int{
		{0, one, -one, 0}: 90, {-one, 0, 0, -one}: 180, {0, -one, one, 0}: 270,
	}[m], true
	if r.turn == 0 && m != [4]int{one, 0, 0, one} {
		r.isTurn = false
	}
}
