package oversight

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Formats are those in which a policy is written.
var Formats = []string{"text", "markdown", "html"}

// blank is a line to write on.
const blank = "______________________________"

// Write writes the policy in one of [Formats].
func (p *Policy) Write(w io.Writer, format string) error {
	switch format {
	case "markdown":
		_, err := io.WriteString(w, p.markdown())
		return err
	case "html":
		return page.Execute(w, p)
	}
	return p.text(w)
}

// Title is its heading.
func (p *Policy) Title() string {
	return fmt.Sprintf("Usage and privacy policy of the plate reader %s", p.Unit)
}

// Made is when it was made.
func (p *Policy) Made() string { return p.At.UTC().Format(time.DateOnly) }

const madeBy = "Made from the configuration in force. Lines to fill in are the agency's. Not legal advice."

func (p *Policy) text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s, %s\n", strings.ToUpper(p.Title()), p.Made(), madeBy)
	for i, s := range p.Sections {
		fmt.Fprintf(&b, "\n%d. %s\n", i+1, s.Title)
		for _, t := range s.Text {
			b.WriteString(wrapped(t))
		}
		if len(s.Table) > 1 {
			t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
			for _, row := range s.Table {
				fmt.Fprintf(t, "   %s\n", strings.Join(row, "\t"))
			}
			if err := t.Flush(); err != nil {
				return err
			}
		}
		for _, f := range s.Blank {
			fmt.Fprintf(&b, "   %s:\n   %s\n", f, blank)
		}
	}
	b.WriteString("\nWhat some laws ask for, and where it stands\n")
	for _, l := range p.Laws {
		fmt.Fprintf(&b, "   %s\n", l.Name)
		for _, d := range l.Demands {
			b.WriteString(wrapped("- " + d[0] + ": " + d[1]))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// wrapped is a paragraph in lines of 78 characters.
func wrapped(text string) string {
	var b strings.Builder
	line := "  "
	for word := range strings.FieldsSeq(text) {
		if len([]rune(line))+1+len([]rune(word)) > 78 {
			b.WriteString(line + "\n")
			line = "  "
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
	return b.String()
}

func (p *Policy) markdown() string {
	var b strings.Builder
	escape := strings.NewReplacer("|", `\|`, "*", `\*`, "_", `\_`, "<", "&lt;").Replace
	fmt.Fprintf(&b, "# %s\n\n%s, %s\n", escape(p.Title()), p.Made(), madeBy)
	for i, s := range p.Sections {
		fmt.Fprintf(&b, "\n## %d. %s\n", i+1, s.Title)
		for _, t := range s.Text {
			fmt.Fprintf(&b, "\n%s\n", escape(t))
		}
		if len(s.Table) > 1 {
			b.WriteString("\n")
			for j, row := range s.Table {
				cells := make([]string, len(row))
				for k, c := range row {
					cells[k] = escape(c)
				}
				fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
				if j == 0 {
					b.WriteString(strings.Repeat("|---", len(row)) + "|\n")
				}
			}
		}
		for _, f := range s.Blank {
			fmt.Fprintf(&b, "\n%s: %s\n", f, escape(blank))
		}
	}
	b.WriteString("\n## What some laws ask for, and where it stands\n")
	for _, l := range p.Laws {
		fmt.Fprintf(&b, "\n%s:\n\n", l.Name)
		for _, d := range l.Demands {
			fmt.Fprintf(&b, "- %s: %s\n", d[0], d[1])
		}
	}
	return b.String()
}

//go:embed policy.html
var pageText string

var page = template.Must(template.New("policy").Funcs(template.FuncMap{
	"next": func(i int) int { return i + 1 },
	"rest": func(rows [][]string) [][]string { return slices.Clone(rows[1:]) },
}).Parse(pageText))
