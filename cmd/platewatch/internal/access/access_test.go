package access

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// TestTokens: a new token is found by the line that grants it, and by no other.
func TestTokens(t *testing.T) {
	var all Grants
	tokens := map[string]string{}
	for name, roles := range map[string]Roles{"anna": View | Aim, "wall": View, "control-room": View | Hits} {
		token, line, err := newToken(name, roles)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(line, token) || len(token) < 26 {
			t.Errorf("%s: token of %d characters, line %s", name, len(token), line)
		}
		g, err := Parse(line)
		if err != nil || g.Name != name || g.Roles != roles || g.String() != line {
			t.Errorf("%s gives %+v, %v", line, g, err)
		}
		all, tokens[name] = append(all, g), token
	}
	for name, token := range tokens {
		if g, ok := all.Find(token); !ok || g.Name != name {
			t.Errorf("%s is found as %q", name, g.Name)
		}
		if _, ok := all.Find(token[1:]); ok {
			t.Error("a part of a token is accepted")
		}
	}
	if _, ok := all.Find(""); ok {
		t.Error("the empty token is accepted")
	}
	if r, err := parseRoles("aim"); err != nil || r != View|Aim {
		t.Errorf("aim is %s, %v", r, err)
	}
	for _, line := range []string{"", "aim anna", "boss anna sha256:" + strings.Repeat("0", 64), "aim anna/x sha256:" + strings.Repeat("0", 64),
		"aim anna md5:" + strings.Repeat("0", 64), "aim anna sha256:" + strings.Repeat("0", 63), "aim anna sha256:" + strings.Repeat("x", 64)} {
		var hint interface{ Hint() string }
		if _, err := Parse(line); !errors.As(err, &hint) || hint.Hint() == "" {
			t.Errorf("%q: %v", line, err)
		}
	}
}

// TestCertificate: made once, for the machine's names and addresses, with a key that
// only the unit may read; what is there is not replaced.
func TestCertificate(t *testing.T) {
	dir := t.TempDir()
	cert, key, err := MakeCertificate(dir, "gate-7")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := c.VerifyHostname("gate-7"); err != nil {
		t.Error(err)
	}
	if err := c.VerifyHostname("127.0.0.1"); err != nil {
		t.Error(err)
	}
	if at := time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC); c.NotBefore.After(at) || c.NotAfter.Before(time.Now().AddDate(20, 0, 0)) {
		t.Errorf("valid from %v to %v", c.NotBefore, c.NotAfter)
	}
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key: %v, %v", info.Mode(), err)
	}
	print1, ends, err := Fingerprint(cert)
	if err != nil || len(print1) != 32*3-1 || !ends.Equal(c.NotAfter) {
		t.Errorf("%s, %v, %v", print1, ends, err)
	}
	if _, _, err := MakeCertificate(dir, "gate-7"); err != nil {
		t.Fatal(err)
	}
	if again, _, _ := Fingerprint(cert); again != print1 {
		t.Error("a second start makes another certificate")
	}
	if err := os.WriteFile(cert, []byte("torn"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := MakeCertificate(dir, "gate-7"); err == nil {
		t.Error("a damaged certificate is replaced silently")
	}
}

// TestQR: the code has its three finder patterns and a quiet border, two rows a line.
func TestQR(t *testing.T) {
	link := Link("https://192.0.2.7:8080/", "ABC DEF")
	if link != "https://192.0.2.7:8080/#token=ABC+DEF" || Link("https://x/", "") != "https://x/" {
		t.Error(link)
	}
	var b bytes.Buffer
	if err := WriteQR(&b, link); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	const on, off = "\x1b[30;47m", "\x1b[0m"
	width := len([]rune(lines[0])) - len(on) - len(off)
	if len(lines) != (width+1)/2 {
		t.Errorf("%d lines, %d modules wide", len(lines), width)
	}
	if top := []rune(strings.TrimPrefix(lines[1], on)); string(top[2:9]) != "█▀▀▀▀▀█" || string(top[width-9:width-2]) != "█▀▀▀▀▀█" || strings.TrimSpace(string(top[:2])) != "" {
		t.Errorf("%q", string(top))
	}
}
