package setup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// errNoMore says that standard input ended before all was answered.
var errNoMore = &Error{Err: errors.New("the answers end here"),
	Advice: "give what is missing as flags, with -yes: `platewatch setup -h` lists them"}

// console asks a person. Answers are read only when they are asked for, so that a
// password is never echoed.
type console struct {
	out      io.Writer
	terminal int // its file descriptor; -1 where in is none
	ask      chan struct{}
	lines    chan string
	quiet    bool // -yes: nobody is asked
}

func newConsole(in io.Reader, out io.Writer, quiet bool) *console {
	c := &console{out: out, terminal: -1, ask: make(chan struct{}), lines: make(chan string), quiet: quiet}
	if f, ok := in.(*os.File); ok {
		if _, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS); err == nil {
			c.terminal = int(f.Fd())
		}
	}
	go func() { // a read that nobody waits for any more ends with the program
		defer close(c.lines)
		r := bufio.NewReader(in)
		for range c.ask {
			line, err := r.ReadString('\n')
			if err != nil && line == "" {
				return
			}
			c.lines <- strings.TrimSpace(line)
		}
	}()
	return c
}

func (c *console) say(format string, args ...any) { fmt.Fprintf(c.out, format, args...) }

// line asks for one line.
func (c *console) line(ctx context.Context, prompt string) (string, error) {
	c.say("%s ", prompt)
	select {
	case c.ask <- struct{}{}:
	case <-c.lines: // closed: standard input has ended
		c.say("\n")
		return "", errNoMore
	}
	select {
	case line, ok := <-c.lines:
		if !ok {
			c.say("\n")
			return "", errNoMore
		}
		return line, nil
	case <-ctx.Done():
		c.say("\n")
		return "", ctx.Err()
	}
}

// secret asks for a line that is not shown.
func (c *console) secret(ctx context.Context, prompt string) (string, error) {
	if c.terminal < 0 {
		return c.line(ctx, prompt)
	}
	before, err := unix.IoctlGetTermios(c.terminal, unix.TCGETS)
	if err != nil {
		return "", err
	}
	hidden := *before
	hidden.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(c.terminal, unix.TCSETS, &hidden); err != nil {
		return "", err
	}
	text, err := c.line(ctx, prompt)
	if err == nil {
		c.say("\n")
	}
	return text, errors.Join(err, unix.IoctlSetTermios(c.terminal, unix.TCSETS, before))
}

// yes asks for a yes or a no; an empty answer means def, and so does -yes.
func (c *console) yes(ctx context.Context, prompt string, def bool) (bool, error) {
	if c.quiet {
		return def, nil
	}
	choice := "[y/N]"
	if def {
		choice = "[Y/n]"
	}
	for {
		answer, err := c.line(ctx, prompt+" "+choice)
		if err != nil {
			return false, err
		}
		switch strings.ToLower(answer) {
		case "":
			return def, nil
		case "y", "yes":
			return true, nil
		case "n", "no":
			return false, nil
		}
		c.say("  Answer y or n.\n")
	}
}

// question is one answer to get.
type question struct {
	flag   string // that answers it
	prompt string
	given  string // by the flag; "" if it was not
	empty  string // what an empty answer means
	hidden bool
	// check returns the answer as it is used, or why it is refused.
	check func(ctx context.Context, answer string) (string, error)
}

// answer gets an answer that check accepts: the flag's, or a person's, who is
// asked until there is one.
func (c *console) answer(ctx context.Context, q question) (string, error) {
	given := q.given != ""
	for {
		text := q.given
		switch {
		case given:
		case c.quiet:
			text = q.empty
		default:
			read := c.line
			if q.hidden {
				read = c.secret
			}
			var err error
			if text, err = read(ctx, q.prompt); err != nil {
				return "", err
			}
			if text == "" {
				text = q.empty
			}
		}
		checked, err := q.check(ctx, text)
		switch {
		case err == nil || ctx.Err() != nil:
			return checked, err
		case c.quiet:
			return "", flagError(q.flag, err)
		}
		c.say("  %v", err)
		if h := hintOf(err); h != "" {
			c.say("; %s", h)
		}
		c.say("\n")
		given = false
	}
}

// flagError is an answer that was given as a flag and is refused.
func flagError(flag string, err error) error {
	var tried *Error
	usage := !errors.As(err, &tried) || !tried.tried
	return &Error{Err: fmt.Errorf("-%s: %w", flag, err), Advice: hintOf(err), Usage: usage}
}

// Error is why a unit could not be set up.
type Error struct {
	Err    error
	Advice string
	// Usage: a flag has a wrong value. Otherwise something failed.
	Usage bool

	tried bool // a camera or a broker was tried, and failed
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Hint says what to do.
func (e *Error) Hint() string { return e.Advice }

// hintOf is the advice of an error; "" if it has none.
func hintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}
