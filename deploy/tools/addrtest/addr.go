// Package addrtest gives tests loopback addresses that stay theirs. Only tests import
// it; those of every room may.
package addrtest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Ports that no connection gets by itself: the kernel gives those from 32768 on
// (net.ipv4.ip_local_port_range). A port that was only free a moment ago may belong to
// some connection of another test when a server comes back to it.
const first, last = 12000, 32000

// Free gives a TCP address of 127.0.0.1 on which nobody listens, and that no other
// caller of Free is given, in whichever process, until the test ends. It suits a server
// that stops and comes back, one that another process starts, and an address at which
// nobody answers.
func Free(t testing.TB) string {
	t.Helper()
	for range last - first {
		port := first + rand.IntN(last-first)
		// The reservation is an abstract socket: the kernel lets one process hold it,
		// and drops it when that ends in whatever way.
		held, err := net.Listen("unix", fmt.Sprintf("@platewatch-test-port-%d", port))
		if err != nil {
			continue
		}
		address := fmt.Sprintf("127.0.0.1:%d", port)
		l, err := net.Listen("tcp", address)
		if err != nil {
			held.Close()
			continue
		}
		l.Close()
		t.Cleanup(func() { held.Close() })
		return address
	}
	t.Fatalf("no port between %d and %d of 127.0.0.1 is free", first, last)
	return ""
}
