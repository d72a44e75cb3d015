package look

import (
	"os"
	"testing"

	"platewatch/capture/decodertest"
)

func TestMain(m *testing.M) {
	decodertest.Serve()
	os.Exit(m.Run())
}
