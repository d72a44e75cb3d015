package source

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// userinfo finds user:password@ even in an address that is not well-formed: up to the
// last @, because a password may hold anything.
var userinfo = regexp.MustCompile(`(//[^/?#\s@:]*):\S*@`)

// spacedUserinfo is the same with a password that holds spaces. It would join
// the addresses of a longer text, so it is tried only where userinfo finds none.
var spacedUserinfo = regexp.MustCompile(`(//[^/?#\s@:]*):.*@`)

// addressInText finds addresses in a text. Quotes and white space end one.
var addressInText = regexp.MustCompile(`[a-zA-Z][a-zA-Z0-9+.-]*://[^\s"'<>]*`)

// parameter finds name=value inside an address; & ; and _ end a value only where
// another name=, or nothing more, follows, because a password may hold them.
var parameter = regexp.MustCompile(`([A-Za-z0-9.-]+)=`)

// credentialPath is user:password as one part of a path.
var credentialPath = regexp.MustCompile(`^([^:=]+):.+$`)

const mask = "***"

// harmless are the names of parameters whose values are shown. Of all others only
// numbers of up to two digits are: cameras have too many names for a password to
// list those.
var harmless = map[string]bool{
	"user": true, "usr": true, "username": true, "loginuse": true, "cmd": true, "action": true, "channel": true, "chn": true, "ch": true,
	"stream": true, "subtype": true, "resolution": true, "res": true, "size": true, "fps": true, "rate": true, "profile": true,
	"camera": true, "cam": true, "codec": true, "videocodec": true, "compression": true, "unicast": true, "proto": true, "transportmode": true,
}

// secret are the names that a password or its like has on known cameras.
var secret = regexp.MustCompile(`(?i)^-?(p|pw|pwd|psw|pass|passw|passwd|password|passwort|loginpas|loginpass|userpwd|token|access[-]?token|secret|auth|key|apikey|md5)$`)

var shortNumber = regexp.MustCompile(`^[0-9]{1,2}$`)

// Redact returns a text with the passwords of the addresses in it masked, for
// messages, logs and the status page: before the host, in the query, and in the
// path, where cheap cameras want them. A text without an address is returned
// unchanged.
func Redact(text string) string {
	if !strings.Contains(text, "://") {
		return text
	}
	if userinfo.MatchString(text) {
		text = userinfo.ReplaceAllString(text, "$1:"+mask+"@")
	} else {
		text = spacedUserinfo.ReplaceAllString(text, "$1:"+mask+"@")
	}
	return addressInText.ReplaceAllStringFunc(text, func(address string) string {
		shown, _ := redactParameters(address)
		return shown
	})
}

// redactParameters masks the values of parameters in one address, and returns what
// it masked.
func redactParameters(address string) (shown string, masked []parameterValue) {
	scheme, rest, _ := strings.Cut(address, "://")
	path, query, hasQuery := strings.Cut(rest, "?")
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if i == 0 {
			continue // the host
		}
		if m := credentialPath.FindStringSubmatch(s); m != nil {
			masked = append(masked, parameterValue{"password", s[len(m[1])+1:]})
			segments[i] = m[1] + ":" + mask
			continue
		}
		segments[i], masked = redactValues(s, masked)
	}
	shown = scheme + "://" + strings.Join(segments, "/")
	if hasQuery {
		query, masked = redactValues(query, masked)
		shown += "?" + query
	}
	return shown, masked
}

type parameterValue struct{ name, value string }

// redactValues masks the values of a query, or of one part of a path.
func redactValues(s string, masked []parameterValue) (string, []parameterValue) {
	names := parameter.FindAllStringSubmatchIndex(s, -1)
	var b strings.Builder
	at := 0
	for i, m := range names {
		if m[0] < at {
			continue // inside a value
		}
		b.WriteString(s[at:m[1]])
		end := len(s)
		for _, next := range names[i+1:] {
			if strings.ContainsRune("&;_", rune(s[next[0]-1])) {
				end = next[0] - 1
				break
			}
		}
		name, value := s[m[2]:m[3]], s[m[1]:end]
		switch {
		case value == "", value == "{user}", value == "{password}",
			!secret.MatchString(name) && (harmless[strings.ToLower(strings.Trim(name, "-"))] || shortNumber.MatchString(value)):
			b.WriteString(value)
		default:
			masked = append(masked, parameterValue{name, value})
			b.WriteString(mask)
		}
		at = end
	}
	b.WriteString(s[at:])
	return b.String(), masked
}

// HasPassword tells whether an address holds a password: before its host, or in
// its path or query under one of the names that are known for that.
func HasPassword(address string) bool {
	if !strings.Contains(address, "://") {
		return false
	}
	if spacedUserinfo.MatchString(address) {
		return true
	}
	_, masked := redactParameters(address)
	for _, p := range masked {
		if secret.MatchString(p.name) {
			return true
		}
	}
	return false
}

// Scrub returns a library's error without the address and its passwords, as
// written and as escaped. It keeps no chain: the errors below would print the
// address again.
func Scrub(err error, address string) error {
	text := err.Error()
	if address == "" {
		return errors.New(text)
	}
	text = Redact(strings.ReplaceAll(text, address, Redact(address)))
	if strings.Contains(address, "://") {
		_, masked := redactParameters(address)
		for _, p := range masked {
			text = strings.ReplaceAll(text, p.value, mask)
			if plain, err := url.QueryUnescape(p.value); err == nil {
				text = strings.ReplaceAll(text, plain, mask)
			}
		}
	}
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

// Placeholders in an address, which stand for what the credentials file holds.
const (
	userPlace     = "{user}"
	passwordPlace = "{password}"
)

// Address is the source as an address, with what its credentials file holds: at
// {user} and {password} in path and query where the address has those, else before
// the host. Errors: those of readCredentials, and that it is not well-formed.
func (c Config) Address() (*url.URL, error) {
	text := c.Source
	var user *url.Userinfo
	if c.CredentialsFile != "" {
		var err error
		if user, err = readCredentials(c.CredentialsFile); err != nil {
			return nil, err
		}
		if strings.Contains(text, passwordPlace) {
			password, _ := user.Password()
			text = strings.NewReplacer(userPlace, escapeParameter(user.Username()), passwordPlace, escapeParameter(password)).Replace(text)
			user = nil
		}
	}
	u, err := parseAddress(text)
	if err != nil { // checked before; its text holds the address
		return nil, Problem("", "not a well-formed address")
	}
	if user != nil {
		u.User = user
	}
	return u, nil
}

// escapeParameter escapes a value for path and query alike.
func escapeParameter(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// authority finds the host of an address, with its port: between the last @ before
// the path, or the slashes, and the path.
var authority = regexp.MustCompile(`^([a-zA-Z][a-zA-Z0-9+.-]*://(?:[^/?#]*@)?)([^/?#@]*)(.*)$`)

// parseAddress parses an address as people write them: an IPv6 address may stand
// without brackets (a port needs them, or a zone before it), and its zone as `ip`
// prints it, where RFC 6874 wants %25.
func parseAddress(text string) (*url.URL, error) {
	if m := authority.FindStringSubmatch(text); m != nil {
		text = m[1] + bracketed(m[2]) + m[3]
	}
	return url.Parse(text)
}

// bracketed is a host, with or without a port, as an address wants it.
func bracketed(host string) string {
	port := ""
	if inside, ok := strings.CutPrefix(host, "["); ok {
		end := strings.LastIndexByte(inside, ']')
		if end < 0 {
			return host
		}
		host, port = inside[:end], inside[end+1:]
	} else if strings.Count(host, ":") < 2 {
		return host
	}
	ip, zone, hasZone := strings.Cut(host, "%")
	if !hasZone {
		return "[" + host + "]" + port
	}
	zone = strings.TrimPrefix(zone, "25")
	if name, number, ok := strings.Cut(zone, ":"); ok { // without brackets
		zone, port = name, ":"+number
	}
	return "[" + ip + "%25" + zone + "]" + port
}

// isZoneless tells a link-local address that does not name its interface.
func isZoneless(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Is6() && ip.IsLinkLocalUnicast() && ip.Zone() == ""
}
