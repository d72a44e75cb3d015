package cli

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ManPages writes a manual page for c and each command in it into a folder, and
// returns their names. version stands in their footers.
func (c Command) ManPages(folder, version string) (names []string, err error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	for _, s := range c.all() {
		name := s.page() + ".1"
		if err := os.WriteFile(filepath.Join(folder, name), []byte(s.man(version)), 0o644); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

// page is the name of the command's manual page.
func (c Command) page() string {
	return strings.TrimSuffix(Program+"-"+strings.ReplaceAll(c.Name, " ", "-"), "-")
}

// man is the command's manual page, as man(7) describes it.
func (c Command) man(version string) string {
	var b strings.Builder
	usage, explained, _ := strings.Cut(c.Synopsis, "\n")
	fmt.Fprintf(&b, ".TH %s 1 \"\" %s\n.SH NAME\n%s \\- %s\n.SH SYNOPSIS\n.B %s\n%s\n",
		strings.ToUpper(c.page()), roffQuote(Program+" "+version), roff(c.page()), roff(c.Summary), roff(c.whole()), roff(usage))
	if explained = strings.Trim(explained, "\n"); explained != "" {
		fmt.Fprintf(&b, ".SH DESCRIPTION\n.nf\n%s\n.fi\n", roff(explained))
	}
	if len(c.Sub) > 0 {
		b.WriteString(".SH COMMANDS\n")
		for _, s := range c.Sub {
			fmt.Fprintf(&b, ".TP\n.BR %s (1)\n%s\n", roff(s.page()), roff(sentence(s.Summary)))
		}
	}
	if len(c.Flags) > 0 {
		b.WriteString(".SH OPTIONS\nFlags may stand before or after the arguments.\n")
		for _, f := range c.Flags {
			value, usage := flag.UnquoteUsage(f)
			fmt.Fprintf(&b, ".TP\n.B \\-%s", roff(f.Name))
			if value != "" {
				fmt.Fprintf(&b, " \\fI%s\\fR", roff(value))
			}
			fmt.Fprintf(&b, "\n%s", roff(usage))
			if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" {
				fmt.Fprintf(&b, " (default %s)", roff(f.DefValue))
			}
			b.WriteString("\n")
		}
	}
	if len(c.Examples) > 0 {
		b.WriteString(".SH EXAMPLES\n")
		for _, e := range c.Examples {
			fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(e.Line), roff(e.Does))
		}
	}
	b.WriteString(".SH EXIT STATUS\n0 success; 1 it ran and failed; 64 wrong usage; 3 the configuration was refused; 4 something it needs is missing.\n")
	if c.Name == "" {
		b.WriteString(".SH FILES\n.TP\n.I /etc/platewatch/platewatch.toml\nthe configuration of the service; an example lies in /usr/share/doc/platewatch/examples\n" +
			".TP\n.I /var/lib/platewatch\nthe hotlists, the audit trail and the hits that wait for the server\n")
	} else {
		parent := Program
		if i := strings.LastIndexByte(c.Name, ' '); i > 0 {
			parent += "-" + strings.ReplaceAll(c.Name[:i], " ", "-")
		}
		fmt.Fprintf(&b, ".SH SEE ALSO\n.BR %s (1)\n", roff(parent))
	}
	return b.String()
}

// roff escapes text so that no word of it is a command of roff.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "–", `\(en`, "’", `\(cq`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}

func roffQuote(s string) string { return `"` + strings.ReplaceAll(roff(s), `"`, `\(dq`) + `"` }
