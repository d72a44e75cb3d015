package mjpeg

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/icholy/digest"
)

// authorize answers a camera's challenges: digest (RFC 7616) where it offers
// that, otherwise basic.
func authorize(h http.Header, u *url.URL, user *url.Userinfo) (string, error) {
	name := user.Username()
	password, _ := user.Password()
	if c, err := digest.FindChallenge(h); err == nil {
		o := digest.Options{Method: http.MethodGet, URI: u.RequestURI(), Count: 1, Username: name, Password: password}
		if answer, err := digest.Digest(c, o); err == nil {
			return answer.String(), nil
		}
	}
	for _, c := range h.Values("WWW-Authenticate") {
		if scheme, _, _ := strings.Cut(strings.TrimSpace(c), " "); strings.EqualFold(scheme, "basic") {
			return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password)), nil
		}
	}
	return "", errors.New("unsupported authentication scheme")
}
