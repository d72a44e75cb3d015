// Command mochi is a broker of mochi's for tests, in a process of its own: a test can
// kill it, and what its goroutines race for (mochi-mqtt/server issue 200) is not ours.
//
//	mochi ADDRESS
//
// It says "running" on standard error once it serves.
package main

import (
	"fmt"
	"os"

	"platewatch/uplink/localbroker"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: mochi ADDRESS")
		os.Exit(2)
	}
	if _, err := localbroker.Start(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "mochi:", err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stderr, "running")
	select {} // until it is killed
}
