package doctor

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// Level is the outcome of a check.
type Level string

// The levels. Skip: this machine or configuration does not have it, or the check
// would disturb the running daemon.
const (
	OK   Level = "ok"
	Skip Level = "skip"
	Warn Level = "warn" // it works, and needs attention
	Fail Level = "fail" // the unit does not do its work, or soon will not
)

// Finding is what one check found.
type Finding struct {
	About    string `json:"about"`          // "camera front"
	What     string `json:"what,omitempty"` // "rate"
	Level    Level  `json:"level"`
	Measured string `json:"measured"`
	Want     string `json:"want,omitempty"`   // what it should be
	Advice   string `json:"advice,omitempty"` // what to do, with Warn and Fail
}

// Report is what all checks found, in their order.
type Report struct {
	Unit          string    `json:"unit"`
	Configuration string    `json:"configuration"`
	At            time.Time `json:"at"`
	Daemon        bool      `json:"daemon"` // it runs, and was asked
	Level         Level     `json:"level"`  // of the worst finding; Skip counts as OK
	Findings      []Finding `json:"findings"`
}

// add takes a finding, in the form in which it is kept.
func (r *Report) add(f Finding) Finding {
	f.Measured, f.Want, f.Advice = oneLine(f.Measured), oneLine(f.Want), oneLine(f.Advice)
	r.Findings = append(r.Findings, f)
	if r.Level == "" {
		r.Level = OK
	}
	if f.Level == Fail || f.Level == Warn && r.Level != Fail {
		r.Level = f.Level
	}
	return f
}

func oneLine(s string) string {
	return strings.TrimSuffix(strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " "), ".")
}

// Count is how many findings have a level.
func (r *Report) Count(l Level) (n int) {
	for _, f := range r.Findings {
		if f.Level == l {
			n++
		}
	}
	return n
}

// sink takes findings.
type sink func(Finding)

func (s sink) ok(about, what, measured, want string) {
	s(Finding{About: about, What: what, Level: OK, Measured: measured, Want: want})
}

func (s sink) skip(about, what, why string) {
	s(Finding{About: about, What: what, Level: Skip, Measured: why})
}

func (s sink) warn(about, what, measured, want, advice string) {
	s(Finding{About: about, What: what, Level: Warn, Measured: measured, Want: want, Advice: advice})
}

func (s sink) fail(about, what, measured, want, advice string) {
	s(Finding{About: about, What: what, Level: Fail, Measured: measured, Want: want, Advice: advice})
}

// grade is ok where good is true, and else of the given level.
func (s sink) grade(good bool, otherwise Level, about, what, measured, want, advice string) {
	if good {
		s.ok(about, what, measured, want)
		return
	}
	s(Finding{About: about, What: what, Level: otherwise, Measured: measured, Want: want, Advice: advice})
}

// textWidth is that of a serial console, in characters.
const textWidth = 80

// Write prints a finding for people: one line, and below it what it should be and
// what to do, unless all is well.
func (f Finding) Write(w io.Writer) error {
	subject := f.About
	if f.What != "" {
		subject += ", " + f.What
	}
	const indent = "      "
	text := wrap(fmt.Sprintf("%-4s  %s: %s", f.Level, subject, f.Measured), indent)
	if f.Level == Warn || f.Level == Fail {
		if f.Want != "" {
			text += wrap(indent+"should be: "+f.Want, indent+"  ")
		}
		if f.Advice != "" {
			text += wrap(indent+"do: "+f.Advice, indent+"  ")
		}
	}
	_, err := io.WriteString(w, text)
	return err
}

// WriteSummary prints the last line.
func (r *Report) WriteSummary(w io.Writer) error {
	words := fmt.Sprintf("all is well: %d checks", len(r.Findings)-r.Count(Skip))
	if n, m := r.Count(Fail), r.Count(Warn); n+m > 0 {
		words = fmt.Sprintf("%d failed, %d to look after, %d well", n, m, r.Count(OK))
	}
	if n := r.Count(Skip); n > 0 {
		words += fmt.Sprintf(", %d left out", n)
	}
	_, err := fmt.Fprintf(w, "%s\n", words)
	return err
}

// wrap breaks a text between words; lines after the first begin with indent.
func wrap(text, indent string) string {
	lead := text[:len(text)-len(strings.TrimLeft(text, " "))]
	var b strings.Builder
	line := lead
	for i, word := range strings.Split(text[len(lead):], " ") {
		if i > 0 && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > textWidth && strings.TrimSpace(line) != "" {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = indent + word
			continue
		}
		if i > 0 {
			line += " "
		}
		line += word
	}
	b.WriteString(line + "\n")
	return b.String()
}
