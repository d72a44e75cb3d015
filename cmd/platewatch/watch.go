package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"platewatch/cmd/platewatch/internal/fleet"
	"platewatch/cmd/platewatch/internal/hit"
	"platewatch/cmd/platewatch/internal/status"
	"platewatch/uplink/broker"
	"platewatch/uplink/cot"
	"platewatch/uplink/message"
	"platewatch/uplink/watch"
)

// runWatch prints what one unit or the whole fleet publishes.
func runWatch(ctx context.Context, std stdio, args []string) error {
	fs := flag.NewFlagSet("watch", flag.ContinueOnError)
	var (
		cfg     watch.Settings
		broker  broker.Broker
		urls    []string
		asJSON  = fs.Bool("json", false, "print one JSON object per line: a message as received, or an event")
		count   = fs.Int("count", 0, "stop after this many `hits`; 0 goes on until interrupted")
		noState = fs.Bool("hits-only", false, "do not print units going online and offline")
		units   = fs.Bool("units", false, "show a table of the units instead: state, last hit, backlog, list versions")
		tak     = fs.String("cot", "", "also send hits that have a position as Cursor on Target events: `udp://HOST:PORT`, or a file to append them to")
		given   verdictFlags
		every   = fs.Duration("every", 2*time.Second, "with -units, how often the table is updated")
	)
	fs.BoolVar(&cfg.Ack, "ack", false, "acknowledge printed hits to the units, for uplink.ack = \"server\"; only one program may do so, and it must store them")
	fs.Func("broker", "the broker's `URL`: mqtts://HOST:8883, or mqtt://127.0.0.1:1883 for one on this machine; several times for the nodes of a cluster, in order of preference",
		func(url string) error { urls = append(urls, url); return nil })
	fs.StringVar(&cfg.Unit, "unit", "", "watch only this `unit`; default: the whole fleet")
	fs.BoolVar(&cfg.Once, "once", false, "exit with code 1 if the first connection fails, instead of retrying")
	fs.StringVar(&broker.CAFile, "ca", "", "PEM `file` of the authority that signed the broker's certificate")
	fs.StringVar(&broker.CertFile, "cert", "", "PEM `file` of the client's certificate")
	fs.StringVar(&broker.KeyFile, "key", "", "PEM `file` of the client's key")
	fs.StringVar(&broker.UserFile, "user-file", "", "`file` that holds the user's name")
	fs.StringVar(&broker.PasswordFile, "password-file", "", "`file` that holds the password")
	fs.BoolVar(&broker.Insecure, "insecure", false, "allow plaintext to a broker, or a receiver of -cot, on another machine")
	given.add(fs)
	if err := parse(fs, std, "-broker URL [flags]\n\nWith -verdict ID right|wrong -reason TEXT it tells the hit's unit what a person found,\nand prints the unit's answer.\n", args); err != nil {
		return err
	}
	if err := given.check(fs); err != nil {
		return err
	}
	switch {
	case fs.NArg() > 0 && given.ID == "" || fs.NArg() > 1:
		return usageError(fmt.Sprintf("watch takes no arguments, got %q", fs.Arg(0)), "`platewatch watch -h` lists the flags")
	case len(urls) == 0:
		return usageError("-broker is missing", "add -broker URL, for instance -broker mqtt://127.0.0.1:1883")
	case *count < 0:
		return usageError("-count is negative", "give the number of hits to wait for")
	case *units && (*count > 0 || *noState || cfg.Ack || *tak != ""):
		return usageError("-count, -hits-only, -ack and -cot have no effect with -units, which shows no hits", "leave them out")
	case *every < 100*time.Millisecond:
		return usageError("-every is too short", "give at least 100ms")
	}
	if cfg.Unit != "" {
		if err := message.ValidateName(cfg.Unit); err != nil {
			return usageError(err.Error(), "leave -unit out to watch the whole fleet")
		}
	}
	for _, url := range urls {
		broker.URL = url
		if err := broker.CheckAddress(); err != nil {
			return &failure{code: exitUsage, err: err, hint: hint(err)}
		}
		cfg.Brokers = append(cfg.Brokers, broker)
	}
	if given.ID != "" {
		return given.send(ctx, std, cfg, *asJSON)
	}
	if *units {
		return watchUnits(ctx, std, cfg, *every, *asJSON)
	}
	p := &watchPrinter{out: std.out, err: std.err, json: *asJSON, states: !*noState, left: *count}
	handler := p.handler()
	if *tak != "" {
		events, err := cot.Open(*tak, broker.Insecure)
		if cot.Usage(err) {
			return &failure{code: exitUsage, err: err, hint: hint(err)}
		}
		if err != nil {
			return err
		}
		defer events.Close()
		handler.Hit = fleet.WithEvents(events, handler.Hit, std.err)
	}
	return watch.Run(ctx, cfg, handler, slog.New(slog.DiscardHandler))
}

// watchUnits shows the table of the units until ctx is done.
func watchUnits(ctx context.Context, std stdio, cfg watch.Settings, every time.Duration, asJSON bool) error {
	s := fleet.Screen{Out: std.out}
	if f, ok := std.out.(*os.File); ok {
		s.Terminal = term.IsTerminal(int(f.Fd()))
	}
	t := fleet.New()
	link := (&watchPrinter{err: std.err}).handler().Link
	handler := watch.Handler{
		Hit:       func(h *message.Hit, _ []byte) error { t.Hit(h); return nil },
		State:     func(st *message.State, _ []byte) error { t.State(st); return nil },
		Health:    func(h *message.Health, _ []byte) error { t.Health(h); return nil },
		Hotlists:  func(l *message.HotlistReport, _ []byte) error { t.Hotlists(l); return nil },
		Gap:       func(g *watch.Gap) error { t.Gap(g); return nil },
		Suspicion: func(s *watch.Suspicion) error { t.Suspect(s); return nil },
		Link:      link,
		Tick:      func() error { return s.Show(t, asJSON) },
	}
	cfg.TickEvery = every
	return watch.Run(ctx, cfg, handler, slog.New(slog.DiscardHandler))
}

// watchPrinter prints the events of [watch.Run]: hits and states on standard
// output, the link's state and faults on standard error. With -json all events
// about messages go to standard output.
type watchPrinter struct {
	out, err io.Writer
	json     bool
	states   bool
	left     int // hits until the end; 0 for no end
}

func (p *watchPrinter) handler() watch.Handler {
	return watch.Handler{
		Hit: func(h *message.Hit, raw []byte) error {
			if err := p.hit(h, raw); err != nil {
				return err
			}
			if p.left > 0 {
				if p.left--; p.left == 0 {
					return watch.ErrStop
				}
			}
			return nil
		},
		State: func(s *message.State, raw []byte) error {
			switch {
			case !p.states:
				return nil
			case p.json:
				return p.raw(raw)
			}
			text := string(s.State)
			if s.Reason != "" {
				text += " (" + s.Reason + ")"
			}
			return p.line("%s  %-12s %s\n", when(s.Since), s.Unit, text)
		},
		Gap: func(g *watch.Gap) error {
			if p.json {
				return p.object("gap", g)
			}
			if g.Until == 0 {
				return p.line("-- %s: the unit restarted its numbering after %d; hits may be missing before %s\n", g.Unit, g.After, g.Hit)
			}
			return p.line("-- %s: hits after number %d up to %d are missing\n", g.Unit, g.After, g.Until)
		},
		Suspicion: func(s *watch.Suspicion) error {
			if p.json {
				return p.object("suspicion", s)
			}
			return p.line("-- %s: %s\n", s.Unit, s.What)
		},
		Invalid: func(topic string, err error) error {
			if p.json {
				return p.object("invalid", map[string]string{"topic": topic, "error": err.Error()})
			}
			return p.line("-- skipped an invalid message on %s: %s\n", topic, err)
		},
		Link: func(err error) error {
			if err == nil {
				_, err := fmt.Fprintln(p.err, "platewatch: connected")
				return err
			}
			line := "platewatch: " + fleet.Printable(err.Error()) + "; retrying"
			var h interface{ Hint() string }
			if errors.As(err, &h) && h.Hint() != "" {
				line += " (" + h.Hint() + ")"
			}
			_, werr := fmt.Fprintln(p.err, line)
			return werr
		},
	}
}

func (p *watchPrinter) hit(h *message.Hit, raw []byte) error {
	if p.json {
		return p.raw(raw)
	}
	if h.Withdrawn {
		clock := ""
		if h.Clock != message.ClockSynchronised {
			clock = ", clock not set"
		}
		if h.Historical {
			clock += ", historical"
		}
		return p.line("%s  %-12s %-16s %s  [camera %s, revision %d%s]\n", when(h.CapturedAt), h.Unit, h.ID, hit.Withdrawn, h.Camera, h.Revision, clock)
	}
	m := h.Matches[0] // the schema demands one, the most urgent
	var notes []string
	if h.Revision > 1 {
		notes = append(notes, "revision "+strconv.Itoa(h.Revision))
	}
	if h.PicturesFollow {
		notes = append(notes, "pictures follow")
	}
	if h.Historical {
		notes = append(notes, "historical")
	}
	if h.Clock != message.ClockSynchronised {
		notes = append(notes, "clock not set")
	}
	if n := len(h.Matches) - 1; n > 0 {
		notes = append(notes, fmt.Sprintf("+%d matches", n))
	}
	plate := h.Text
	if m.Entry.State != "" {
		plate += " (entry: " + m.Entry.Plate + " " + m.Entry.State + ")"
	} else if m.Entry.Plate != h.Text {
		plate += " (entry: " + m.Entry.Plate + ")"
	}
	note := ""
	if len(notes) > 0 {
		note = "  [" + strings.Join(notes, ", ") + "]"
	}
	err := p.line("%s  %-12s %-16s %-12s %s/%s %s  %.0f%%%s  verify before acting\n",
		when(h.CapturedAt), h.Unit, h.ID, plate, m.List, m.Category, m.How, 100*h.Confidence, note)
	facts := func(list []status.Fact) {
		for _, f := range list {
			err = errors.Join(err, p.line("      %-10s %s\n", f.Label, f.Text))
		}
	}
	for i := range h.Matches {
		err = errors.Join(err, p.line("    %s\n", hit.Head(&h.Matches[i])))
		facts(hit.Facts(&h.Matches[i]))
	}
	place := h.Camera
	if h.Position != nil && h.Position.Name != "" {
		place += ", " + h.Position.Name
	}
	err = errors.Join(err, p.line("    camera %s\n", place))
	facts(hit.PassageFacts(h))
	return err
}

// raw prints a message on one line; JSON may span several.
func (p *watchPrinter) raw(b []byte) error {
	var v json.RawMessage = b
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = p.out.Write(append(line, '\n'))
	return err
}

func (p *watchPrinter) object(kind string, v any) error {
	b, err := json.Marshal(map[string]any{"event": kind, kind: v})
	if err != nil {
		return err
	}
	_, err = p.out.Write(append(b, '\n'))
	return err
}

// line prints for people. Its strings come from the network and could hold escape
// sequences for the terminal, which it removes.
func (p *watchPrinter) line(format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	_, err := fmt.Fprintln(p.out, fleet.Printable(strings.TrimSuffix(text, "\n")))
	return err
}

func when(t time.Time) string {
	if t.IsZero() {
		return "-------- --:--:--"
	}
	return t.UTC().Format("20060102 15:04:05")
}
