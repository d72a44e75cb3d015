package main

import (
	"fmt"
	"strings"
	"testing"
)

func TestLongSubjects(t *testing.T) {
	since := subjectsSince.Unix()
	long := strings.Repeat("ö", maxSubject+1)
	log := fmt.Sprintf("a1 %d %s\nb2 %d %s\nc3 %d %s\nd4 %d \n",
		since, long, since-1, long, since+5, long[2:], since+6)
	found, err := longSubjectsIn(log)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 || !strings.HasPrefix(found[0], "commit a1: its subject has 73 characters") {
		t.Errorf("found %q, want a1 alone: b2 is older than the rule, c3 is not too long", found)
	}
	if _, err := longSubjectsIn("fatal: no such thing"); err == nil {
		t.Error("a line that is not a commit was accepted")
	}
}
