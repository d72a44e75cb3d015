package message

import "time"

// Verdicts tell a unit what persons found about its hits. A server sends them to the
// unit's own topic, not retained. The unit answers each in its next health message,
// which it publishes at once; without an answer a verdict did not arrive, and is sent
// again. A verdict changes nothing but counts: no hit, no list and no matching.
type Verdicts struct {
	Version  Version   `json:"version"`
	Unit     string    `json:"unit"`
	Verdicts []Verdict `json:"verdicts"` // 1 to 20
}

// Verdict is what a person found about one hit.
type Verdict struct {
	ID      string    `json:"id"`           // of the hit
	Verdict Finding   `json:"verdict"`      // about the hit as a whole
	Reason  string    `json:"reason"`       // in a few words, without the plate
	By      string    `json:"by,omitempty"` // the person's name or number
	At      time.Time `json:"at"`           // when it was given, by the server's clock; of two about one hit the later one holds
}

// Finding is what a person found.
type Finding string

// The findings.
const (
	Right Finding = "right" // plate and vehicle are the entry's
	Wrong Finding = "wrong" // misread, another vehicle, or the entry is no longer current
)

// Answer says what became of a verdict.
type Answer string

// The answers.
const (
	VerdictCounted  Answer = "counted"
	VerdictChanged  Answer = "changed"  // it replaces an earlier one about that hit
	VerdictRepeated Answer = "repeated" // the same was counted before
	VerdictOlder    Answer = "older"    // a later one about that hit was counted before, so this one does not hold
	VerdictUnknown  Answer = "unknown"  // this unit sent no such hit, or long ago
	VerdictRefused  Answer = "refused"  // that hit's verdict was changed too often
	VerdictFailed   Answer = "failed"   // the audit trail could not be written, so nothing was counted
)

// VerdictHealth is what a unit knows of verdicts. It survives a restart, as the audit
// trail does that it comes from.
type VerdictHealth struct {
	Counts  []VerdictCount  `json:"counts"`
	Ignored uint64          `json:"ignored,omitempty"` // since the start: about hits that were not sent, older ones, refused ones, and messages that were not valid
	Latest  []VerdictAnswer `json:"latest,omitempty"`  // of the last ten minutes, at most 20, the newest last
}

// VerdictCount is the number of verdicts on the hits of one list that matched in one
// way, among the newest 100 of these.
type VerdictCount struct {
	List    string `json:"list"`
	How     string `json:"how"`
	Right   int    `json:"right"`
	Wrong   int    `json:"wrong"`
	TooMany bool   `json:"too_many_wrong,omitempty"` // the share of wrong ones is above what the unit's configuration allows
}

// VerdictAnswer is what became of one verdict.
type VerdictAnswer struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"` // as in the verdict
	Answer Answer    `json:"answer"`
}
