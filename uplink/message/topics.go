package message

import (
	"fmt"
	"strconv"
	"strings"

	"platewatch/uplink/failure"
)

// topicRoot is the versioned root of every topic. A change that old receivers
// cannot ignore gets a new version.
const topicRoot = "platewatch/v1/units/"

// Kind is the last level of a unit's topic.
type Kind string

// The kinds of message a unit publishes, and those it gets.
const (
	KindState    Kind = "state"    // retained: [State]
	KindHealth   Kind = "health"   // retained: [Health]
	KindHits     Kind = "hits"     // [Hit]
	KindHotlists Kind = "hotlists" // retained: [HotlistReport]
	KindAcks     Kind = "acks"     // to the unit: [Acks]
	KindVerdicts Kind = "verdicts" // to the unit: [Verdicts]
)

// Topic is the topic of a unit's messages of kind k. In a filter, "+" as unit means
// the whole fleet.
func Topic(unit string, k Kind) string { return topicRoot + unit + "/" + string(k) }

// ParseTopic returns the unit and the kind of a topic. It is false for anything
// that is not a unit's topic.
func ParseTopic(topic string) (unit string, k Kind, ok bool) {
	rest, ok := strings.CutPrefix(topic, topicRoot)
	if !ok {
		return "", "", false
	}
	unit, last, ok := strings.Cut(rest, "/")
	if !ok || ValidateName(unit) != nil {
		return "", "", false
	}
	switch k = Kind(last); k {
	case KindState, KindHealth, KindHits, KindHotlists, KindAcks, KindVerdicts:
		return unit, k, true
	}
	return "", "", false
}

// maxName keeps ids and topics short enough for every broker and file name.
const maxName = 64

// ValidateName checks the name of a unit, a list or a version: 1 to 64 of the
// characters A-Z, a-z, 0-9, '.', '_' and '-', starting with a letter or digit. It
// becomes a level of MQTT topics, where '+', '#' and '/' would reach other topics.
func ValidateName(name string) error {
	refuse := func(format string, args ...any) error {
		return &failure.Error{Op: "use the name", Path: fmt.Sprintf("%.80q", name), Err: fmt.Errorf(format, args...),
			Advice: "use letters, digits, '.', '_' and '-', at most 64 of them, a letter or digit first"}
	}
	switch {
	case name == "":
		return refuse("it is empty")
	case len(name) > maxName:
		return refuse("it has %d characters, more than %d", len(name), maxName)
	}
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && (i == 0 || !strings.ContainsRune("._-", r)) {
			return refuse("it contains %q at position %d", r, i+1)
		}
	}
	return nil
}

// ListRoot is the versioned root of the topics that hotlists come on.
const ListRoot = "platewatch/v1/hotlists/"

// ManifestTopic is where the newest manifest of a list is, retained.
func ManifestTopic(list string) string { return ListRoot + list + "/manifest" }

// PartTopic is where part n of a list's version is, retained.
func PartTopic(list, version string, n int) string {
	return ListRoot + list + "/" + version + "/" + strconv.Itoa(n)
}
