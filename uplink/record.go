package uplink

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// A record is one value in the outbox file. bbolt's pages carry no checksums,
// so each record does, and it names its own kind, place and revision: the
// records can be told apart and trusted even when found by scanning a file
// whose tree is gone (see salvage.go).
//
// Layout, big endian:
//
//	0  magic "pwO1"
//	4  kind, 1 byte
//	5  urgency, 1 byte (1 is the most urgent)
//	6  flags, 1 byte: bit 0 if the hit was stored with pictures; bit 1 if the
//	   clock was set from a time source when it was accepted
//	7  sequence, 8 bytes
//	15 number, 8 bytes
//	23 previous number, 8 bytes
//	31 revision, 4 bytes
//	35 accepted, milliseconds since 1970 by the unit's clock, 8 bytes
//	43 length of the body, 4 bytes
//	47 body
//	   CRC-32C of all of the above, 4 bytes
type record struct {
	kind    recordKind
	urgency uint8

	hadPictures bool
	clockSet    bool

	seq      uint64
	number   uint64
	previous uint64
	revision uint32
	accepted int64
	body     []byte // JSON; for pictures, see encodePictures
}

type recordKind byte

const (
	recordHit       recordKind = 'H'
	recordPictures  recordKind = 'P' // of the hit with the same sequence, number and revision
	recordDelivered recordKind = 'D' // the revision of a number that was delivered last
	recordMeta      recordKind = 'M' // the highest sequence and number given out
)

const (
	recordMagic  = "pwO1"
	recordHeader = 47
	recordTail   = 4
	// maxBody bounds what decodeRecord believes of a length.
	maxBody = 8 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (r *record) size() int { return recordHeader + len(r.body) + recordTail }

func (r *record) encode() []byte {
	b := make([]byte, 0, r.size())
	b = append(b, recordMagic...)
	var flags byte
	if r.hadPictures {
		flags |= 1
	}
	if r.clockSet {
		flags |= 2
	}
	b = append(b, byte(r.kind), r.urgency, flags)
	b = binary.BigEndian.AppendUint64(b, r.seq)
	b = binary.BigEndian.AppendUint64(b, r.number)
	b = binary.BigEndian.AppendUint64(b, r.previous)
	b = binary.BigEndian.AppendUint32(b, r.revision)
	b = binary.BigEndian.AppendUint64(b, uint64(r.accepted))
	b = binary.BigEndian.AppendUint32(b, uint32(len(r.body)))
	b = append(b, r.body...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

var errRecord = errors.New("not an intact record")

// decodeRecord reads the record at the start of b. The body aliases b.
func decodeRecord(b []byte) (record, error) {
	if len(b) < recordHeader+recordTail || string(b[:4]) != recordMagic {
		return record{}, errRecord
	}
	n := binary.BigEndian.Uint32(b[43:])
	if n > maxBody || len(b) < recordHeader+int(n)+recordTail {
		return record{}, errRecord
	}
	end := recordHeader + int(n)
	if crc32.Checksum(b[:end], castagnoli) != binary.BigEndian.Uint32(b[end:]) {
		return record{}, errRecord
	}
	r := record{
		kind:     recordKind(b[4]),
		urgency:  b[5],
		seq:      binary.BigEndian.Uint64(b[7:]),
		number:   binary.BigEndian.Uint64(b[15:]),
		previous: binary.BigEndian.Uint64(b[23:]),
		revision: binary.BigEndian.Uint32(b[31:]),
		accepted: int64(binary.BigEndian.Uint64(b[35:])),

		hadPictures: b[6]&1 != 0,
		clockSet:    b[6]&2 != 0,

		body: b[recordHeader:end],
	}
	switch r.kind {
	case recordHit, recordPictures, recordDelivered, recordMeta:
		return r, nil
	}
	return record{}, errRecord
}

// decodeAt decodes the value of a bucket's key and checks that it belongs
// there: a page put in the wrong place has a good CRC and a wrong key.
func decodeAt(kind recordKind, key, value []byte) (record, error) {
	r, err := decodeRecord(value)
	switch {
	case err != nil:
		return r, fmt.Errorf("%w: the record at key %x fails its checksum", errDamaged, key)
	case r.size() != len(value) || r.kind != kind:
		return r, fmt.Errorf("%w: the record at key %x is of another kind or length", errDamaged, key)
	}
	want := r.seq
	if kind == recordDelivered {
		want = r.number
	}
	if kind != recordMeta && (len(key) != 8 || binary.BigEndian.Uint64(key) != want) {
		return r, fmt.Errorf("%w: the record at key %x says it is %d", errDamaged, key, want)
	}
	return r, nil
}

func recordKey(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// encodePictures packs a hit's pictures into a body: for each of the two, its
// width, height and length as 4-byte numbers and then the JPEG. They are kept
// apart from the hit so that a bound can take them and leave the hit.
func encodePictures(plate, context *Picture) []byte {
	var b []byte
	for _, p := range []*Picture{plate, context} {
		if p == nil {
			p = &Picture{}
		}
		b = binary.BigEndian.AppendUint32(b, uint32(p.Width))
		b = binary.BigEndian.AppendUint32(b, uint32(p.Height))
		b = binary.BigEndian.AppendUint32(b, uint32(len(p.JPEG)))
		b = append(b, p.JPEG...)
	}
	return b
}

// decodePictures undoes encodePictures. The pictures do not alias b.
func decodePictures(b []byte) (plate, context *Picture, err error) {
	for _, p := range []**Picture{&plate, &context} {
		if len(b) < 12 {
			return nil, nil, errRecord
		}
		w, h, n := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
		b = b[12:]
		if uint64(n) > uint64(len(b)) {
			return nil, nil, errRecord
		}
		if n > 0 {
			*p = &Picture{ContentType: "image/jpeg", Width: int(w), Height: int(h), JPEG: append([]byte(nil), b[:n]...)}
		}
		b = b[n:]
	}
	if len(b) != 0 {
		return nil, nil, errRecord
	}
	return plate, context, nil
}
