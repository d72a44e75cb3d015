package doctor

import (
	"flag"
	"log/slog"
	"os"
	"testing"

	"platewatch/capture/decodertest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) {
	decodertest.Serve()
	os.Exit(m.Run())
}

var discard = slog.New(slog.DiscardHandler)
