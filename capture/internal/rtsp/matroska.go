package rtsp

import (
	"encoding/binary"
	"time"
)

// The video goes to the decoder as Matroska (RFC 9559): the smallest container that
// keeps the bytes of a picture together, has its time beside it, and holds both H.264
// and H.265 for FFmpeg. Each picture is a cluster of its own, so that the demuxer
// hands it on as it comes, without waiting for the next. The units are in Annex B:
// without CodecPrivate FFmpeg expects them so.

// Elements of Matroska that are written, by their identifiers.
const (
	idEBML           = 0x1a45dfa3
	idDocType        = 0x4282
	idDocTypeVersion = 0x4287
	idDocTypeRead    = 0x4285
	idSegment        = 0x18538067
	idInfo           = 0x1549a966
	idTimestampScale = 0x2ad7b1
	idTracks         = 0x1654ae6b
	idTrackEntry     = 0xae
	idTrackNumber    = 0xd7
	idTrackUID       = 0x73c5
	idTrackType      = 0x83
	idCodecID        = 0x86
	idVideo          = 0xe0
	idPixelWidth     = 0xb0
	idPixelHeight    = 0xba
	idCluster        = 0x1f43b675
	idTimestamp      = 0xe7
	idSimpleBlock    = 0xa3
)

const (
	clockRate = 90_000 // of RTP for all these formats, ticks a second
	// scale is the unit of the container's times.
	scale = 100 * time.Microsecond
	// offset keeps positions above zero, which OpenCV takes for none.
	offset = 10 * time.Second
)

// element is an element with its content.
func element(id uint32, content []byte) []byte {
	return append(opening(id, int64(len(content))), content...)
}

// opening is an identifier and a size of eight bytes.
func opening(id uint32, size int64) []byte {
	b := binary.BigEndian.AppendUint32(nil, id)
	for b[0] == 0 {
		b = b[1:]
	}
	return binary.BigEndian.AppendUint64(b, 1<<56|uint64(size))
}

func number(id uint32, v uint64) []byte { return element(id, binary.BigEndian.AppendUint64(nil, v)) }

func join(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// matroskaHeader begins a video of one track, without an end.
func matroskaHeader(codec string, width, height int) []byte {
	const unknownSize = 1<<56 - 1
	const videoTrack = 1
	return join(
		element(idEBML, join(element(idDocType, []byte("matroska")), number(idDocTypeVersion, 4), number(idDocTypeRead, 2))),
		opening(idSegment, unknownSize),
		element(idInfo, number(idTimestampScale, uint64(scale))),
		element(idTracks, element(idTrackEntry, join(
			number(idTrackNumber, 1), number(idTrackUID, 1), number(idTrackType, videoTrack), element(idCodecID, []byte(codec)),
			element(idVideo, join(number(idPixelWidth, uint64(width)), number(idPixelHeight, uint64(height)))),
		))),
	)
}

// appendCluster appends an access unit at its time, in ticks of RTP.
func appendCluster(b []byte, au [][]byte, ticks int64) []byte {
	// Track 1, at the cluster's own time, a key frame: FFmpeg's parser knows better.
	block := []byte{0x81, 0, 0, 0x80}
	n := len(block)
	for _, unit := range au {
		n += 4 + len(unit)
	}
	at := time.Duration(ticks)*time.Second/clockRate + offset
	timestamp := number(idTimestamp, uint64(max(at, 0)/scale))
	begin := opening(idSimpleBlock, int64(n))
	b = append(b, opening(idCluster, int64(len(timestamp)+len(begin)+n))...)
	b = append(b, timestamp...)
	b = append(b, begin...)
	b = append(b, block...)
	for _, unit := range au {
		b = append(b, 0, 0, 0, 1)
		b = append(b, unit...)
	}
	return b
}
