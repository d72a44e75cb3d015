package capture

import (
	"testing"

	"platewatch/capture/internal/capturetest"
)

func TestMain(m *testing.M) { capturetest.Main(m) }
