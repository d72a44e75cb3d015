package source

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
)

// secretInQuery finds passwords that cheap cameras want inside the address.
var secretInQuery = regexp.MustCompile(`(?i)\b((?:password|passwd|pass|pwd|token|secret|auth|key)=)[^&;/?#\s"]+`)

// userinfo finds user:password@ even in what is no well-formed address: up to
// the last @, because a password may hold anything.
var userinfo = regexp.MustCompile(`(//[^/?#\s@:]*):\S*@`)

// spacedUserinfo is the same with a password that holds spaces. It would join
// the addresses of a longer text, so it is tried only where userinfo finds none.
var spacedUserinfo = regexp.MustCompile(`(//[^/?#\s@:]*):.*@`)

const mask = "***"

// Redact returns an address without its passwords, for messages, logs and the
// status page. A text without an address is returned unchanged.
func Redact(address string) string {
	if !strings.Contains(address, "://") {
		return address
	}
	if userinfo.MatchString(address) {
		address = userinfo.ReplaceAllString(address, "$1:"+mask+"@")
	} else {
		address = spacedUserinfo.ReplaceAllString(address, "$1:"+mask+"@")
	}
	return secretInQuery.ReplaceAllString(address, "$1"+mask)
}

// HasPassword tells whether an address holds a password before its host.
func HasPassword(address string) bool {
	return strings.Contains(address, "://") && spacedUserinfo.MatchString(address)
}

// Scrub returns a library's error without the address and its password, as
// written and as escaped. It keeps no chain: the errors below would print the
// address again.
func Scrub(err error, address string) error {
	text := err.Error()
	if address == "" {
		return errors.New(text)
	}
	text = Redact(strings.ReplaceAll(text, address, Redact(address)))
	u, parseErr := url.Parse(address)
	if parseErr != nil || u.User == nil {
		return errors.New(text)
	}
	if p, ok := u.User.Password(); ok && p != "" {
		_, escaped, _ := strings.Cut(u.User.String(), ":")
		text = strings.ReplaceAll(text, escaped, mask)
		text = strings.ReplaceAll(text, p, mask)
	}
	return errors.New(text)
}
