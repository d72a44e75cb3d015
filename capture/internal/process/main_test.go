package process

import (
	"testing"

	"platewatch/capture/decodertest"
	"platewatch/capture/internal/capturetest"
)

func TestMain(m *testing.M) {
	decodertest.Serve()
	capturetest.Main(m)
}
