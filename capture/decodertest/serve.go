// Package decodertest lets a test's own binary be the decoder of its cameras. Only
// tests import it.
package decodertest

import (
	"os"

	"platewatch/capture/decoder"
	"platewatch/capture/internal/handover"
)

// Serve is the first thing that TestMain calls: started as a decoder, the binary is
// one; otherwise it names itself to those that look for one.
func Serve() {
	if os.Args[0] == handover.Program {
		os.Exit(decoder.Main())
	}
	own, err := os.Executable()
	if err != nil {
		panic(err)
	}
	if err := os.Setenv(handover.Variable, own); err != nil {
		panic(err)
	}
}
