package journal

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"platewatch/uplink/message"
)

var exampleRecord = Record{Kind: KindHit, Urgency: 3, HadPictures: true, Seq: 7, Number: 9, Previous: 8, Revision: 2, Accepted: -5, Body: []byte(`{"a":1}`)}

func TestRecord(t *testing.T) {
	b := exampleRecord.Encode()
	got, err := DecodeRecord(append(b, "more"...))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(exampleRecord, got, cmp.AllowUnexported(Record{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for i := range b {
		for bit := range 8 {
			c := bytes.Clone(b)
			c[i] ^= 1 << bit
			if _, err := DecodeRecord(c); err == nil {
				t.Fatalf("bit %d of byte %d can flip unnoticed", bit, i)
			}
		}
		if _, err := DecodeRecord(b[:i]); err == nil {
			t.Fatalf("%d of %d bytes are accepted", i, len(b))
		}
	}
	if _, err := DecodeAt(KindHit, Key(8), b); err == nil {
		t.Error("a record in the wrong place is accepted")
	}
	if _, err := DecodeAt(KindPictures, Key(7), b); err == nil {
		t.Error("a record of another kind is accepted")
	}
}

func TestPictures(t *testing.T) {
	p := &message.Picture{ContentType: "image/jpeg", Width: 3, Height: 4, JPEG: []byte("jpeg")}
	for _, tc := range [][2]*message.Picture{{nil, nil}, {p, nil}, {nil, p}, {p, p}} {
		a, b, err := DecodePictures(EncodePictures(tc[0], tc[1]))
		if diff := cmp.Diff(tc, [2]*message.Picture{a, b}); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
}

func FuzzDecodeRecord(f *testing.F) {
	f.Add(exampleRecord.Encode())
	f.Add([]byte(recordMagic))
	f.Add((&Record{Kind: KindPictures, Body: EncodePictures(nil, &message.Picture{JPEG: []byte("x")})}).Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := DecodeRecord(b)
		if err != nil {
			return
		}
		if again := r.Encode(); !bytes.Equal(again[:6], b[:6]) || len(again) > len(b) {
			t.Errorf("decoded and encoded again differs")
		}
		_, _, _ = DecodePictures(r.Body)
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
