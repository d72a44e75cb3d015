package uplink

import (
	"testing"
)

// BenchmarkAccept is one hit with pictures onto the disk.
func BenchmarkAccept(b *testing.B) {
	o, err := OpenOutbox(b.TempDir()+"/outbox.db", "unit-7", OutboxOptions{}, discard)
	if err != nil {
		b.Fatal(err)
	}
	defer o.Close()
	h := withPictures(testHit("M5XSX"), 4_000, 40_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := o.Accept(h); err != nil {
			b.Fatal(err)
		}
	}
}
