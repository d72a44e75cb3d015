// Package uplinktest holds what the tests of the uplink's packages share: hits,
// brokers that can be killed, a proxy that checks and counts what is published, small
// disks and certificates. Only tests import it.
package uplinktest

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"platewatch/uplink/message"
)

// Main runs a package's tests and then looks for goroutines that are left. A
// failed test may leave some behind, so only a passed run is checked.
func Main(m *testing.M, ignore ...goleak.Option) int {
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	if code == 0 {
		if err := goleak.Find(ignore...); err != nil {
			fmt.Fprintln(os.Stderr, "goroutines are left:", err)
			code = 1
		}
	}
	return code
}

// MustAccept puts a hit into an outbox and returns its id.
func MustAccept(t testing.TB, o interface {
	Accept(message.Hit) (string, error)
}, h message.Hit) string {
	t.Helper()
	id, err := o.Accept(h)
	if err != nil {
		t.Fatal(err)
	}
	return id
}
