// Package cot sends hits to TAK and other programs that speak Cursor on Target: an
// event for each hit whose camera has a position.
//
// An event is that of version 2.0 as MITRE's Event.xsd describes it. Its uid is the
// hit's id, so that a later revision replaces an earlier one; a withdrawal deletes it.
package cot

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"platewatch/uplink/broker"
	"platewatch/uplink/failure"
	"platewatch/uplink/message"
)

const (
	// vehicle is a civilian vehicle of unknown affiliation on the ground; configured
	// says that its place was not measured: it is the camera's.
	vehicle    = "a-u-G-E-V-C"
	configured = "m-c"
	// deletion asks receivers to remove an event.
	deletion = "t-x-d-d"
	// staleAfter is how long receivers show a hit as current.
	staleAfter = 10 * time.Minute
	// unknown stands for a height or an error that nobody knows.
	unknown = "9999999.0"
	// maxText bounds each text of an event, in characters: it must fit into one packet.
	maxText = 120
	// maxSent bounds the hits that are remembered, for their withdrawal.
	maxSent = 10_000
)

// event is the root element. Attributes and elements are those of Event.xsd.
type event struct {
	XMLName xml.Name `xml:"event"`
	Version string   `xml:"version,attr"`
	UID     string   `xml:"uid,attr"`
	Type    string   `xml:"type,attr"`
	How     string   `xml:"how,attr"`
	Time    string   `xml:"time,attr"`
	Start   string   `xml:"start,attr"`
	Stale   string   `xml:"stale,attr"`
	Point   point    `xml:"point"`
	Detail  detail   `xml:"detail"`
}

type point struct {
	Lat string `xml:"lat,attr"` // degrees, WGS 84
	Lon string `xml:"lon,attr"`
	HAE string `xml:"hae,attr"` // height above the ellipsoid, metres
	CE  string `xml:"ce,attr"`  // circular error, metres
	LE  string `xml:"le,attr"`  // linear error, metres
}

type detail struct {
	Contact *contact  `xml:"contact"`
	Remarks string    `xml:"remarks,omitempty"`
	Link    *link     `xml:"link"`
	Delete  *struct{} `xml:"__forcedelete"`
}

type contact struct {
	Callsign string `xml:"callsign,attr"`
}

type link struct {
	UID      string `xml:"uid,attr"`
	Type     string `xml:"type,attr"`
	Relation string `xml:"relation,attr"`
}

// encode returns a hit as an event of one line. ok is false for a hit without a
// position, which is no event; a withdrawal has none, and its event deletes the one
// with the hit's id.
func encode(h *message.Hit, now time.Time) (text []byte, ok bool, err error) {
	e := event{Version: "2.0", UID: "platewatch." + h.ID, Time: stamp(now), Start: stamp(now), Stale: stamp(now.Add(staleAfter)),
		Type: deletion, How: configured, Point: point{"0.0", "0.0", unknown, unknown, unknown}}
	switch {
	case h.Withdrawn:
		e.Detail = detail{Link: &link{e.UID, vehicle, "p-p"}, Delete: &struct{}{}}
	case h.Position == nil:
		return nil, false, nil
	default:
		e.Type = vehicle
		if !h.CapturedAt.IsZero() {
			e.Start, e.Stale = stamp(h.CapturedAt), stamp(h.CapturedAt.Add(staleAfter))
		}
		e.Point.Lat, e.Point.Lon = degrees(h.Position.Latitude), degrees(h.Position.Longitude)
		e.Detail = detail{Contact: &contact{short(callsign(h))}, Remarks: remarks(h)}
	}
	text, err = xml.Marshal(e)
	return text, true, err
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func degrees(d float64) string { return fmt.Sprintf("%.6f", d) }

// callsign is what a map shows beside the hit.
func callsign(h *message.Hit) string {
	if len(h.Matches) == 0 {
		return h.Text
	}
	return h.Text + " " + strings.ReplaceAll(h.Matches[0].Category, "_", " ")
}

// remarks say what a person must know before acting.
func remarks(h *message.Hit) string {
	var lines []string
	for _, m := range h.Matches[:min(len(h.Matches), 3)] {
		entry := m.Entry.Plate
		if m.Entry.Written != "" {
			entry = m.Entry.Written
		}
		line := fmt.Sprintf("list %s: %s %s, %s match", m.List, entry, m.Entry.State, m.How)
		if m.Handling != "" {
			line += "; " + m.Handling
		}
		lines = append(lines, short(line))
	}
	lines = append(lines, short(fmt.Sprintf("read %.0f %% sure by %s, camera %s", 100*h.Confidence, h.Unit, h.Camera)))
	if h.Clock != message.ClockSynchronised {
		lines = append(lines, "the unit's clock was not synchronised")
	}
	return strings.Join(append(lines, "Not verified: compare plate and issuing state before acting."), ". ")
}

func short(s string) string {
	if r := []rune(s); len(r) > maxText {
		return string(r[:maxText-1]) + "…"
	}
	return s
}

// Sink takes events: a UDP address, or a file to which they are appended, one a line.
type Sink struct {
	conn net.Conn // nil: a file
	file *os.File
	sent map[string]bool // ids of hits that were sent, for their withdrawal
	now  func() time.Time
}

// Open opens udp://HOST:PORT, also a multicast group, or a file. Another machine gets
// hits in plain text, which insecure must allow.
func Open(to string, insecure bool) (*Sink, error) {
	s := &Sink{sent: map[string]bool{}, now: time.Now}
	fail := func(err error, advice string) (*Sink, error) {
		return nil, &failure.Error{Op: "send Cursor on Target to", Path: to, Err: failure.WithoutPath(err), Advice: advice}
	}
	if !strings.Contains(to, "://") {
		var err error
		if s.file, err = os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
			return fail(err, "name a file that can be written, or udp://HOST:PORT")
		}
		return s, nil
	}
	u, err := url.Parse(to)
	switch {
	case err != nil || u.Scheme != "udp" || u.Hostname() == "" || u.Port() == "" || u.Path != "" || u.RawQuery != "" || u.User != nil:
		return fail(errAddress, "write udp://HOST:PORT, or the name of a file")
	case !insecure && !broker.Loopback(u.Hostname()):
		return fail(errPlaintext, "send to a TAK server on this machine, or add -insecure where the network itself is protected")
	}
	if s.conn, err = net.Dial("udp", u.Host); err != nil {
		return fail(err, "check the address")
	}
	return s, nil
}

var (
	errAddress   = errors.New("it is neither udp://HOST:PORT nor a file")
	errPlaintext = errors.New("it would send every hit in plain text over the network")
)

// Usage tells whether an error of [Open] is about the address alone.
func Usage(err error) bool { return errors.Is(err, errAddress) || errors.Is(err, errPlaintext) }

// Send sends a hit; a hit without a position, and a withdrawal of one that was not
// sent, are left out.
func (s *Sink) Send(h *message.Hit) error {
	if h.Withdrawn && !s.sent[h.ID] {
		return nil
	}
	text, ok, err := encode(h, s.now())
	if err != nil || !ok {
		return err
	}
	if s.conn != nil {
		_, err = s.conn.Write(text)
	} else {
		_, err = s.file.Write(append(text, '\n'))
	}
	switch {
	case err != nil:
		return fmt.Errorf("the Cursor on Target event of hit %s was not sent: %w", h.ID, err)
	case h.Withdrawn:
		delete(s.sent, h.ID)
	case len(s.sent) < maxSent:
		s.sent[h.ID] = true
	}
	return nil
}

// Close closes the sink.
func (s *Sink) Close() error {
	if s.conn != nil {
		return s.conn.Close()
	}
	return s.file.Close()
}
