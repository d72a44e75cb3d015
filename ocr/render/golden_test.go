package render

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"platewatch/deploy/tools/goldentest"
)

// The pictures do not change unnoticed: a hash of each plate, of a frame by
// day and one at dusk. After a change that is meant, look at
// `go run ./cmd/renderclip -sheet FILE`, then run the test with -update.
func TestGolden(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("other processors fuse multiplications and additions: the last bit differs")
	}
	var b strings.Builder
	sum := func(name string, pix []byte) { fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(pix), name) }
	for i, name := range LayoutNames() {
		img, truth, err := Plate(PlateSpec{Layout: name, Seed: uint64(i), Scale: .8, Wear: .4, Frame: i%3 == 0})
		if err != nil {
			t.Fatal(err)
		}
		sum(name+" "+truth.Text, img.Pix)
	}
	for _, at := range []time.Duration{0, 800 * time.Millisecond} {
		f, err := Still(street(), at)
		if err != nil {
			t.Fatal(err)
		}
		sum("street "+at.String(), f.Image.Pix)
	}
	path := filepath.Join("testdata", "golden.txt")
	goldentest.Compare(t, path, b.String())
}
