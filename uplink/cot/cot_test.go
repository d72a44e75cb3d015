package cot

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"platewatch/uplink/message"
)

var at = time.Date(2026, 5, 4, 3, 2, 1, 500e6, time.UTC)

func hits() map[string]message.Hit {
	full := message.Hit{ID: "unit-7-42", Unit: "unit-7", Camera: "north", Revision: 1, CapturedAt: at, Clock: message.ClockSynchronised, Text: "M5XSX", Confidence: 0.94,
		Position: &message.Position{Latitude: 52.5, Longitude: -13.4},
		Matches:  []message.Match{{List: "state", Category: "stolen_vehicle", How: message.HowExact, Handling: "stop & identify <carefully>", Entry: message.Entry{Plate: "M5XSX", State: "BE"}}}}
	long, bare, pole := full, full, full
	long.Matches = []message.Match{{List: strings.Repeat("l", 64), Category: "x", Handling: strings.Repeat("Ω", 2000), Entry: message.Entry{Plate: "M5XSX"}}, full.Matches[0], full.Matches[0], full.Matches[0]}
	bare.Matches, bare.Clock = nil, message.ClockUnsynchronised
	pole.Position, pole.Text = &message.Position{Latitude: -90, Longitude: 180}, "<&\x01\"'>"
	return map[string]message.Hit{"full": full, "long": long, "bare": bare, "pole": pole, "withdrawn": {ID: "unit-7-42", Unit: "unit-7", Revision: 2, Withdrawn: true}}
}

// originalSchema names the file of MITRE's own Event-PUBLIC.xsd (case 11-3895). It is
// approved for public release and not ours to distribute; testdata/event.xsd has its rules.
const originalSchema = "PLATEWATCH_COT_SCHEMA"

// TestFieldCursorOnTarget: each event is valid by the published schema: by our own
// check of its rules, by xmllint with testdata/event.xsd, and by xmllint with the
// original where [originalSchema] names it.
func TestFieldCursorOnTarget(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for name, h := range hits() {
		text, ok, err := encode(&h, at.Add(time.Second))
		if err != nil || !ok {
			t.Fatalf("%s: %v %t", name, err, ok)
		}
		if len(text) > 1400 || bytes.ContainsRune(text, '\n') {
			t.Errorf("%s: %d bytes in %d lines do not fit into a packet", name, len(text), 1+bytes.Count(text, []byte("\n")))
		}
		if err := rules(text); err != nil {
			t.Errorf("%s: %v: %s", name, err, text)
		}
		file := filepath.Join(dir, name+".xml")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	if h := hits()["full"]; true {
		h.Position = nil
		if _, ok, err := encode(&h, at); ok || err != nil {
			t.Errorf("a hit without a position is an event (%v)", err)
		}
	}
	h := hits()["full"]
	got, _, err := encode(&h, at.Add(time.Second))
	const want = `<event version="2.0" uid="platewatch.unit-7-42" type="a-u-G-E-V-C" how="m-c" time="2026-05-04T03:02:02.500Z" start="2026-05-04T03:02:01.500Z" stale="2026-05-04T03:12:01.500Z">` +
		`<point lat="52.500000" lon="-13.400000" hae="9999999.0" ce="9999999.0" le="9999999.0"></point>` +
		`<detail><contact callsign="M5XSX stolen vehicle"></contact><remarks>list state: M5XSX BE, exact match; stop &amp; identify &lt;carefully&gt;. read 94 % sure by unit-7, camera north. ` +
		`Not verified: compare plate and issuing state before acting.</remarks></detail></event>`
	if err != nil || string(got) != want {
		t.Errorf("%v, got\n%s\nwant\n%s", err, got, want)
	}
	if _, err := exec.LookPath("xmllint"); err != nil {
		t.Log("xmllint is not installed: the events were not validated against the schema")
		return
	}
	schemas := []string{"testdata/event.xsd"}
	if original := os.Getenv(originalSchema); original != "" {
		schemas = append(schemas, original)
	}
	for _, schema := range schemas {
		if out, err := exec.Command("xmllint", append([]string{"--noout", "--schema", schema}, files...)...).CombinedOutput(); err != nil {
			t.Errorf("xmllint, %s: %v: %s", schema, err, out)
		}
	}
	t.Attr("outcome", fmt.Sprintf("%d events validate", len(files)))
}

// rules checks an event against what Event.xsd demands.
func rules(text []byte) error {
	var e struct {
		XMLName xml.Name
		Attrs   []xml.Attr `xml:",any,attr"`
		Points  []struct {
			Attrs []xml.Attr `xml:",any,attr"`
		} `xml:"point"`
		Details []struct{}                   `xml:"detail"`
		Other   []struct{ XMLName xml.Name } `xml:",any"`
	}
	if err := xml.Unmarshal(text, &e); err != nil {
		return err
	}
	if e.XMLName.Local != "event" || len(e.Points) != 1 || len(e.Details) > 1 || len(e.Other) > 0 {
		return fmt.Errorf("elements %v", e)
	}
	moment := `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`
	for _, group := range []struct {
		attrs []xml.Attr
		want  map[string]string
	}{
		{e.Attrs, map[string]string{"version": `2\.0`, "uid": `.+`, "type": `\w+(-\w+)*(;[^;]*)?`, "how": `\w(-\w+)*`, "time": moment, "start": moment, "stale": moment}},
		{e.Points[0].Attrs, map[string]string{"lat": `-?\d+\.\d+`, "lon": `-?\d+\.\d+`, "hae": `-?\d+\.\d+`, "ce": `\d+\.\d+`, "le": `\d+\.\d+`}},
	} {
		for _, a := range group.attrs {
			pattern, ok := group.want[a.Name.Local]
			if !ok || !regexp.MustCompile("^"+pattern+"$").MatchString(a.Value) {
				return fmt.Errorf("%s = %q", a.Name.Local, a.Value)
			}
			delete(group.want, a.Name.Local)
			if most := map[string]float64{"lat": 90, "lon": 180}[a.Name.Local]; most > 0 {
				if v, err := strconv.ParseFloat(a.Value, 64); err != nil || v < -most || v > most {
					return fmt.Errorf("%s = %q", a.Name.Local, a.Value)
				}
			}
		}
		if len(group.want) > 0 {
			return fmt.Errorf("%v are missing", group.want)
		}
	}
	return nil
}

// TestSink: events go out over UDP and into a file, a withdrawal only after its hit.
func TestSink(t *testing.T) {
	receiver, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer receiver.Close()
	file := filepath.Join(t.TempDir(), "events.xml")
	for _, to := range []string{"udp://" + receiver.LocalAddr().String(), file} {
		s, err := Open(to, false)
		if err != nil {
			t.Fatal(err)
		}
		all := hits()
		for _, name := range []string{"withdrawn", "full", "withdrawn"} {
			h := all[name]
			if err := s.Send(&h); err != nil {
				t.Error(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if to == file {
			continue
		}
		for _, want := range []string{vehicle, deletion} {
			b := make([]byte, 2000)
			n, _, err := receiver.ReadFrom(b)
			if err != nil || !strings.Contains(string(b[:n]), want) || rules(b[:n]) != nil {
				t.Errorf("%v, received %s", err, b[:n])
			}
		}
	}
	text, err := os.ReadFile(file)
	if err != nil || bytes.Count(text, []byte("\n")) != 2 {
		t.Errorf("%v, the file holds %s", err, text)
	}
	for to, insecure := range map[string]bool{"udp://192.0.2.7:6969": false, "tcp://127.0.0.1:8087": true, "udp://127.0.0.1": true, "udp://u:p@127.0.0.1:1": true} {
		if s, err := Open(to, insecure); err == nil || !Usage(err) {
			t.Errorf("%s: %v", to, err)
			if s != nil {
				s.Close()
			}
		}
	}
	s, err := Open("udp://239.2.3.1:6969", true)
	if err != nil {
		t.Fatalf("multicast: %v", err)
	}
	s.Close()
	if _, err := Open(filepath.Join(file, "x"), true); err == nil || Usage(err) {
		t.Errorf("a file that cannot be made: %v", err)
	}
}
