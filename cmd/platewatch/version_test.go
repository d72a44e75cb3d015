package main

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"

	"platewatch/deploy"
)

func TestVersionCommand(t *testing.T) {
	before := libraries
	defer func() { libraries = before }()
	libraries = []func() lib{func() lib { return lib{"Eyes", "4.6.0"} }}

	code, out, _ := configCommand(t, "version")
	for _, want := range []string{"platewatch " + deploy.Version() + "\n", strings.TrimPrefix(runtime.Version(), "go"), runtime.GOARCH, "Eyes       4.6.0\n"} {
		if code != exitFine || !strings.Contains(out, want) {
			t.Errorf("exit code %d, and\n%s\nlacks %q", code, out, want)
		}
	}
	code, out, _ = configCommand(t, "version", "-json")
	var v buildVersion
	if err := json.Unmarshal([]byte(out), &v); err != nil || code != exitFine || v.Go != runtime.Version() ||
		v.Version != deploy.Version() || len(v.Libraries) != 1 || v.Libraries[0] != (lib{"Eyes", "4.6.0"}) {
		t.Errorf("exit code %d, %v: %s", code, err, out)
	}
	if code, _, _ := configCommand(t, "version", "1"); code != exitUsage {
		t.Errorf("an argument: exit code %d", code)
	}
}

func TestVersionText(t *testing.T) {
	v := buildVersion{Version: "v0.3.0", Revision: "3f2c1aa09b7d5e11", Time: "2026-11-23T17:00:00Z", Modified: true,
		Go: "go1.26.8", OS: "linux", Arch: "arm64", Libraries: []lib{{"OpenCV", "4.6.0"}}}
	want := "platewatch v0.3.0\n" +
		"commit     3f2c1aa09b7d of 2026-11-23T17:00:00Z, with changes\n" +
		"Go         1.26.8, linux/arm64\n" +
		"OpenCV     4.6.0\n"
	if got := v.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
