package codec

import (
	"testing"

	"platewatch/capture/internal/capturetest"
)

func TestMain(m *testing.M) { capturetest.Main(m) }
