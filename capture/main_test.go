//go:build !matprofile

package capture

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, proxysOwn...) }

// openMats is known with -tags matprofile only.
func openMats() int { return 0 }
