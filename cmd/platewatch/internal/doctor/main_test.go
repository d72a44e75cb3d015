package doctor

import (
	"log/slog"
	"os"
	"testing"

	"platewatch/capture/decodertest"
)

func TestMain(m *testing.M) {
	decodertest.Serve()
	os.Exit(m.Run())
}

var discard = slog.New(slog.DiscardHandler)
