package config

import (
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"platewatch/capture"
	"platewatch/capture/source"
	"platewatch/cmd/platewatch/internal/setting"
	"platewatch/cmd/platewatch/internal/status"
	"platewatch/uplink"
	"platewatch/uplink/broker"
)

// Show writes the effective configuration as TOML. A value that the file does not
// give is marked "# default". What it writes is read back as the same configuration,
// except for passwords inside camera addresses, which are masked.
func (c *Config) Show(w io.Writer) error {
	s := &shower{w: w, origin: c.origin}
	s.table("", "", reflect.ValueOf(c).Elem())
	return s.err
}

type shower struct {
	w      io.Writer
	origin *origin
	err    error
}

func (s *shower) printf(format string, args ...any) {
	if s.err == nil {
		_, s.err = fmt.Fprintf(s.w, format, args...)
	}
}

// table writes the values of a struct first and its sections after them, as
// TOML wants it.
func (s *shower) table(path, header string, v reflect.Value) {
	if header != "" {
		s.printf("\n%s\n", header)
	}
	fields := fieldsOf(v.Type())
	for _, f := range fields {
		if !f.isSection() {
			s.pair(joinPath(path, f.key), f, v.FieldByIndex(f.index))
		}
	}
	for _, f := range fields {
		if !f.isSection() {
			continue
		}
		at, section := joinPath(path, f.key), v.FieldByIndex(f.index)
		switch section.Kind() {
		case reflect.Slice:
			for j := range section.Len() {
				s.table(indexPath(at, j), "[["+headerPath(at)+"]]", section.Index(j))
			}
		case reflect.Pointer:
			if !section.IsNil() {
				s.table(at, "["+headerPath(at)+"]", section.Elem())
			}
		default:
			s.table(at, "["+headerPath(at)+"]", section)
		}
	}
}

var indexes = regexp.MustCompile(`\[\d+\]`)

// headerPath is the path of a section as its header has it: without indexes.
func headerPath(path string) string { return indexes.ReplaceAllString(path, "") }

func (s *shower) pair(path string, f field, v reflect.Value) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	line := fmt.Sprintf("%s = %s", f.key, literal(v, f.bytes))
	if s.origin != nil && !s.origin.set(path) {
		line = fmt.Sprintf("%-40s # default", line)
	}
	s.printf("%s\n", line)
}

// literal writes one value as TOML.
func literal(v reflect.Value, bytes bool) string {
	switch {
	case v.Type() == durationType:
		return Quote(setting.FormatDuration(time.Duration(v.Int())))
	case bytes && v.CanInt():
		return Quote(setting.FormatSize(v.Int()))
	}
	switch v.Kind() {
	case reflect.String:
		return Quote(source.Redact(v.String()))
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Float64:
		f := strconv.FormatFloat(v.Float(), 'f', -1, 64)
		if !strings.ContainsRune(f, '.') {
			f += ".0"
		}
		return f
	case reflect.Struct: // a tuple
		items := make([]string, v.NumField())
		for i := range items {
			items[i] = literal(v.Field(i), false)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case reflect.Slice:
		items := make([]string, v.Len())
		for i := range items {
			items[i] = literal(v.Index(i), bytes)
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	panic(fmt.Sprintf("config: no TOML for a field of type %v", v.Type()))
}

// Quote writes a basic string. TOML has no \x and no \a, so this is not
// strconv.Quote.
func Quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// Summary writes what a person wants confirmed after a check: what the unit
// will do with this configuration, and what it names that is not there.
func (c *Config) Summary(w io.Writer) error {
	var b strings.Builder
	row := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "  %-9s %s\n", what, fmt.Sprintf(format, args...))
	}
	unit := c.Unit.Name
	if p := c.Unit.Position; p != nil {
		unit += fmt.Sprintf(" at %.5f, %.5f", p.Latitude, p.Longitude)
		if p.Description != "" {
			unit += " (" + p.Description + ")"
		}
	}
	row("unit", "%s", unit)
	for _, cam := range c.Cameras {
		kind, _, _ := capture.KindOf(cam.Config)
		row("camera", "%s: %s, %s", cam.Name, kind.Name, source.Redact(cam.Source))
	}
	row("reading", "model %s, region %s, %d agreeing frames", c.OCR.Model, ifElse(c.OCR.Region == "", "any", c.OCR.Region), c.Passage.Agree)
	row("hotlist", "%s", c.Hotlist.Path)
	row("outbox", "%s, at most %s", c.Uplink.OutboxFile, setting.FormatSize(c.Uplink.Outbox.MaxBytes))
	switch {
	case len(c.Uplink.Broker.Brokers) == 0:
		row("uplink", "none: hits stay in the outbox")
	case c.Uplink.Broker.Insecure:
		row("uplink", "%s, plain text allowed (insecure = true)", broker.Redact(strings.Join(c.Uplink.Broker.Brokers, ", ")))
	default:
		row("uplink", "%s", broker.Redact(strings.Join(c.Uplink.Broker.Brokers, ", ")))
	}
	if options := c.Uplink.options(); options != "" && len(c.Uplink.Broker.Brokers) > 0 {
		row("", "%s", options)
	}
	if c.Status.Listen == status.Off {
		row("status", "no page")
	} else {
		row("status", "%s://%s", ifElse(c.Status.Cert == "", "http", "https"), c.Status.Listen)
	}
	for _, secret := range c.ReadableSecrets() {
		row("warning", "every user of this machine may read %s; chmod o-r", secret)
	}
	for _, p := range c.MissingFiles() {
		row("missing", "%s", p)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// options are what differs from a plain link.
func (u *Uplink) options() string {
	var out []string
	if u.Client.Ack == uplink.AckServer {
		out = append(out, "hits stay until the server acknowledges them")
	}
	if len(u.Lists.Lists) > 0 {
		out = append(out, "takes updates of "+strings.Join(u.Lists.Lists, ", "))
	}
	if u.Client.Bandwidth > 0 {
		out = append(out, fmt.Sprintf("at most %s a second", setting.FormatSize(u.Client.Bandwidth)))
	}
	if u.Client.ONVIF.Enabled {
		out = append(out, "ONVIF events")
	}
	if u.Client.HomeAssistant.Enabled {
		out = append(out, "Home Assistant")
	}
	return strings.Join(out, "; ")
}

func ifElse(cond bool, yes, no string) string {
	if cond {
		return yes
	}
	return no
}
