//go:build !matprofile

package capturetest

import (
	"testing"

	"go.uber.org/goleak"
)

// Main runs a package's tests and fails when they leave goroutines behind.
func Main(m *testing.M) { goleak.VerifyTestMain(m, proxysOwn...) }

// OpenMats is known with -tags matprofile only.
func OpenMats() int { return 0 }
