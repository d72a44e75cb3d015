package access

import (
	"fmt"
	"io"
	"net/url"
	"strings"

	"rsc.io/qr"
)

// Link is the address by which a phone gets in without typing. The token is behind
// the "#", which browsers do not send: the login form takes it from there. Without a
// token the form asks for it.
func Link(page, token string) string {
	page = strings.TrimSuffix(page, "/") + "/"
	if token == "" {
		return page
	}
	return page + "#token=" + url.QueryEscape(token)
}

// WriteQR writes a text as a QR code for a terminal: two rows of modules a line, dark
// on light whatever the terminal's colours, with the quiet border that readers need.
func WriteQR(w io.Writer, text string) error {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return fmt.Errorf("the QR code of %d characters: %w", len(text), err)
	}
	const quiet = 2
	var b strings.Builder
	for y := -quiet; y < code.Size+quiet; y += 2 {
		b.WriteString("\x1b[30;47m")
		for x := -quiet; x < code.Size+quiet; x++ {
			switch upper, lower := code.Black(x, y), code.Black(x, y+1); {
			case upper && lower:
				b.WriteString("█")
			case upper:
				b.WriteString("▀")
			case lower:
				b.WriteString("▄")
			default:
				b.WriteString(" ")
			}
		}
		b.WriteString("\x1b[0m\n")
	}
	_, err = io.WriteString(w, b.String())
	return err
}
