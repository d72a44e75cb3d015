package main

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// subjectsSince is when the rule for commit subjects began.
const subjectsSince = "2026-11-27T22:00:00Z"

const maxSubject = 72 // characters, so that git log shows it whole in a terminal of 80

// longSubjects are the commits whose subject is too long, of those that can
// still be amended: what another repository has is left as it is, and so are
// the commits before the rule. A clone, however shallow, has nothing of its own
// at first, and a folder without git has no commits.
func longSubjects(root string) ([]string, error) {
	out, err := output(root, "git", "log", "--no-merges", "--since="+subjectsSince, "--format=%h %s", "HEAD", "--not", "--remotes")
	if err != nil {
		return nil, nil // no git here, or no repository
	}
	var found []string
	for _, line := range lines(out) {
		hash, subject, _ := strings.Cut(line, " ")
		if n := utf8.RuneCountInString(subject); n > maxSubject {
			found = append(found, fmt.Sprintf("commit %s: its subject has %d characters: %s", hash, n, subject))
		}
	}
	return found, nil
}
