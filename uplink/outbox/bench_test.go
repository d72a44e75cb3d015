package outbox

import (
	"testing"

	"platewatch/uplink/internal/uplinktest"
)

// BenchmarkAccept is one hit with pictures onto the disk.
func BenchmarkAccept(b *testing.B) {
	o, err := Open(b.TempDir()+"/outbox.db", "unit-7", Settings{Key: testKey}, uplinktest.Discard)
	if err != nil {
		b.Fatal(err)
	}
	defer o.Close()
	h := uplinktest.WithPictures(uplinktest.Hit("M5XSX"), 4_000, 40_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := o.Accept(h); err != nil {
			b.Fatal(err)
		}
	}
}
