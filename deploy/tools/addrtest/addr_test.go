package addrtest

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// No address is given twice while its test runs, each can be listened on again and
// again, and none is one that the kernel gives a connection.
func TestFree(t *testing.T) {
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		t.Skip(err)
	}
	from, err := strconv.Atoi(strings.Fields(string(b))[0])
	if err != nil {
		t.Fatal(err)
	}
	if last >= from {
		t.Skipf("the kernel gives connections ports from %d on here", from)
	}
	given := map[string]bool{}
	for range 500 {
		address := Free(t)
		if given[address] {
			t.Fatalf("%s is given twice", address)
		}
		given[address] = true
		for range 2 {
			Listen(t, address).Close()
		}
	}
	t.Run("another test", func(t *testing.T) {
		for range 500 {
			if address := Free(t); given[address] {
				t.Fatalf("%s is given twice", address)
			}
		}
	})
}

// A listener closes and opens anew while programs are being started beside it.
func TestListenWhileProgramsStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var starters sync.WaitGroup
	for range 4 {
		starters.Go(func() {
			for ctx.Err() == nil {
				if err := exec.Command("true").Run(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	address := Free(t)
	for range 500 {
		Listen(t, address).Close()
	}
	cancel()
	starters.Wait()
}
