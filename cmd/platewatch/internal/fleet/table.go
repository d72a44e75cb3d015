// Package fleet is the table of `watch -units`: the state of each unit in a row.
package fleet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"platewatch/uplink/message"
	"platewatch/uplink/watch"
)

// Table has one row for each unit.
type Table struct {
	units map[string]*unitRow
	now   func() time.Time
}

type unitRow struct {
	unit    string
	state   message.Presence
	reason  string // why it is offline
	health  *message.Health
	lists   []message.ListHealth
	refused int
	lastHit time.Time // by the unit's clock
	gaps    int
	suspect string // what was noticed last that nobody may do to a unit
}

// maxTableUnits bounds the table: anybody who may write to the broker can make up
// topics.
const maxTableUnits = 10_000

// New makes an empty table.
func New() *Table { return &Table{units: map[string]*unitRow{}, now: time.Now} }

func (t *Table) row(unit string) *unitRow {
	r := t.units[unit]
	if r == nil {
		r = &unitRow{unit: unit}
		if len(t.units) < maxTableUnits {
			t.units[unit] = r
		}
	}
	return r
}

// Hit notes a hit.
func (t *Table) Hit(h *message.Hit) {
	r := t.row(h.Unit)
	if h.CapturedAt.After(r.lastHit) {
		r.lastHit = h.CapturedAt
	}
}

// State notes that a unit went online or offline.
func (t *Table) State(s *message.State) {
	r := t.row(s.Unit)
	r.state, r.reason = s.State, s.Reason
}

// Health notes a health message.
func (t *Table) Health(h *message.Health) {
	r := t.row(h.Unit)
	r.health = h
	if h.LastHit.After(r.lastHit) {
		r.lastHit = h.LastHit
	}
	if r.lists == nil {
		r.lists = h.Lists
	}
}

// Hotlists notes which lists a unit has.
func (t *Table) Hotlists(l *message.HotlistReport) {
	r := t.row(l.Unit)
	r.lists, r.refused = l.Lists, len(l.Refused)
}

// Suspect notes what nobody may do to a unit.
func (t *Table) Suspect(s *watch.Suspicion) { t.row(s.Unit).suspect = s.What }

// Gap notes hits that were lost.
func (t *Table) Gap(g *watch.Gap) { t.row(g.Unit).gaps++ }

// write prints the table, units that need attention first.
func (t *Table) write(out io.Writer) error {
	rows := make([]*unitRow, 0, len(t.units))
	online := 0
	for _, r := range t.units {
		rows = append(rows, r)
		if r.state == message.Online {
			online++
		}
	}
	slices.SortFunc(rows, func(a, b *unitRow) int {
		if a, b := a.state == message.Online, b.state == message.Online; a != b {
			if b {
				return -1
			}
			return 1
		}
		return strings.Compare(a.unit, b.unit)
	})
	fmt.Fprintf(out, "%d units, %d online\n", len(rows), online)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "UNIT\tSTATE\tHEALTH\tHITS\tLAST HIT\tBACKLOG\tLOST\tCAMERAS\tLISTS\tPROBLEMS")
	for _, r := range rows {
		fmt.Fprintln(w, strings.Join(r.cells(t.now()), "\t"))
	}
	return w.Flush()
}

func (r *unitRow) cells(now time.Time) []string {
	state := string(r.state)
	if state == "" {
		state = "unknown"
	}
	cells := []string{r.unit, state, "-", "-", ago(r.lastHit, now)}
	backlog, lost, cameras, problems := "-", fmt.Sprint(r.gaps), "-", "-"
	if h := r.health; h != nil {
		// The ages are the unit's own: a retained message of a unit that is gone is old.
		cells[2], cells[3] = ago(h.At, now), fmt.Sprint(h.Hits)
		if h.Clock != message.ClockSynchronised {
			cells[2] += "?"
		}
		backlog = fmt.Sprint(h.Outbox.Entries)
		lost = fmt.Sprint(uint64(r.gaps) + h.Outbox.DroppedEntries)
		on := 0
		for _, c := range h.Cameras {
			if c.State == "online" {
				on++
			}
		}
		cameras = fmt.Sprintf("%d/%d", on, len(h.Cameras))
		problems = fmt.Sprint(len(h.Problems))
		if len(h.Problems) > 0 {
			problems += ": " + h.Problems[0]
		}
		if r.state != message.Online {
			cameras, problems = "-", "before: "+problems
		}
	}
	if r.state == message.Offline {
		gone := "offline"
		if r.reason != "" {
			gone += ", " + r.reason
		}
		if problems = strings.TrimPrefix(problems, "-"); problems != "" {
			gone += "; " + problems
		}
		problems = gone
	}
	if r.suspect != "" {
		problems = "! " + r.suspect
	}
	var lists []string
	for _, l := range r.lists {
		text := strings.TrimSuffix(l.Name+" "+l.Version, " ")
		if l.Missing {
			text += " missing"
		}
		if l.Overdue {
			text += " overdue"
		}
		lists = append(lists, text)
	}
	if r.refused > 0 {
		lists = append(lists, fmt.Sprintf("(%d refused)", r.refused))
	}
	cells = append(cells, backlog, lost, cameras, strings.Join(lists, ", "), problems)
	for i := range cells {
		cells[i] = Printable(fmt.Sprintf("%.120s", cells[i]))
	}
	return cells
}

// ago formats the time since an event in one unit of time, seconds to days.
func ago(then, now time.Time) string {
	if then.IsZero() {
		return "-"
	}
	switch d := now.Sub(then); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d d", int(d.Hours()/24))
	}
}

// unitLine is one unit as a line of JSON.
type unitLine struct {
	Unit    string               `json:"unit"`
	State   message.Presence     `json:"state"`
	At      time.Time            `json:"at,omitzero"` // of the last health message, by the unit's clock
	Level   message.Level        `json:"level,omitempty"`
	Hits    uint64               `json:"hits"` // since the unit started
	LastHit time.Time            `json:"last_hit,omitzero"`
	Backlog int                  `json:"backlog"`
	Lost    uint64               `json:"lost"`
	Lists   []message.ListHealth `json:"lists"`
	Problem []string             `json:"problems"`
}

// lines is the table as one JSON object a unit.
func (t *Table) lines(out io.Writer) error {
	enc := json.NewEncoder(out)
	names := make([]string, 0, len(t.units))
	for name := range t.units {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		r := t.units[name]
		l := unitLine{Unit: name, State: r.state, LastHit: r.lastHit, Lost: uint64(r.gaps), Lists: r.lists, Problem: []string{}}
		if l.Lists == nil {
			l.Lists = []message.ListHealth{}
		}
		if h := r.health; h != nil {
			l.At, l.Level, l.Hits = h.At, h.Level, h.Hits
			l.Backlog, l.Lost = h.Outbox.Entries, l.Lost+h.Outbox.DroppedEntries
			l.Problem = append(l.Problem, h.Problems...)
		}
		if r.suspect != "" {
			l.Problem = append(l.Problem, r.suspect)
		}
		if err := enc.Encode(l); err != nil {
			return err
		}
	}
	return nil
}

// Screen writes the table repeatedly: in place on a terminal; elsewhere one after
// the other, and only after a change.
type Screen struct {
	Out      io.Writer
	Terminal bool
	last     []byte
}

// Show writes the table if it differs from the last one.
func (s *Screen) Show(t *Table, asJSON bool) error {
	var b bytes.Buffer
	write := t.write
	if asJSON {
		write = t.lines
	}
	if err := write(&b); err != nil {
		return err
	}
	if bytes.Equal(b.Bytes(), s.last) {
		return nil
	}
	s.last = bytes.Clone(b.Bytes())
	if s.Terminal && !asJSON {
		if _, err := io.WriteString(s.Out, "\x1b[H\x1b[2J"); err != nil {
			return err
		}
	}
	_, err := s.Out.Write(s.last)
	return err
}

// Printable replaces what a terminal does not print, which could be commands for it.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
