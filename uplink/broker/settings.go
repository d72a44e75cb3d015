package broker

import (
	"fmt"
	"iter"

	"platewatch/uplink/failure"
)

// maxBrokers bounds how many are named: a cluster has a handful of nodes.
const maxBrokers = 8

// Settings are the brokers of a unit as its configuration file names them, with
// the same credentials for each.
type Settings struct {
	// Brokers are MQTT addresses in order of preference: mqtts://host:8883,
	// mqtt://host:1883 on loopback, or wss://host/mqtt over WebSockets.
	Brokers []string `toml:"brokers"`

	CA   string `toml:"ca"`   // PEM file with the authorities to trust; empty: the system's
	Cert string `toml:"cert"` // PEM file with the unit's certificate, together with Key
	Key  string `toml:"key"`  // PEM file with its private key

	UserFile     string `toml:"user_file"`     // holds the user's name in one line
	PasswordFile string `toml:"password_file"` // holds the password in one line

	// Insecure allows plaintext to a broker that is not on this machine:
	// everybody on the way can read the hits.
	Insecure bool `toml:"insecure"`
}

// List returns the brokers. Certificates are for those that are reached over TLS.
func (s Settings) List() []Broker {
	out := make([]Broker, 0, len(s.Brokers))
	for _, address := range s.Brokers {
		b := Broker{URL: address, Insecure: s.Insecure, UserFile: s.UserFile, PasswordFile: s.PasswordFile}
		if isTLS(address) {
			b.CAFile, b.CertFile, b.KeyFile = s.CA, s.Cert, s.Key
		}
		out = append(out, b)
	}
	return out
}

// Problems yields what the configuration file may not set, by its key. Files
// are not opened; see [Open].
func (s Settings) Problems() iter.Seq2[string, error] {
	return failure.Problems(func(add failure.Add) {
		if len(s.Brokers) > maxBrokers {
			add("brokers", fmt.Sprintf("name at most %d", maxBrokers), "lists %d brokers", len(s.Brokers))
		}
		anyTLS := false
		for i, address := range s.Brokers {
			if _, _, bad := parseAddress(address, s.Insecure); bad != nil {
				add(fmt.Sprintf("brokers[%d]", i), bad.advice, "= %q %w", Redact(address), bad.err)
			}
			anyTLS = anyTLS || isTLS(address)
		}
		if len(s.Brokers) > 0 && !anyTLS && (s.CA != "" || s.Cert != "") {
			key := "ca"
			if s.CA == "" {
				key = "cert"
			}
			add(key, "write mqtts:// addresses, or remove ca, cert and key", "is given, and none of the brokers is reached over TLS")
		}
		switch {
		case s.Cert == "" && s.Key != "":
			add("key", "give both or neither", "is given without cert")
		case s.Cert != "" && s.Key == "":
			add("cert", "give both or neither", "is given without key")
		}
		if s.PasswordFile != "" && s.UserFile == "" {
			add("password_file", "add user_file: MQTT sends no password without a user", "is given without user_file")
		}
	})
}
