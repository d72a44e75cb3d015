// Package addrtest gives tests loopback addresses that stay theirs. Only tests import
// it; those of every room may.
package addrtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"syscall"
	"testing"
	"time"
)

// The ports are below those that the kernel gives to connections, from 32768 on
// (net.ipv4.ip_local_port_range): a port that was only free a moment ago may belong to
// a connection of another test when a server comes back to it.
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
		// Asked, not tried: a listener of our own could outlive its end, see Again.
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			held.Close()
			continue
		}
		t.Cleanup(func() { held.Close() })
		return address
	}
	t.Fatalf("no port between %d and %d of 127.0.0.1 is free", first, last)
	return ""
}

// Again calls listen until its address is not in use. Listening where this process
// listened a moment ago can fail: a program that is just being started has a copy of
// every open descriptor until it runs.
func Again(t testing.TB, listen func() error) error {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) { // nothing tells when it runs
		if err := listen(); !errors.Is(err, syscall.EADDRINUSE) || time.Now().After(end) {
			return err
		}
	}
}

// Listen listens on an address that Free gave.
func Listen(t testing.TB, address string) net.Listener {
	t.Helper()
	var l net.Listener
	if err := Again(t, func() (err error) { l, err = net.Listen("tcp", address); return err }); err != nil {
		t.Fatal(err)
	}
	return l
}
