// Package access says who may see what of a unit: roles, tokens that carry them, and
// the certificate and the QR code by which a phone gets to the page.
package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"

	"platewatch/cmd/platewatch/internal/setting"
)

// Roles are what the holder of a token may see: any sum of the three.
type Roles uint8

// The roles. A holder who may see pictures or hits may see the health as well.
const (
	View Roles = 1 << iota // health: states, counts and measures, no picture and no plate
	Aim                    // live pictures, and test drives
	Hits                   // text and pictures of hits
)

// All is every role: that of the token in token_file, and of everybody on loopback
// where no token is set.
const All = View | Aim | Hits

var roleNames = []string{"view", "aim", "hits"} // by bit

// Has reports whether all of some roles are included.
func (r Roles) Has(some Roles) bool { return r&some == some }

// String is the names, as in the configuration: "view+aim".
func (r Roles) String() string {
	var names []string
	for i, name := range roleNames {
		if r.Has(1 << i) {
			names = append(names, name)
		}
	}
	return strings.Join(names, "+")
}

// parseRoles parses names with "+" between them. Aim and hits include view.
func parseRoles(names string) (Roles, error) {
	var r Roles
	for name := range strings.SplitSeq(names, "+") {
		i := slices.Index(roleNames, name)
		if i < 0 {
			return 0, setting.Problemf("use view, aim, hits, or several as in aim+hits", "= %q is no role", name)
		}
		r |= 1 << i
	}
	return r | View, nil
}

// Grant is a token's hash with what it gives. The token itself is not kept.
type Grant struct {
	Name  string // of the person or the device, for the audit trail; "" for the token of token_file
	Roles Roles
	sum   [sha256.Size]byte
}

// Of makes the grant of a token that is known.
func Of(token, name string, roles Roles) Grant {
	return Grant{Name: name, Roles: roles, sum: sha256.Sum256([]byte(token))}
}

// prefix names the hash. A token has 130 random bits, so that a plain hash cannot be
// turned back, and a slow one would let strangers keep the board busy.
const prefix = "sha256:"

// newToken makes a random token, and the line of the configuration that grants it.
func newToken(name string, roles Roles) (token, line string, err error) {
	token = rand.Text()
	g := Of(token, name, roles)
	line = g.String()
	_, err = Parse(line)
	return token, line, err
}

// WriteNew writes a new token and the line that grants it, for a person.
func WriteNew(w io.Writer, name, roleNames string) error {
	roles, err := parseRoles(roleNames)
	if err != nil {
		return fmt.Errorf("-role %w", err)
	}
	token, line, err := newToken(name, roles)
	if err != nil {
		return fmt.Errorf("-name %w", err)
	}
	_, err = fmt.Fprintf(w, "The token, which is shown only now:\n\n  %s\n\nAdd this line to tokens in [status], and restart the unit (for one more token a reload is enough):\n\n  \"%s\"\n", token, line)
	return err
}

// String is the line of the configuration: roles, name and hash.
func (g Grant) String() string {
	return fmt.Sprintf("%s %s %s%s", g.Roles, g.Name, prefix, hex.EncodeToString(g.sum[:]))
}

// Parse parses a line of the configuration.
func Parse(line string) (Grant, error) {
	const advice = "make it with: platewatch config token -role aim -name NAME"
	f := strings.Fields(line)
	if len(f) != 3 {
		return Grant{}, setting.Problemf(advice, "= %q is not roles, name and hash", line)
	}
	roles, err := parseRoles(f[0])
	if err != nil {
		return Grant{}, err
	}
	if err := setting.Name(f[1], "letters, digits, \".\", \"_\" and \"-\""); err != nil {
		return Grant{}, err
	}
	hash, ok := strings.CutPrefix(f[2], prefix)
	sum, err := hex.DecodeString(hash)
	if !ok || err != nil || len(sum) != sha256.Size {
		return Grant{}, setting.Problemf(advice, "has a hash that is not %s and %d hexadecimal digits", prefix, 2*sha256.Size)
	}
	g := Grant{Name: f[1], Roles: roles}
	copy(g.sum[:], sum)
	return g, nil
}

// Grants are the tokens that are accepted.
type Grants []Grant

// Find returns the grant of a token. It takes the same time whichever it is.
func (g Grants) Find(token string) (Grant, bool) {
	sum := sha256.Sum256([]byte(token))
	var found Grant
	ok := false
	for _, one := range g {
		if subtle.ConstantTimeCompare(sum[:], one.sum[:]) == 1 {
			found, ok = one, true
		}
	}
	return found, ok
}
