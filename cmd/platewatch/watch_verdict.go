package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"slices"
	"time"

	"platewatch/cmd/platewatch/internal/verdict"
	"platewatch/uplink/message"
	"platewatch/uplink/watch"
)

// verdictFlags are those of `platewatch watch -verdict`, which tells a unit what a
// person found about a hit.
type verdictFlags struct{ message.Verdict }

func (v *verdictFlags) add(fs *flag.FlagSet) {
	fs.StringVar(&v.ID, "verdict", "", "tell the unit what a person found about the hit with this `id`, right or wrong, and end")
	fs.StringVar(&v.Reason, "reason", "", "with -verdict, why, in a few words without the plate: the unit's audit trail records this `text`")
	fs.StringVar(&v.By, "by", "", "with -verdict, the person's `name`; default: the user's")
}

// check refuses what does not fit together.
func (v *verdictFlags) check(fs *flag.FlagSet) (other error) {
	if v.ID == "" && (v.Reason != "" || v.By != "") {
		return usageError("-reason and -by need -verdict", "add -verdict ID, and right or wrong")
	} else if v.ID == "" {
		return nil
	}
	v.Verdict.Verdict, v.By = message.Finding(fs.Arg(0)), cmp.Or(v.By, login())
	v.At = time.Now().UTC().Truncate(time.Millisecond)
	if err := verdict.Check(v.Verdict); err != nil {
		return usageError(err.Error(), hint(err))
	}
	fs.Visit(func(f *flag.Flag) {
		if slices.Contains([]string{"ack", "count", "cot", "every", "hits-only", "once", "unit", "units"}, f.Name) {
			other = usageError("-"+f.Name+" has no effect with -verdict", "leave it out")
		}
	})
	return other
}

// send sends the verdict and prints the unit's answer.
func (v *verdictFlags) send(ctx context.Context, std stdio, cfg watch.Settings, asJSON bool) error {
	answer, err := verdict.Send(ctx, cfg, v.Verdict)
	switch {
	case asJSON && answer.Answer != "":
		return firstError(printLine(std.out, answer), err)
	case err == nil:
		_, err = fmt.Fprintf(std.out, "%s: %s, %s\n", v.ID, v.Verdict.Verdict, verdict.Words[answer.Answer])
	}
	return err
}
