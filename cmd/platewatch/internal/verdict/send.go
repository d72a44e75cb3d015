package verdict

import (
	"context"

	"platewatch/cmd/platewatch/internal/setting"
	"platewatch/uplink/message"
	"platewatch/uplink/watch"
)

// Words say what became of a verdict that counts.
var Words = map[message.Answer]string{
	message.VerdictCounted:  "counted",
	message.VerdictChanged:  "counted: it replaces the earlier verdict on that hit",
	message.VerdictRepeated: "counted before: nothing has changed",
}

// NotCounted is a unit's answer that a verdict does not count.
type NotCounted struct{ id, why, advice string }

func (n *NotCounted) Error() string { return n.id + ": " + n.why }

// Hint says what to do.
func (n *NotCounted) Hint() string { return n.advice }

var failures = map[message.Answer]NotCounted{
	message.VerdictOlder:   {why: "the unit has a later verdict on that hit", advice: "look at this machine's clock, and at who else gives verdicts"},
	message.VerdictUnknown: {why: "the unit sent no such hit, or long ago", advice: "compare the id with the hit's"},
	message.VerdictRefused: {why: "the verdict on that hit was changed too often", advice: "agree on one; the audit trail of the unit has them all"},
	message.VerdictFailed:  {why: "the unit cannot write its audit trail, and counted nothing", advice: "look at the unit's disk: platewatch doctor; then send it again"},
}

// Send sends a verdict to its unit and returns the unit's answer; with a
// [*NotCounted] as the error if it does not count.
func Send(ctx context.Context, cfg watch.Settings, v message.Verdict) (message.VerdictAnswer, error) {
	a := message.VerdictAnswer{ID: v.ID, At: v.At}
	var err error
	if a.Answer, err = watch.SendVerdict(ctx, cfg, v); err != nil {
		return a, err
	}
	if f, ok := failures[a.Answer]; ok {
		f.id = v.ID
		return a, &f
	}
	return a, nil
}

// Check tells what is wrong with a verdict that a person typed.
func Check(v message.Verdict) error {
	const advice = "write -verdict ID right -reason TEXT, or wrong"
	switch {
	case v.Verdict != message.Right && v.Verdict != message.Wrong:
		return setting.Problemf(advice, "-verdict needs one word: right or wrong")
	case v.Reason == "" || len(v.Reason) > 200 || len(v.By) > 100:
		return setting.Problemf(advice, "-verdict needs -reason, of at most 200 bytes, and -by of at most 100")
	}
	if _, _, err := message.ParseID(v.ID); err != nil {
		return setting.Problemf("copy the id from the hit: `platewatch watch` prints it", "%v", err)
	}
	return nil
}
