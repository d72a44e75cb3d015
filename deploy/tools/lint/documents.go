package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// markdownLink is an inline link or picture of Markdown; the target may carry a
// title behind a space, which none here does.
var markdownLink = regexp.MustCompile(`\]\(([^()\s]+)\)`)

// documents returns the faults of the documents: a README that is too long, and links to files
// that do not exist. Addresses elsewhere are not followed.
func documents(root string) ([]string, error) {
	out, err := output(root, "git", "ls-files", "*.md")
	if err != nil {
		return nil, nil // no git here, or no repository
	}
	found, err := longREADME(root)
	if err != nil {
		return nil, err
	}
	for _, name := range lines(out) {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return found, err
		}
		for i, line := range strings.Split(string(text), "\n") {
			for _, m := range markdownLink.FindAllStringSubmatch(line, -1) {
				to, err := url.Parse(m[1])
				if err != nil || to.IsAbs() || to.Path == "" {
					continue
				}
				if _, err := os.Stat(filepath.Join(root, filepath.Dir(name), filepath.FromSlash(to.Path))); err != nil {
					found = append(found, fmt.Sprintf("%s:%d: links to %s, which is not there", name, i+1, m[1]))
				}
			}
		}
	}
	return found, nil
}

// maxREADME is how many words the README for users may have, code and tables
// included: it leads on to the rooms' own.
const maxREADME = 1000

func longREADME(root string) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		return nil, err
	}
	if n := len(strings.Fields(string(text))); n > maxREADME {
		return []string{fmt.Sprintf("README.md has %d words, more than %d: what only some users need belongs in a room's README", n, maxREADME)}, nil
	}
	return nil, nil
}
