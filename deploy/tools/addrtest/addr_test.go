package addrtest

import (
	"net"
	"os"
	"strconv"
	"strings"
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
			l, err := net.Listen("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			l.Close()
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
