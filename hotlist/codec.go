package hotlist

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

// A record in the entries bucket:
//
//	key    folded plate, 0x00, ordinal among the entries with that fold (2 bytes, big endian)
//	value  CRC-32C over key and payload (4 bytes, little endian), payload
//
// The payload starts with its schema's number; fields follow in a fixed order,
// strings and years with a length or as a varint. The zero byte ends the plate
// so that no plate's keys lie among those of a longer one.

const (
	recordSchema = 1
	crcSize      = 4
	ordinalSize  = 3 // the zero byte and the number

	// maxSharing bounds the entries of one list that share a fold. A plate
	// listed more often than this is a word like DEALER, and each lookup of it
	// would return them all.
	maxSharing = 256

	// maxPayload bounds what a decoder accepts; the importer's limits on each
	// field stay well below it.
	maxPayload = 16 << 10
)

const (
	flagCovert = 1 << iota
	flagExact
	flagEffective
	flagExpires
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errRecord = errors.New("a record cannot be decoded")

// appendKey appends the key of the n-th entry with a folded plate.
func appendKey(dst, folded []byte, n int) []byte {
	dst = append(dst, folded...)
	return append(dst, 0, byte(n>>8), byte(n))
}

func recordCRC(key, payload []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, payload)
}

// appendRecord appends the value to be stored under key.
func appendRecord(dst, key, payload []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, recordCRC(key, payload))
	return append(dst, payload...)
}

// openRecord returns the payload of a value after verifying its CRC.
func openRecord(key, value []byte) ([]byte, error) {
	if len(value) < crcSize || len(value) > maxPayload+crcSize {
		return nil, fmt.Errorf("%w: a record has %d bytes", ErrDamaged, len(value))
	}
	payload := value[crcSize:]
	if recordCRC(key, payload) != binary.LittleEndian.Uint32(value) {
		return nil, fmt.Errorf("%w: a record's checksum is wrong", ErrDamaged)
	}
	return payload, nil
}

func appendPayload(b []byte, e *Entry) []byte {
	var flags byte
	if e.Covert {
		flags |= flagCovert
	}
	if e.Policy == PolicyExact {
		flags |= flagExact
	}
	if !e.Effective.IsZero() {
		flags |= flagEffective
	}
	if !e.Expires.IsZero() {
		flags |= flagExpires
	}
	b = append(b, recordSchema, flags, byte(e.Priority))
	if flags&flagEffective != 0 {
		b = binary.AppendVarint(b, e.Effective.Unix())
	}
	if flags&flagExpires != 0 {
		b = binary.AppendVarint(b, e.Expires.Unix())
	}
	b = binary.AppendUvarint(b, uint64(e.Vehicle.Year))
	for _, s := range e.strings() {
		b = binary.AppendUvarint(b, uint64(len(*s)))
		b = append(b, *s...)
	}
	return b
}

// strings lists the text fields in the order in which they are stored.
func (e *Entry) strings() [12]*string {
	return [...]*string{&e.Plate, &e.State, &e.PlateType, &e.Category, &e.Handling, &e.Record, &e.Agency, &e.Note,
		&e.Vehicle.Make, &e.Vehicle.Model, &e.Vehicle.Style, &e.Vehicle.Colour}
}

func decodePayload(b []byte) (Entry, error) {
	var e Entry
	if len(b) < 3 || len(b) > maxPayload || b[0] != recordSchema {
		return e, errRecord
	}
	flags := b[1]
	if flags >= flagExpires<<1 {
		return e, errRecord
	}
	e.Covert = flags&flagCovert != 0
	if flags&flagExact != 0 {
		e.Policy = PolicyExact
	}
	e.Priority = int(b[2])
	b = b[3:]
	ok := true
	varint := func() int64 {
		v, n := binary.Varint(b)
		if n <= 0 {
			ok = false
			return 0
		}
		b = b[n:]
		return v
	}
	uvarint := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			ok = false
			return 0
		}
		b = b[n:]
		return v
	}
	if flags&flagEffective != 0 {
		e.Effective = time.Unix(varint(), 0).UTC()
	}
	if flags&flagExpires != 0 {
		e.Expires = time.Unix(varint(), 0).UTC()
	}
	year := uvarint()
	if year > 9999 {
		return Entry{}, errRecord
	}
	e.Vehicle.Year = int(year)
	for _, s := range e.strings() {
		n := uvarint()
		if !ok || n > uint64(len(b)) {
			return Entry{}, errRecord
		}
		*s = string(b[:n])
		b = b[n:]
	}
	if !ok || len(b) != 0 {
		return Entry{}, errRecord
	}
	return e, nil
}
