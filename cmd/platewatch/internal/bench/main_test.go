package bench

import (
	"os"
	"testing"

	"platewatch/capture/decodertest"
	"platewatch/capture/still"
)

func TestMain(m *testing.M) {
	decodertest.Serve()
	os.Exit(m.Run())
}

func openPictures(t *testing.T) *still.Reader {
	t.Helper()
	r := still.NewReader(still.Limits{})
	t.Cleanup(func() { r.Close() })
	return r
}
