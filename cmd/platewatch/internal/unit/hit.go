package unit

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"platewatch/cmd/platewatch/internal/query"
	"platewatch/cmd/platewatch/internal/status"
	"platewatch/hotlist"
	"platewatch/ocr/passage"
	"platewatch/ocr/read"
	"platewatch/uplink"
)

// decide looks a passage up and, if it is on a list, puts the hit into the
// outbox. It is called when the vote became sure and again when it changed.
func (l *lane) decide(p passage.Passage, s *sighting) {
	matches := l.match(p)
	switch {
	case len(matches) > 0:
		s.matches = matches
	case s.hit == "":
		return // not on a list: forgotten when it ends
	default:
		// It was reported under an earlier vote. Nobody may act on that any
		// more, so the correction goes out under the same id.
		for i := range s.matches {
			s.matches[i].Caution = "the vote over more frames changed, and the plate as it reads now is not on the list"
		}
	}
	l.send(p, s)
}

// parks sends a hit once more when its vehicle turns out to be parked: it can
// be found there.
func (l *lane) parks(p passage.Passage, s *sighting) {
	if s.hit != "" && p.Text == s.sentText && p.Parked && s.sentWay != parked {
		l.send(p, s)
	}
}

// conclude sends a hit once more when the passage's end improved on it: a
// surer vote, a much larger picture than the alert went out with, or where the
// vehicle went.
func (l *lane) conclude(p passage.Passage, s *sighting) {
	const surer, larger = 0.1, 1.3
	if s.hit == "" || p.Text != s.sentText {
		return
	}
	if p.Confidence >= s.sentConfidence+surer || s.sentWay != wayOf(p) || float64(s.box.Dx()) >= larger*float64(s.sentWidth) {
		l.send(p, s)
	}
}

// match looks a text up. An error concerns single lists; what the others gave
// counts.
func (l *lane) match(p passage.Passage) []uplink.Match {
	h := l.u.cfg.Hotlist
	found, err := l.u.lists.Match(hotlist.Query{
		Text: p.Text, Characters: query.Characters(p.Characters), State: h.State, StateConfidence: h.StateShare,
		At: time.Now(), ClockSynchronised: l.u.clock().State == status.ClockSynchronised,
	})
	if err != nil {
		l.log.Error("a hotlist could not be searched", "error", err)
	}
	out := make([]uplink.Match, 0, len(found))
	for _, m := range found {
		out = append(out, matchOf(m))
	}
	return out
}

// send puts a hit, or its next revision, into the outbox.
func (l *lane) send(p passage.Passage, s *sighting) {
	h := uplink.Hit{
		Passage: p.Number, Camera: l.name, Position: position(l.u.cfg),
		CapturedAt: s.at, Clock: uplink.ClockState(l.u.clock().State),
		Text: p.Text, Confidence: p.Confidence, Characters: charactersOf(p.Characters), Region: l.u.recogniser.RegionOf(p.Text), Direction: wayOf(p),
		Frame:   &uplink.Frame{Width: s.frame.X, Height: s.frame.Y, Box: [4]int{s.box.Min.X, s.box.Min.Y, s.box.Dx(), s.box.Dy()}},
		Matches: slices.Clone(s.matches),
	}
	h.PlatePicture, h.ContextPicture = s.pictures(l.u.cfg.Pictures)
	id, err := s.hit, error(nil)
	if id == "" {
		id, err = l.u.outbox.Accept(h)
	} else {
		err = l.u.outbox.Update(id, h)
	}
	if err != nil {
		l.log.Error("a hit could not be stored", "list", h.Matches[0].List, "error", err)
		return
	}
	if s.hit == "" {
		l.mu.Lock()
		l.counts.hits++
		l.mu.Unlock()
		l.u.recordHit(id, h.Matches)
		l.log.Info("hit", "id", id, "list", h.Matches[0].List, "how", h.Matches[0].How)
	}
	s.hit, s.sentText, s.sentWay, s.sentConfidence, s.sentWidth = id, p.Text, h.Direction, p.Confidence, s.box.Dx()
	l.u.recent.put(id, h)
}

// parked is the direction of a hit whose vehicle stands.
const parked = "parked"

// wayOf is the direction as hits tell it; empty while it is not known.
func wayOf(p passage.Passage) string {
	switch {
	case p.Parked:
		return parked
	case p.Direction == passage.Unknown:
		return ""
	}
	return p.Direction.String()
}

func matchOf(m hotlist.Match) uplink.Match {
	e := m.Entry
	out := uplink.Match{
		List: m.List, Version: m.Version, Category: e.Category, Priority: e.Priority, Handling: e.Handling,
		How: uplink.How(m.How), Probability: m.Probability,
		Entry: uplink.Entry{Plate: e.Plate, State: e.State, PlateType: e.PlateType,
			Record: e.Record, Agency: e.Agency, Note: e.Note, Effective: bound(e.Effective), Expires: bound(e.Expires)},
	}
	if v := vehicleOf(e.Vehicle); v != (uplink.Vehicle{}) {
		out.Entry.Vehicle = &v
	}
	out.Caution = strings.Join(cautions(m), "; ")
	return out
}

// cautions are what makes a match less sure, in words.
func cautions(m hotlist.Match) []string {
	var words []string
	if m.How != hotlist.Exact {
		words = append(words, fmt.Sprintf("the plate is the entry's with a probability of %s", percent(m.Probability)))
	}
	if m.StateDiffers {
		words = append(words, "the entry is of another state than most plates here")
	}
	if m.TimeUnsure {
		words = append(words, "the unit's clock is not set, so the entry may have expired or not be in effect yet")
	}
	return words
}

// percent writes a probability as a person would say it.
func percent(p float64) string {
	switch {
	case p < 0.001:
		return "less than 0.1 %"
	case p < 0.1:
		return fmt.Sprintf("%.1f %%", 100*p)
	}
	return fmt.Sprintf("%.0f %%", 100*p)
}

func vehicleOf(v hotlist.Vehicle) uplink.Vehicle {
	year := ""
	if v.Year > 0 {
		year = strconv.Itoa(v.Year)
	}
	return uplink.Vehicle{Year: year, Make: v.Make, Model: v.Model, Style: v.Style, Colour: v.Colour}
}

func bound(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func charactersOf(cs []read.Character) []uplink.Character {
	out := make([]uplink.Character, 0, len(cs))
	for _, c := range cs {
		n := uplink.Character{Text: c.Text, Confidence: c.Confidence}
		for _, a := range c.Alternatives {
			n.Alternatives = append(n.Alternatives, uplink.Alternative{Text: a.Text, Confidence: a.Confidence})
		}
		out = append(out, n)
	}
	return out
}

// recentHits keeps the latest hits for the status page, oldest first.
type recentHits struct {
	mu   sync.Mutex
	hits []recentHit
}

type recentHit struct {
	hit  uplink.Hit
	id   string
	when time.Time // by the monotonic clock
}

// maxRecent bounds the hits on the status page.
const maxRecent = 20

func (r *recentHits) put(id string, h uplink.Hit) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := recentHit{h, id, time.Now()}
	for i := range r.hits {
		if r.hits[i].id == id {
			n.when = r.hits[i].when
			r.hits[i] = n
			return
		}
	}
	if len(r.hits) == maxRecent {
		r.hits = slices.Delete(r.hits, 0, 1)
	}
	r.hits = append(r.hits, n)
}

// latest returns the hits, newest first.
func (r *recentHits) latest() []recentHit {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := slices.Clone(r.hits)
	slices.Reverse(out)
	return out
}
