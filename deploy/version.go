// Package deploy knows which release this is.
package deploy

import (
	_ "embed"
	"strings"
)

//go:embed CHANGELOG.md
var changelog string

// Version is the version that the changelog's first heading names, as "0.4.0";
// with "-dev" behind it while that version is not released.
func Version() string { return firstVersion(changelog) }

// firstVersion reads a changelog's first heading of the second level:
// "## 0.4.0 (2026-12-01)", or "(unreleased)".
func firstVersion(changelog string) string {
	for line := range strings.Lines(changelog) {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			version, state, _ := strings.Cut(strings.TrimSpace(heading), " ")
			if state == "(unreleased)" {
				version += "-dev"
			}
			return version
		}
	}
	return ""
}
