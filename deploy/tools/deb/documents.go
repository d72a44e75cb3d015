package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"platewatch/deploy"
)

// documents makes what the package holds besides the programs and the files of
// the repository, and gives its folder.
func documents(ctx context.Context, epoch string) (string, error) {
	const folder = "build/deb/documents"
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return "", fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	at := time.Unix(seconds, 0).UTC()
	// The programs tell about themselves, in words that are the same on all
	// processors: a build for this machine is asked.
	if err := command(ctx, nil, "go", "build", "-o", folder+"/", "./cmd/platewatch").Run(); err != nil {
		return "", fmt.Errorf("go build: %w", err)
	}
	help, err := readHelp(func(args ...string) (string, error) {
		return output(ctx, filepath.Join(folder, "platewatch"), args...)
	})
	if err != nil {
		return "", err
	}
	page, err := compress([]byte(help.manPage(deploy.Version(), at)))
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(folder, "platewatch.1.gz"), page, 0o644); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(folder, "platewatch.bash"), []byte(help.completion()), 0o644); err != nil {
		return "", err
	}
	return folder, nil
}

// compress leaves time and name out, as `gzip -9n`.
func compress(text []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	err = w.Close() // writes the end
	return b.Bytes(), err
}

// help is what a program says about its commands. A command can have commands
// itself; then it has no flags.
type help struct {
	text     string // the whole, as -h prints it
	commands []named
	flags    []string // with their minus
}

type named struct {
	name string
	help help
}

var (
	commandLine = regexp.MustCompile(`(?m)^  ([a-z]+)(?: .*)?  +\S.*$`)
	flagLine    = regexp.MustCompile(`(?m)^  (-[a-z][a-z-]*)`)
)

// readHelp asks a program for its help, and for that of each command it names.
func readHelp(ask func(args ...string) (string, error), path ...string) (help, error) {
	text, err := ask(append(path, "-h")...)
	if err != nil {
		return help{}, err
	}
	h := help{text: text}
	for _, m := range flagLine.FindAllStringSubmatch(text, -1) {
		h.flags = append(h.flags, m[1])
	}
	if !strings.Contains(text, " COMMAND [") {
		return h, nil
	}
	for _, m := range commandLine.FindAllStringSubmatch(text, -1) {
		sub, err := readHelp(ask, append(path[:len(path):len(path)], m[1])...)
		if err != nil {
			continue // a command that is not built yet has no help
		}
		h.commands = append(h.commands, named{m[1], sub})
	}
	if len(h.commands) == 0 {
		return h, fmt.Errorf("the help of %q names no command", strings.Join(path, " "))
	}
	return h, nil
}

// manPage is platewatch(1).
func (h help) manPage(version string, at time.Time) string {
	about, rest, _ := strings.Cut(h.text, "\n\n")
	var b strings.Builder
	fmt.Fprintf(&b, ".TH PLATEWATCH 1 %s \"platewatch %s\" \"User Commands\"\n", at.Format(time.DateOnly), roff(version))
	b.WriteString(".SH NAME\nplatewatch \\- read licence plates at the roadside and report those on a hotlist\n")
	b.WriteString(".SH SYNOPSIS\n.B platewatch\n.I COMMAND\n[flags] [arguments]\n")
	fmt.Fprintf(&b, ".SH DESCRIPTION\n%s\n.SH COMMANDS\n%s", roff(about), verbatim(rest))
	h.sections(&b, "platewatch")
	b.WriteString(`.SH EXIT STATUS
.TP
0
it did what was asked
.TP
1
it ran and failed
.TP
3
the configuration was refused
.TP
4
something that it needs is missing: a camera, a model, a file
.TP
64
wrong flags or arguments
.SH FILES
.TP
.I /etc/platewatch/platewatch.toml
the configuration of the service; an example lies in /usr/share/doc/platewatch/examples
.TP
.I /var/lib/platewatch
the hotlists, the audit trail and the hits that wait for the server
`)
	return b.String()
}

// sections adds one section for each command that does something.
func (h help) sections(b *strings.Builder, path string) {
	for _, c := range h.commands {
		name := path + " " + c.name
		fmt.Fprintf(b, ".SH %s\n%s", strings.ToUpper(roff(name)), verbatim(c.help.text))
		c.help.sections(b, name)
	}
}

func verbatim(text string) string { return ".nf\n" + roff(strings.TrimSpace(text)) + "\n.fi\n" }

// roff escapes what has a meaning to man(7).
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	return regexp.MustCompile(`(?m)^([.'])`).ReplaceAllString(text, `\&$1`)
}

// completion is a script for bash: commands, their commands, flags, and files.
func (h help) completion() string {
	var b strings.Builder
	b.WriteString(`# bash completion for platewatch
_platewatch() {
    local words word path=
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "$word" in
        -*) ;;
        *) path="$path $word" ;;
        esac
    done
    case "$path" in
`)
	h.cases(&b, "")
	b.WriteString(`    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$2")
    [ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "$2")
}
complete -o filenames -F _platewatch platewatch
`)
	return b.String()
}

// cases adds the words that can follow each command, the longest path first.
func (h help) cases(b *strings.Builder, path string) {
	words := h.flags
	for _, c := range h.commands {
		words = append(words[:len(words):len(words)], c.name)
		c.help.cases(b, path+" "+c.name)
	}
	pattern := `"` + path + `"*`
	if path == "" {
		pattern = `""`
	}
	fmt.Fprintf(b, "    %s) words=%q ;;\n", pattern, strings.Join(words, " "))
}
