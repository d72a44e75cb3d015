package outbox

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"platewatch/uplink/internal/uplinktest"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(powerEnv); dir != "" {
		powerChild(dir)
		return
	}
	// Every step of the model test is an fsync; -rapid.checks asks for more.
	if err := flag.Set("rapid.checks", "20"); err != nil {
		panic(err)
	}
	flag.Parse()
	os.Exit(uplinktest.Main(m))
}

func testOutbox(t *testing.T, opts Settings) *Outbox {
	t.Helper()
	return openTestOutbox(t, filepath.Join(t.TempDir(), "outbox.db"), opts)
}

// testKey is the key of all outboxes of these tests.
var testKey = bytes.Repeat([]byte{7}, 32)

func openTestOutbox(t *testing.T, path string, opts Settings) *Outbox {
	t.Helper()
	opts.Key = testKey
	o, err := Open(path, "unit-7", opts, uplinktest.Log(t))
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
func pendingIDs(o *Outbox) []string {
	var ids []string
	for _, p := range o.List() {
		ids = append(ids, fmt.Sprintf("%s/%d", p.ID, p.Revision))
	}
	return ids
}
