package capturetest

import (
	"net"
	"sync"
	"testing"
)

// Accept serves each connection to an address of its own, and closes it when serve
// returns. When the test ends it takes no more of them and waits for those that it
// has. It returns the address, host:port.
func Accept(t testing.TB, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				serve(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	return l.Addr().String()
}
