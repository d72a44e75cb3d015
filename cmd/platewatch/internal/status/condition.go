package status

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"platewatch/cmd/platewatch/internal/aim"
)

// Level says how bad a unit's condition is.
type Level string

// The levels, from good to bad. A note is worth knowing and needs nobody.
const (
	OK   Level = "ok"
	Note Level = "note"
	Warn Level = "warn" // it works, and a person should look after it
	Bad  Level = "bad"  // it does not do its work
)

// rank orders the levels: 0 for OK.
func (l Level) rank() int { return slices.Index([]Level{OK, Note, Warn, Bad}, l) }

// Problem is one thing that is not as it should be.
type Problem struct {
	// Key names it and does not change while it lasts: "camera rear offline".
	Key   string `json:"key"`
	About string `json:"about"` // cameras, hotlist, outbox, uplink or clock
	Level Level  `json:"level"`
	Text  string `json:"text"`           // one sentence
	Hint  string `json:"hint,omitempty"` // what to do about it, as its cause says; the message has it
	// Advice is what a person can do, for the page: the hint, or what is usual.
	Advice string `json:"advice,omitempty"`
}

// Condition is what a unit says of itself: on the page, to /readyz, in the health
// message, in the status line of systemd and in the metrics.
type Condition struct {
	Level    Level     `json:"level"`    // that of the worst problem; notes count as OK
	Headline string    `json:"headline"` // the worst truth, in one line
	Problems []Problem `json:"problems"` // worst first
}

// ready reports whether the unit does its work. A missing broker does not count: hits
// are safe in the outbox.
func (c Condition) ready() bool { return c.Level != Bad }

// Sentences are the texts of the problems, with what to do.
func (c Condition) Sentences() []string {
	var out []string
	for _, p := range c.Problems {
		if p.Hint != "" {
			p.Text = strings.TrimSuffix(p.Text, ".") + ": " + p.Hint + "."
		}
		out = append(out, p.Text)
	}
	return out
}

// needing are the problems that need a person.
func (c Condition) needing() []Problem {
	end := slices.IndexFunc(c.Problems, func(p Problem) bool { return p.Level.rank() < Warn.rank() })
	if end < 0 {
		end = len(c.Problems)
	}
	return c.Problems[:end]
}

const (
	// fewVehicles: fewer say nothing about how a camera is set.
	fewVehicles = 3
	// stallAfter is the [Document.ProgressAge] from which a unit counts as stalled.
	stallAfter = 30 * time.Second
	// failureHolds is for how long a frame that could not be processed counts.
	failureHolds = 10 * time.Minute
	// certificateWarning is how long before its end a certificate is a problem:
	// enough for a visit.
	certificateWarning = 14 * 24 * time.Hour
)

// Judge decides the condition of a unit. Nothing else does.
func Judge(d *Document) Condition {
	var j judge
	j.cameras(d)
	j.outbox(&d.Outbox)
	j.hotlist(&d.Hotlist)
	j.verdicts(d)
	j.uplink(d)
	if d.Clock.State != ClockSynchronised {
		j.add(Warn, "clock", "clock not set", "The clock is not set by a time source: times of hits may be wrong, and lists do not expire.")
	}
	j.board(d)
	j.advise()
	slices.SortStableFunc(j.found, func(a, b Problem) int { return b.Level.rank() - a.Level.rank() })
	c := Condition{Level: OK, Headline: "Watching, hits reach the server", Problems: j.found}
	if c.Problems == nil {
		c.Problems = []Problem{}
	}
	if needing := c.needing(); len(needing) > 0 {
		c.Level, c.Headline = needing[0].Level, strings.TrimSuffix(needing[0].Text, ".")
		if more := len(needing) - 1; more > 0 {
			c.Headline += fmt.Sprintf(" (and %d more)", more)
		}
	}
	return c
}

// judge collects problems.
type judge struct{ found []Problem }

func (j *judge) add(level Level, about, key, format string, args ...any) {
	j.found = append(j.found, Problem{Key: key, About: about, Level: level, Text: oneLine(fmt.Sprintf(format, args...))})
}

// hint says what to do about the problem added last.
func (j *judge) hint(advice string) { j.found[len(j.found)-1].Hint = oneLine(advice) }

// advise gives each problem that needs a person its advice, where it has none.
func (j *judge) advise() {
	for i := range j.found {
		p := &j.found[i]
		if p.Advice = p.Hint; p.Advice != "" || p.Level.rank() < Warn.rank() {
			continue
		}
		for _, h := range hints {
			if p.Key == h.key || strings.HasSuffix(p.Key, " "+h.key) {
				p.Advice = h.advice
				break
			}
		}
	}
}

func (j *judge) cameras(d *Document) {
	if age := float64(d.ProgressAge); age > stallAfter.Seconds() {
		j.add(Bad, "cameras", "stalled", "Stalled: no camera pipeline moved for %.0f s, and systemd restarts the unit.", age)
	}
	if len(d.Cameras) == 0 {
		j.add(Bad, "cameras", "no camera", "No camera is configured.")
	}
	for _, c := range d.Cameras {
		switch {
		case c.Online():
		case c.State == "waiting": // the page counts the seconds
			j.add(Bad, "cameras", "camera "+c.Name+" offline", "Camera %s is waiting for a keyframe.", c.Name)
			j.hint(c.Hint)
		default:
			j.add(Bad, "cameras", "camera "+c.Name+" offline", "Camera %s is %s%s.", c.Name, c.State, because(c.LastError))
			j.hint(c.Hint)
		}
		for _, k := range c.Controls {
			if k.Error != "" {
				j.add(Warn, "cameras", "camera "+c.Name+" "+k.Name, "Camera %s, %s: %s.", c.Name, strings.ReplaceAll(k.Name, "_", " "), k.Error)
				j.hint("`v4l2-ctl -L` lists the controls, their ranges and what holds them, `v4l2-ctl --list-formats-ext` the formats")
			}
		}
		if c.Losing != "" {
			j.add(Warn, "cameras", "camera "+c.Name+" losing", "Camera %s: %.0f %% of its frames are lost.", c.Name, 100*c.Lost)
			j.hint(c.Losing)
		}
		if c.Failures > 0 && float64(c.FailureAge) < failureHolds.Seconds() {
			j.add(Warn, "cameras", "camera "+c.Name+" failures", "Camera %s: frames cannot be processed, the last one %.0f s ago.", c.Name, float64(c.FailureAge))
		}
		switch {
		case c.Aim != nil && c.Aim.Level == aim.Poor && c.Aim.Judged >= fewVehicles:
			j.add(Warn, "cameras", "camera "+c.Name+" aim", "Camera %s: %s.", c.Name, c.Aim.Instruction)
		case c.Advice != "":
			j.add(Warn, "cameras", "camera "+c.Name+" light", "Camera %s: %s.", c.Name, c.Advice)
		}
	}
}

func (j *judge) outbox(o *Outbox) {
	if !o.Open {
		j.add(Bad, "outbox", "outbox not open", "The outbox is not open, so hits cannot be stored%s.", because(o.Error))
		return
	}
	if o.DiskProblem != "" {
		j.add(Bad, "outbox", "outbox disk", "Cannot write to disk (%s): %d hits are held in memory only and would be lost in a power cut.", o.DiskProblem, o.Unsaved)
	} else if o.NumberFileProblem != "" {
		j.add(Warn, "outbox", "outbox number", "Cannot write the outbox's number file: %s.", o.NumberFileProblem)
	}
	if o.Damage != "" {
		j.add(Warn, "outbox", "outbox damaged", "The outbox was damaged: %s.", o.Damage)
	}
	if n := o.Dropped["hits"] + o.Dropped["age"]; n > 0 {
		j.add(Warn, "outbox", "outbox dropped", "%s dropped since the start: the outbox was full, or they were older than allowed.", number(int(n), "hit was", "hits were"))
	}
	if o.Quarantined > 0 {
		j.add(Warn, "outbox", "outbox quarantine", "In quarantine: %s never be delivered.", number(o.Quarantined, "hit can", "hits can"))
	}
}

func (j *judge) hotlist(h *Hotlist) {
	entries := 0
	for _, l := range h.Lists {
		if !l.Missing {
			entries += l.Entries
		}
	}
	switch {
	case !h.Open:
		j.add(Bad, "hotlist", "hotlist not open", "The hotlist is not open, so nothing can match%s.", because(h.Error))
	case entries == 0:
		j.add(Bad, "hotlist", "hotlist empty", "The hotlist is empty, so nothing can match: run platewatch hotlist import.")
	}
	for _, d := range h.Damage {
		if d.SetAside {
			j.add(Warn, "hotlist", "list "+d.List+" damaged", "Hotlist %s was damaged and set aside%s.", d.List, because(d.Reason))
			continue
		}
		j.add(Bad, "hotlist", "list "+d.List+" damaged", "Hotlist %s cannot be used%s.", d.List, because(d.Reason))
	}
	if h.AuditProblem != "" {
		j.add(Warn, "hotlist", "audit trail", "The audit trail was changed%s.", because(h.AuditProblem))
	}
	for _, l := range h.Lists {
		switch {
		case l.Missing && l.Lost:
			j.add(Warn, "hotlist", "list "+l.Name+" missing", "The signed hotlist %s is missing, although a version of it was accepted.", l.Name)
		case l.Missing:
			j.add(Warn, "hotlist", "list "+l.Name+" missing", "Hotlist %s is followed and has never arrived: publish it, and let this unit read its topics on the broker.", l.Name)
		case l.Fallback:
			j.add(Warn, "hotlist", "list "+l.Name+" fallback", "Hotlist %s: the previous version is in use, because the newest is damaged.", l.Name)
		case l.Overdue:
			j.add(Warn, "hotlist", "list "+l.Name+" overdue", "Hotlist %s is overdue since %s: no newer version arrived. It is still in use.", l.Name, l.Expires.Format("2006-01-02 15:04 MST"))
		}
		if l.Accepted > 0 && !l.Missing {
			j.add(Warn, "hotlist", "list "+l.Name+" older", "Hotlist %s is version %s, although version %d was accepted: somebody put older files back.", l.Name, l.Version, l.Accepted)
		}
		if l.Unrecorded {
			j.add(Warn, "hotlist", "list "+l.Name+" unrecorded", "The audit trail does not record that version %s of hotlist %s was accepted.", l.Version, l.Name)
		}
		if len(l.Forbidden) > 0 {
			j.add(Warn, "hotlist", "list "+l.Name+" purpose", "Hotlist %s has entries that this unit may not be used for (%s): they are not matched.", l.Name, strings.Join(l.Forbidden, ", "))
		}
		if l.Refused != "" {
			j.add(Warn, "hotlist", "list "+l.Name+" refused", "An update of hotlist %s was refused: %s.", l.Name, l.Refused)
		}
	}
}

// verdicts tells where persons found too many hits wrong.
func (j *judge) verdicts(d *Document) {
	if d.Verdicts == nil {
		return
	}
	for _, c := range d.Verdicts.Counts {
		if c.TooMany {
			n := c.Right + c.Wrong
			j.add(Warn, "hotlist", "list "+c.List+" "+c.How+" wrong", "Hotlist %s (%s): %d of the last %d hits that persons looked at were wrong (%.0f %%).",
				c.List, strings.ReplaceAll(c.How, "_", " "), c.Wrong, n, 100*float64(c.Wrong)/float64(n))
		}
	}
}

func (j *judge) uplink(d *Document) {
	u := &d.Uplink
	switch u.State {
	case "off":
		j.add(Warn, "uplink", "no broker", "No broker is configured: hits stay in the outbox.")
		return
	case "connecting":
		j.add(Warn, "uplink", "not connected", "Connecting to the broker: %s in the outbox.", number(d.Outbox.Pending, "hit waits", "hits wait"))
	case "connected":
	default:
		j.add(Warn, "uplink", "not connected", "No connection to the broker%s: %s in the outbox.", because(u.LastError), number(d.Outbox.Pending, "hit waits", "hits wait"))
	}
	if u.ServerSilent {
		j.add(Warn, "uplink", "server silent", "The server does not acknowledge hits: %d are kept and resent from time to time.", d.Outbox.Awaiting)
	}
	if u.Namesake != "" {
		j.add(Warn, "uplink", "namesake", "Another unit uses this unit's name (installation %s): give one of them another name and a certificate of its own.", u.Namesake)
	}
	if u.UnexpectedAcks > 0 {
		j.add(Warn, "uplink", "unexpected acknowledgements",
			"%d acknowledgements were ignored: not valid, retained, or for hits that were not sent. Somebody may be forging them.", u.UnexpectedAcks)
	}
	if !u.Certificate.IsZero() {
		switch left := u.Certificate.Sub(d.Now); {
		case left <= 0:
			j.add(Warn, "uplink", "uplink certificate", "The unit's certificate for the broker expired on %s.", u.Certificate.Format(time.DateOnly))
		case left < certificateWarning:
			j.add(Warn, "uplink", "uplink certificate", "The unit's certificate for the broker expires on %s: renew it.", u.Certificate.Format(time.DateOnly))
		}
	}
	if u.Insecure {
		j.add(Note, "uplink", "plaintext", "The link to %s is not encrypted, as configured.", u.Broker)
	}
}

// number is a number with its noun and verb.
func number(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + strings.TrimSuffix(oneLine(reason), ".")
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
