package mjpeg

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"net/url"
	"strings"
)

// authorize answers a camera's challenges: digest (RFC 7616) where it offers
// that, otherwise basic.
func authorize(challenges []string, u *url.URL, user *url.Userinfo) (string, error) {
	name := user.Username()
	password, _ := user.Password()
	basic := false
	for _, c := range challenges {
		scheme, rest, _ := strings.Cut(strings.TrimSpace(c), " ")
		switch strings.ToLower(scheme) {
		case "digest":
			if a, err := digest(challengeOf(rest), u.RequestURI(), name, password); err == nil {
				return a, nil
			}
		case "basic":
			basic = true
		}
	}
	if basic {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password)), nil
	}
	return "", errors.New("it asks for them in a way that is not known")
}

// challengeOf takes key="value" pairs apart.
func challengeOf(s string) map[string]string {
	out := map[string]string{}
	for s = strings.TrimSpace(s); s != ""; {
		key, rest, ok := strings.Cut(s, "=")
		if !ok {
			break
		}
		var value string
		if rest = strings.TrimSpace(rest); strings.HasPrefix(rest, `"`) {
			value, rest, _ = strings.Cut(rest[1:], `"`)
			_, s, _ = strings.Cut(rest, ",")
		} else {
			value, s, _ = strings.Cut(rest, ",")
		}
		out[strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(value)
		s = strings.TrimSpace(s)
	}
	return out
}

func digest(c map[string]string, uri, name, password string) (string, error) {
	var sum func() hash.Hash
	switch strings.ToUpper(c["algorithm"]) {
	case "", "MD5":
		sum = md5.New
	case "SHA-256":
		sum = sha256.New
	default:
		return "", fmt.Errorf("the digest %q is not known", c["algorithm"])
	}
	h := func(s string) string {
		d := sum()
		d.Write([]byte(s))
		return hex.EncodeToString(d.Sum(nil))
	}
	identity := h(name + ":" + c["realm"] + ":" + password)
	what := h(http.MethodGet + ":" + uri)
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace
	out := fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s"`, quoted(name), c["realm"], c["nonce"], uri)
	if a := c["algorithm"]; a != "" {
		out += ", algorithm=" + a
	}
	if o := c["opaque"]; o != "" {
		out += fmt.Sprintf(`, opaque="%s"`, o)
	}
	for q := range strings.SplitSeq(c["qop"], ",") {
		if strings.TrimSpace(q) == "auth" {
			const count = "00000001"
			own := rand.Text()
			return out + fmt.Sprintf(`, qop=auth, nc=%s, cnonce="%s", response="%s"`, count, own,
				h(strings.Join([]string{identity, c["nonce"], count, own, "auth", what}, ":"))), nil
		}
	}
	return out + fmt.Sprintf(`, response="%s"`, h(identity+":"+c["nonce"]+":"+what)), nil
}
