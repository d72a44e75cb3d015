package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary be platewatch itself, for scripts and for the
// tests that kill it.
func TestMain(m *testing.M) {
	testscript.Main(withDecoder{m}, map[string]func(){"platewatch": main})
}

// withDecoder builds the decoder for the tests: this binary, as platewatch, has no
// codecs.
type withDecoder struct{ *testing.M }

func (m withDecoder) Run() int {
	dir, err := os.MkdirTemp("", "decoder")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	const program = "platewatch-decode"
	if out, err := exec.Command("go", "build", "-o", dir+"/", "platewatch/cmd/"+program).CombinedOutput(); err != nil {
		panic(fmt.Sprintf("%v: %s", err, out))
	}
	os.Setenv(decoderVariable, filepath.Join(dir, program))
	return m.M.Run()
}

// decoderVariable names the decoder's program to those that look for one.
const decoderVariable = "PLATEWATCH_DECODER"

// TestScripts runs the program as a person would: testdata/script/*.txtar.
// $PLATES is the folder of rendered pictures.
func TestScripts(t *testing.T) {
	plates, err := filepath.Abs(filepath.Join("..", "..", "ocr", "render", "testdata", "plates"))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			e.Setenv("PLATES", plates)
			e.Setenv(decoderVariable, os.Getenv(decoderVariable))
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exitcode": exitCode,
			"cut":      cutFile,
		},
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
	})
}

// exitCode runs platewatch and holds its exit code to the first argument:
// testscript itself knows only zero and not zero.
func exitCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: exitcode CODE ARGS...")
	}
	err := ts.Exec("platewatch", args[1:]...)
	code := "0"
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = strconv.Itoa(exit.ExitCode())
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if code != args[0] {
		ts.Fatalf("exit code %s, want %s", code, args[0])
	}
}

// cutFile copies the first half of a file: cut FROM TO.
func cutFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cut FROM TO")
	}
	b, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b[:len(b)/2], 0o644))
}
