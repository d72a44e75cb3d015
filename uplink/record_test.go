package uplink

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var exampleRecord = record{kind: recordHit, urgency: 3, hadPictures: true, seq: 7, number: 9, previous: 8, revision: 2, accepted: -5, body: []byte(`{"a":1}`)}

func TestRecord(t *testing.T) {
	b := exampleRecord.encode()
	got, err := decodeRecord(append(b, "more"...))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(exampleRecord, got, cmp.AllowUnexported(record{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for i := range b {
		for bit := range 8 {
			c := bytes.Clone(b)
			c[i] ^= 1 << bit
			if _, err := decodeRecord(c); err == nil {
				t.Fatalf("bit %d of byte %d can flip unnoticed", bit, i)
			}
		}
		if _, err := decodeRecord(b[:i]); err == nil {
			t.Fatalf("%d of %d bytes are accepted", i, len(b))
		}
	}
	if _, err := decodeAt(recordHit, recordKey(8), b); err == nil {
		t.Error("a record in the wrong place is accepted")
	}
	if _, err := decodeAt(recordPictures, recordKey(7), b); err == nil {
		t.Error("a record of another kind is accepted")
	}
}

func TestPictures(t *testing.T) {
	p := &Picture{ContentType: "image/jpeg", Width: 3, Height: 4, JPEG: []byte("jpeg")}
	for _, tc := range [][2]*Picture{{nil, nil}, {p, nil}, {nil, p}, {p, p}} {
		a, b, err := decodePictures(encodePictures(tc[0], tc[1]))
		if diff := cmp.Diff(tc, [2]*Picture{a, b}); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
}

func FuzzDecodeRecord(f *testing.F) {
	f.Add(exampleRecord.encode())
	f.Add([]byte(recordMagic))
	f.Add((&record{kind: recordPictures, body: encodePictures(nil, &Picture{JPEG: []byte("x")})}).encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeRecord(b)
		if err != nil {
			return
		}
		if again := r.encode(); !bytes.Equal(again[:6], b[:6]) || len(again) > len(b) {
			t.Errorf("decoded and encoded again differs")
		}
		_, _, _ = decodePictures(r.body)
	})
}

func FuzzNumberMark(f *testing.F) {
	f.Add([]byte(`{"unit":"u","ceiling":5,"given":3,"clean":true,"crc":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := parseNumberMark(b); err == nil && m.CRC != m.sum() {
			t.Error("a mark with a wrong checksum is believed")
		}
	})
}
