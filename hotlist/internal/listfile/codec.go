package listfile

import (
	"bytes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"platewatch/hotlist/entry"
)

// A record in the buckets entries and wildcards:
//
//	key    HMAC of the folded plate (8 bytes), beginning of the HMAC of the entry's identity (4)
//	value  CRC-32C over key and what follows (4 bytes, little endian), AES-256-GCM of the payload with the key as nonce
//
// The payload starts with the number of its schema; the fields follow in a fixed
// order, strings with their length, numbers as varints. Zeros pad it to a multiple
// of 16 bytes, so that lengths reveal little.

const (
	recordSchema  = 2
	crcSize       = 4
	keyLength     = 12 // AES-GCM's nonce
	payloadHeader = 4  // schema, flags, priority, policy
	payloadBlock  = 16

	// MaxSharing bounds the entries of a list with the same folded plate. A plate
	// listed more often is a word like DEALER, and each lookup of it would return
	// all of them.
	MaxSharing = 512

	// maxPayload bounds what is decoded; the limits of each field stay well below.
	maxPayload = 16 << 10
)

const (
	flagCovert = 1 << iota
	flagEffective
	flagExpires
	allFlags = flagExpires<<1 - 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errRecord = errors.New("a record cannot be decoded")

func recordCRC(key, sealed []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, sealed)
}

// sealRecord returns the value to store under key, in a new buffer.
func sealRecord(to cipher.AEAD, key, payload []byte) []byte {
	padded := (len(payload) + payloadBlock - 1) / payloadBlock * payloadBlock
	value := make([]byte, crcSize, crcSize+padded+to.Overhead())
	plain := make([]byte, padded)
	copy(plain, payload)
	value = to.Seal(value, key, plain, nil)
	binary.LittleEndian.PutUint32(value, recordCRC(key, value[crcSize:]))
	return value
}

// checkRecord verifies the CRC of a value. That needs no key.
func checkRecord(key, value []byte) error {
	if len(value) < crcSize || len(value) > maxPayload {
		return fmt.Errorf("%w: a record has %d bytes", entry.ErrDamaged, len(value))
	}
	if recordCRC(key, value[crcSize:]) != binary.LittleEndian.Uint32(value) {
		return fmt.Errorf("%w: a record's checksum is wrong", entry.ErrDamaged)
	}
	return nil
}

// openRecord appends the payload of a value to dst after verifying it.
func openRecord(dst []byte, from cipher.AEAD, key, value []byte) ([]byte, error) {
	if len(key) != keyLength {
		return nil, fmt.Errorf("%w: a record's key has %d bytes", entry.ErrDamaged, len(key))
	}
	if err := checkRecord(key, value); err != nil {
		return nil, err
	}
	payload, err := from.Open(dst, key, value[crcSize:], nil)
	if err != nil {
		return nil, fmt.Errorf("%w: a record cannot be decrypted", entry.ErrDamaged)
	}
	return payload, nil
}

// policyCode is the stored number of a policy: its index in [entry.Policies].
func policyCode(p entry.Policy) byte {
	for i, q := range entry.Policies {
		if p == q {
			return byte(i)
		}
	}
	return 0
}

// isWildcard reports whether a payload is that of a pattern.
func isWildcard(payload []byte) bool {
	return len(payload) > 3 && int(payload[3]) < len(entry.Policies) && entry.Policies[payload[3]] == entry.PolicyWildcard
}

// AppendPayload appends the encoding of an entry to b.
func AppendPayload(b []byte, e *entry.Entry) []byte {
	var flags byte
	if e.Covert {
		flags |= flagCovert
	}
	if !e.Effective.IsZero() {
		flags |= flagEffective
	}
	if !e.Expires.IsZero() {
		flags |= flagExpires
	}
	b = append(b, recordSchema, flags, byte(e.Priority), policyCode(e.Policy))
	if flags&flagEffective != 0 {
		b = binary.AppendVarint(b, e.Effective.Unix())
	}
	if flags&flagExpires != 0 {
		b = binary.AppendVarint(b, e.Expires.Unix())
	}
	b = binary.AppendUvarint(b, uint64(e.Vehicle.Year))
	texts := e.Texts()
	return appendTexts(b, texts[:])
}

// firstTexts is the number of texts that every record has. Texts of later
// versions come after them and are left out at the end while they are empty: a
// new field changes neither the records nor the digests of lists without it.
const firstTexts = 12

func appendTexts(b []byte, texts []*string) []byte {
	n := len(texts)
	for n > firstTexts && *texts[n-1] == "" {
		n--
	}
	for _, s := range texts[:n] {
		b = binary.AppendUvarint(b, uint64(len(*s)))
		b = append(b, *s...)
	}
	return b
}

// payloadReader reads values from the front of a payload.
type payloadReader struct {
	b   []byte
	bad bool
}

func (r *payloadReader) varint() int64 {
	v, n := binary.Varint(r.b)
	r.skip(n)
	return v
}

func (r *payloadReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	r.skip(n)
	return v
}

func (r *payloadReader) skip(n int) {
	if n <= 0 {
		r.bad, r.b = true, nil
		return
	}
	r.b = r.b[n:]
}

func (r *payloadReader) text() string {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.bad = true
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

// texts reads what appendTexts wrote.
func (r *payloadReader) texts(to []*string) {
	for i, s := range to {
		if i >= firstTexts && len(r.b) == 0 {
			return // left out, and no padding behind it
		}
		*s = r.text()
	}
}

func decodePayload(b []byte) (entry.Entry, error) {
	var e entry.Entry
	if len(b) < payloadHeader || len(b) > maxPayload || b[0] != recordSchema || b[1] > allFlags || int(b[3]) >= len(entry.Policies) {
		return e, errRecord
	}
	flags := b[1]
	e.Covert = flags&flagCovert != 0
	e.Priority = int(b[2])
	e.Policy = entry.Policies[b[3]]
	r := payloadReader{b: b[payloadHeader:]}
	if flags&flagEffective != 0 {
		e.Effective = time.Unix(r.varint(), 0).UTC()
	}
	if flags&flagExpires != 0 {
		e.Expires = time.Unix(r.varint(), 0).UTC()
	}
	year := r.uvarint()
	if year > 9999 {
		return entry.Entry{}, errRecord
	}
	e.Vehicle.Year = int(year)
	texts := e.Texts()
	r.texts(texts[:])
	if r.bad || len(r.b) >= payloadBlock || len(bytes.Trim(r.b, "\x00")) > 0 {
		return entry.Entry{}, errRecord
	}
	return e, nil
}

// trimPayload cuts the padding off. Encoding the entry again gives the same bytes,
// and so their number.
func trimPayload(b []byte, e *entry.Entry) []byte {
	var buf [512]byte
	return b[:min(len(b), len(AppendPayload(buf[:0], e)))]
}

// PayloadPlate returns the plate of a payload without decoding the rest.
func PayloadPlate(b []byte) ([]byte, error) {
	if len(b) < payloadHeader {
		return nil, errRecord
	}
	r := payloadReader{b: b[payloadHeader:]}
	if b[1]&flagEffective != 0 {
		r.varint()
	}
	if b[1]&flagExpires != 0 {
		r.varint()
	}
	r.uvarint()
	n := r.uvarint()
	if r.bad || n > uint64(len(r.b)) || n > entry.MaxPlate {
		return nil, errRecord
	}
	return r.b[:n], nil
}

// AppendIdentity appends an entry's identity: two entries with the same one are
// duplicates. No identity equals a folded plate.
func AppendIdentity(k []byte, e *entry.Entry) []byte {
	for _, s := range [...]string{e.Plate, e.State, e.PlateType, e.Category, e.Record} {
		k = append(append(k, s...), 0)
	}
	if g := entry.Grouping(e.Written); g != "" && g != e.Plate { // lists without groups keep their records
		k = append(append(k, g...), 0)
	}
	return k
}
