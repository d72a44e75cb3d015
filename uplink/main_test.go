package uplink

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/outbox"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashEnv); dir != "" {
		crashChild(dir)
		return
	}
	// toxiproxy's links end some time after it was stopped.
	const toxiproxy = "github.com/Shopify/toxiproxy/v2"
	os.Exit(uplinktest.Main(m,
		goleak.IgnoreAnyFunction(toxiproxy+".(*ToxicLink).read"), goleak.IgnoreAnyFunction(toxiproxy+".(*ToxicLink).write"),
		goleak.IgnoreAnyFunction(toxiproxy+"/toxics.(*ToxicStub).Run"),
	))
}

func testOutbox(t *testing.T, opts outbox.Settings) *outbox.Outbox {
	t.Helper()
	return openTestOutbox(t, filepath.Join(t.TempDir(), "outbox.db"), opts)
}

// neverLate is an age that no hit of a test reaches: late hits are sent after the others,
// and on a busy machine all may be. A test with its own clock sets its own bound.
const neverLate = time.Hour

func openTestOutbox(t *testing.T, path string, opts outbox.Settings) *outbox.Outbox {
	t.Helper()
	if opts.HistoricalAfter == 0 && opts.Now == nil {
		opts.HistoricalAfter = neverLate
	}
	o, err := outbox.Open(path, "unit-7", opts, uplinktest.Log(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return o
}

// pendingIDs lists id/revision of everything pending, in order.
func pendingIDs(o *outbox.Outbox) []string {
	var ids []string
	for _, p := range o.List() {
		ids = append(ids, fmt.Sprintf("%s/%d", p.ID, p.Revision))
	}
	return ids
}
