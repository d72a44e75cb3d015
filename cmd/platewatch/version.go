package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"platewatch/deploy"
)

// buildVersion identifies the source that this binary was built from.
type buildVersion struct {
	Version   string `json:"version"`            // as deploy/CHANGELOG.md names it
	Revision  string `json:"revision,omitempty"` // the commit; empty where the build did not know it
	Time      string `json:"time,omitempty"`     // the commit's time, RFC 3339
	Modified  bool   `json:"modified,omitempty"` // the working copy had uncommitted changes
	Go        string `json:"go"`
	OS        string `json:"os"`
	Arch      string `json:"arch"`
	Libraries []lib  `json:"libraries,omitempty"`
}

// lib is a library outside the module whose version decides what the unit does.
type lib struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// libraries are queried by the version command. The files that link against C
// libraries add to it; a query must be cheap and must not fail.
var libraries []func() lib

// version reads what the changelog says and what the Go linker left in the binary.
func version() buildVersion {
	v := buildVersion{Version: deploy.Version(), Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	for _, ask := range libraries {
		v.Libraries = append(v.Libraries, ask())
	}
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	for _, s := range build.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.time":
			v.Time = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

func (v buildVersion) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "platewatch %s\n", v.Version)
	if v.Revision != "" {
		fmt.Fprintf(&b, "commit     %.12s", v.Revision)
		if v.Time != "" {
			fmt.Fprintf(&b, " of %s", v.Time)
		}
		if v.Modified {
			b.WriteString(", with changes")
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "Go         %s, %s/%s\n", strings.TrimPrefix(v.Go, "go"), v.OS, v.Arch)
	for _, l := range v.Libraries {
		fmt.Fprintf(&b, "%-10s %s\n", l.Name, l.Version)
	}
	return b.String()
}

// runVersion prints what this binary was built from.
func runVersion(_ context.Context, std stdio, args []string) error {
	fs := flag.NewFlagSet("version", flag.ContinueOnError)
	asJSON := fs.Bool("json", false, "print one JSON object")
	if err := parse(fs, std, "[-json]", args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return usageError("version takes no arguments", "`platewatch version [-json]`")
	}
	v := version()
	if *asJSON {
		return json.NewEncoder(std.out).Encode(v)
	}
	_, err := fmt.Fprint(std.out, v)
	return err
}
