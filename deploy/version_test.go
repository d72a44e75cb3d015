package deploy

import (
	"regexp"
	"testing"
)

func TestVersion(t *testing.T) {
	if got := Version(); !regexp.MustCompile(`^\d+\.\d+\.\d+(-dev)?$`).MatchString(got) {
		t.Errorf("the changelog's first version is %q", got)
	}
	for text, want := range map[string]string{
		"# Changelog\n\n## 1.2.0 (2026-12-01)\n\n## 1.1.0 (2026-11-01)\n": "1.2.0",
		"# Changelog\n\n## 1.3.0 (unreleased)\n":                          "1.3.0-dev",
		"# Changelog\n":                                                   "",
	} {
		if got := firstVersion(text); got != want {
			t.Errorf("%q: version %q, not %q", text, got, want)
		}
	}
}
