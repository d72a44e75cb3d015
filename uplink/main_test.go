package uplink

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashEnv); dir != "" {
		crashChild(dir)
		return
	}
	if dir := os.Getenv(powerEnv); dir != "" {
		powerChild(dir)
		return
	}
	// Every step of the model test is an fsync; -rapid.checks asks for more.
	if err := flag.Set("rapid.checks", "20"); err != nil {
		panic(err)
	}
	flag.Parse()
	// A failed test may leave goroutines behind; only a passed run is checked.
	code := m.Run()
	if code == 0 {
		// toxiproxy's links end some time after it was stopped.
		const toxiproxy = "github.com/Shopify/toxiproxy/v2"
		if err := goleak.Find(
			goleak.IgnoreAnyFunction(toxiproxy+".(*ToxicLink).read"), goleak.IgnoreAnyFunction(toxiproxy+".(*ToxicLink).write"),
			goleak.IgnoreAnyFunction(toxiproxy+"/toxics.(*ToxicStub).Run"),
		); err != nil {
			fmt.Fprintln(os.Stderr, "goroutines are left:", err)
			code = 1
		}
	}
	os.Exit(code)
}
