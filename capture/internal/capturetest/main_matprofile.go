//go:build matprofile

package capturetest

import (
	"bytes"
	"testing"

	"go.uber.org/goleak"
	"gocv.io/x/gocv"
)

// Main runs a package's tests and fails when they leave goroutines or, with
// -tags matprofile, Mats behind.
func Main(m *testing.M) {
	before := gocv.MatProfile.Count()
	goleak.VerifyTestMain(profiled{m, before}, proxysOwn...)
}

type profiled struct {
	*testing.M
	before int
}

func (p profiled) Run() int {
	code := p.M.Run()
	if after := gocv.MatProfile.Count(); code == 0 && after != p.before {
		var b bytes.Buffer
		gocv.MatProfile.WriteTo(&b, 1)
		println("Mats left open:", after-p.before, b.String())
		return 1
	}
	return code
}

// OpenMats is how many Mats are open.
func OpenMats() int { return gocv.MatProfile.Count() }
