package main

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// subjectsSince is when the rule for commit subjects began: "HTTP digest comes
// from github.com/icholy/digest" is the first commit that it holds for. The
// authors' dates decide, because a shallow clone may lack any given commit, and
// rewording one changes its hash and its committer's date.
var subjectsSince = time.Date(2026, 11, 27, 21, 22, 0, 0, time.UTC)

const maxSubject = 72 // characters, so that git log shows it whole in a terminal of 80

// longSubjects are the commits since the rule began whose subject is too long,
// as far as this clone has them. A folder without git, or inside another
// repository, has no commits.
func longSubjects(root string) ([]string, error) {
	if top, err := output(root, "git", "rev-parse", "--show-prefix"); err != nil || strings.TrimSpace(top) != "" {
		return nil, nil
	}
	out, err := output(root, "git", "log", "--no-merges", "--format=%h %at %s", "HEAD")
	if err != nil {
		return nil, nil // no commit yet
	}
	return longSubjectsIn(out)
}

// longSubjectsIn are those in a log whose lines are hash, author's date in
// seconds, and subject.
func longSubjectsIn(log string) ([]string, error) {
	var found []string
	for _, line := range lines(log) {
		var hash string
		var date int64
		if _, err := fmt.Sscan(line, &hash, &date); err != nil {
			return nil, fmt.Errorf("git log says %q: %w", line, err)
		}
		subject := line[min(len(line), len(fmt.Sprintf("%s %d ", hash, date))):]
		if n := utf8.RuneCountInString(subject); n > maxSubject && date >= subjectsSince.Unix() {
			found = append(found, fmt.Sprintf("commit %s: its subject has %d characters: %s", hash, n, subject))
		}
	}
	return found, nil
}
