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

// brokenLinks are the links in the repository's documents to files that are not
// there. Addresses elsewhere are not followed.
func brokenLinks(root string) ([]string, error) {
	out, err := output(root, "git", "ls-files", "*.md")
	if err != nil {
		return nil, nil // no git here, or no repository
	}
	var found []string
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
