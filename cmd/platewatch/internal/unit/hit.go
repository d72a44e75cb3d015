package unit

import (
	"slices"
	"sync"
	"time"

	"platewatch/cmd/platewatch/internal/hit"
	"platewatch/cmd/platewatch/internal/status"
	"platewatch/hotlist"
	"platewatch/ocr/passage"
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
			s.matches[i].Caution = "corrected: after more frames the plate reads differently and is not on the list"
		}
	}
	l.send(p, s)
}

// parks sends a hit once more when its vehicle turns out to be parked: it can
// be found there.
func (l *lane) parks(p passage.Passage, s *sighting) {
	if s.hit != "" && p.Text == s.sentText && p.Parked && s.sentWay != hit.Parked {
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
	if p.Confidence >= s.sentConfidence+surer || s.sentWay != hit.Direction(&p) || float64(s.box.Dx()) >= larger*float64(s.sentWidth) {
		l.send(p, s)
	}
}

// match looks a text up. An error concerns single lists; what the others gave
// counts.
func (l *lane) match(p passage.Passage) []uplink.Match {
	h := l.u.cfg.Hotlist
	found, err := l.u.lists.Match(hotlist.Query{
		Text: p.Text, Characters: hit.Reading(p.Characters), State: h.State, StateConfidence: h.StateShare,
		At: time.Now(), ClockSynchronised: l.u.clock().State == status.ClockSynchronised,
	})
	if err != nil {
		l.log.Error("a hotlist could not be searched", "error", err)
	}
	return hit.Matches(found)
}

// send puts a hit, or its next revision, into the outbox.
func (l *lane) send(p passage.Passage, s *sighting) {
	h := hit.Message(&p, s.matches)
	h.Camera, h.Position = l.name, position(l.u.cfg)
	h.CapturedAt, h.Clock = s.at, uplink.ClockState(l.u.clock().State)
	h.Region = l.u.recogniser.RegionOf(p.Text)
	h.Frame = &uplink.Frame{Width: s.frame.X, Height: s.frame.Y, Box: [4]int{s.box.Min.X, s.box.Min.Y, s.box.Dx(), s.box.Dy()}}
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
