package uplink

import (
	"fmt"
	"path/filepath"
	"testing"
)

func testOutbox(t *testing.T, opts OutboxOptions) *Outbox {
	t.Helper()
	return openTestOutbox(t, filepath.Join(t.TempDir(), "outbox.db"), opts)
}

func openTestOutbox(t *testing.T, path string, opts OutboxOptions) *Outbox {
	t.Helper()
	o, err := OpenOutbox(path, "unit-7", opts, testLog(t))
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

func mustAccept(t *testing.T, o *Outbox, h Hit) string {
	t.Helper()
	id, err := o.Accept(h)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// pendingIDs lists id/revision of everything pending, in order.
func pendingIDs(o *Outbox) []string {
	var ids []string
	for _, p := range o.List() {
		ids = append(ids, fmt.Sprintf("%s/%d", p.ID, p.Revision))
	}
	return ids
}
