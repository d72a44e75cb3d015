// Package journal is the outbox's file: a bbolt database whose values are
// records with a checksum each, the side file with the number, the changes that
// the database does not have yet, and what can be salvaged from a damaged one.
package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"platewatch/uplink/message"
)

// Record is one value in the outbox file. bbolt's pages carry no checksums, so each
// record does, and it names its own kind, place and revision: records can be told
// apart and trusted even when they are found by scanning a file whose tree is lost
// (see [ScanRecords]).
//
// Layout, big endian:
//
//	0  magic "pwO1"
//	4  kind, 1 byte
//	5  urgency, 1 byte (1 is the most urgent)
//	6  flags, 1 byte: bit 0 if the hit was stored with pictures; bit 1 if the
//	   clock was set from a time source when it was accepted; bit 2 if the body
//	   is sealed
//	7  sequence, 8 bytes
//	15 number, 8 bytes
//	23 previous number, 8 bytes
//	31 revision, 4 bytes
//	35 accepted, milliseconds since 1970 by the unit's clock, 8 bytes
//	43 length of the body, 4 bytes
//	47 body
//	   CRC-32C of all of the above, 4 bytes
type Record struct {
	Kind    Kind
	Urgency uint8

	HadPictures bool
	ClockSet    bool
	Sealed      bool // see [Sealer]

	Seq      uint64
	Number   uint64
	Previous uint64
	Revision uint32
	Accepted int64
	Body     []byte // JSON; for pictures, see [EncodePictures]
}

// Kind is the kind of a record.
type Kind byte

// The kinds of records.
const (
	KindHit       Kind = 'H'
	KindPictures  Kind = 'P' // of the hit with the same sequence, number and revision
	KindDelivered Kind = 'D' // the latest delivered revision of a number
	KindMeta      Kind = 'M' // the highest sequence and number in use
)

const (
	recordMagic  = "pwO1"
	recordHeader = 47
	recordTail   = 4
	// MaxBody bounds the length of a body, in bytes.
	MaxBody = 8 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Size is the length of the encoded record, in bytes.
func (r *Record) Size() int { return recordHeader + len(r.Body) + recordTail }

// Encode writes the layout above.
func (r *Record) Encode() []byte {
	b := make([]byte, 0, r.Size())
	b = append(b, recordMagic...)
	var flags byte
	if r.HadPictures {
		flags |= 1
	}
	if r.ClockSet {
		flags |= 2
	}
	if r.Sealed {
		flags |= 4
	}
	b = append(b, byte(r.Kind), r.Urgency, flags)
	b = binary.BigEndian.AppendUint64(b, r.Seq)
	b = binary.BigEndian.AppendUint64(b, r.Number)
	b = binary.BigEndian.AppendUint64(b, r.Previous)
	b = binary.BigEndian.AppendUint32(b, r.Revision)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Accepted))
	b = binary.BigEndian.AppendUint32(b, uint32(len(r.Body)))
	b = append(b, r.Body...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

var errRecord = errors.New("not an intact record")

// DecodeRecord reads the record at the start of b. The body aliases b.
func DecodeRecord(b []byte) (Record, error) {
	if len(b) < recordHeader+recordTail || string(b[:4]) != recordMagic {
		return Record{}, errRecord
	}
	n := binary.BigEndian.Uint32(b[43:])
	if n > MaxBody || len(b) < recordHeader+int(n)+recordTail {
		return Record{}, errRecord
	}
	end := recordHeader + int(n)
	if crc32.Checksum(b[:end], castagnoli) != binary.BigEndian.Uint32(b[end:]) {
		return Record{}, errRecord
	}
	r := Record{
		Kind:     Kind(b[4]),
		Urgency:  b[5],
		Seq:      binary.BigEndian.Uint64(b[7:]),
		Number:   binary.BigEndian.Uint64(b[15:]),
		Previous: binary.BigEndian.Uint64(b[23:]),
		Revision: binary.BigEndian.Uint32(b[31:]),
		Accepted: int64(binary.BigEndian.Uint64(b[35:])),

		HadPictures: b[6]&1 != 0,
		ClockSet:    b[6]&2 != 0,
		Sealed:      b[6]&4 != 0,

		Body: b[recordHeader:end],
	}
	switch r.Kind {
	case KindHit, KindPictures, KindDelivered, KindMeta:
		return r, nil
	}
	return Record{}, errRecord
}

// DecodeAt decodes the value of a bucket's key and checks that it belongs
// there: a page in the wrong place has a correct checksum and a wrong key.
func DecodeAt(kind Kind, key, value []byte) (Record, error) {
	r, err := DecodeRecord(value)
	switch {
	case err != nil:
		return r, fmt.Errorf("%w: the record at key %x fails its checksum", ErrDamaged, key)
	case r.Size() != len(value) || r.Kind != kind:
		return r, fmt.Errorf("%w: the record at key %x is of another kind or length", ErrDamaged, key)
	}
	want := r.Seq
	if kind == KindDelivered {
		want = r.Number
	}
	if kind != KindMeta && (len(key) != 8 || binary.BigEndian.Uint64(key) != want) {
		return r, fmt.Errorf("%w: the record at key %x says it is %d", ErrDamaged, key, want)
	}
	return r, nil
}

// Key is the key of a sequence or a number.
func Key(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// EncodePictures packs a hit's pictures into a body: for each of the two, its
// width, height and length as 4-byte numbers and then the JPEG. They are kept
// apart from the hit, so that they can be evicted without it.
func EncodePictures(plate, context *message.Picture) []byte {
	var b []byte
	for _, p := range []*message.Picture{plate, context} {
		if p == nil {
			p = &message.Picture{}
		}
		b = binary.BigEndian.AppendUint32(b, uint32(p.Width))
		b = binary.BigEndian.AppendUint32(b, uint32(p.Height))
		b = binary.BigEndian.AppendUint32(b, uint32(len(p.JPEG)))
		b = append(b, p.JPEG...)
	}
	return b
}

// DecodePictures reverses [EncodePictures]. The pictures do not alias b.
func DecodePictures(b []byte) (plate, context *message.Picture, err error) {
	for _, p := range []**message.Picture{&plate, &context} {
		if len(b) < 12 {
			return nil, nil, errRecord
		}
		w, h, n := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
		b = b[12:]
		if uint64(n) > uint64(len(b)) {
			return nil, nil, errRecord
		}
		if n > 0 {
			*p = &message.Picture{ContentType: "image/jpeg", Width: int(w), Height: int(h), JPEG: append([]byte(nil), b[:n]...)}
		}
		b = b[n:]
	}
	if len(b) != 0 {
		return nil, nil, errRecord
	}
	return plate, context, nil
}
