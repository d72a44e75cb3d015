// Package trust says which certificates of a camera are accepted.
package trust

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"platewatch/capture/fault"
	"platewatch/capture/source"
)

// Keys are the settings that [Config] reads.
var Keys = []string{"tls_ca", "tls_fingerprint", "tls_insecure"}

// Check checks the settings without touching a file.
func Check(c source.Config) []source.Check {
	var sum, both error
	if c.TLSFingerprint != "" {
		if _, err := fingerprint(c.TLSFingerprint); err != nil {
			sum = source.Problem("write the 64 hexadecimal digits that `openssl x509 -noout -fingerprint -sha256 -in camera.pem` prints",
				"= %q is not the SHA-256 of a certificate", c.TLSFingerprint)
		}
	}
	given := 0
	for _, set := range []bool{c.TLSCA != "", c.TLSFingerprint != "", c.TLSInsecure} {
		if set {
			given++
		}
	}
	if given > 1 {
		both = source.Problem("keep the fingerprint, and remove the others", "stands beside another setting of the camera's certificate")
	}
	return []source.Check{{Key: "tls_fingerprint", Err: sum}, {Key: "tls_ca", Err: both}}
}

func fingerprint(text string) (sum [sha256.Size]byte, err error) {
	n, err := hex.Decode(sum[:], []byte(strings.ReplaceAll(text, ":", "")[:min(len(strings.ReplaceAll(text, ":", "")), 2*sha256.Size)]))
	if err == nil && (n != sha256.Size || len(strings.ReplaceAll(text, ":", "")) != 2*sha256.Size) {
		err = errors.New("wrong length")
	}
	return sum, err
}

// Config is how a camera is spoken to over TLS: its certificate is verified, by the
// system's authorities, by those of tls_ca, or by its own fingerprint.
func Config(c source.Config) (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	switch {
	case c.TLSFingerprint != "":
		want, err := fingerprint(c.TLSFingerprint)
		if err != nil {
			return nil, err
		}
		t.InsecureSkipVerify = true // VerifyConnection does it
		t.VerifyConnection = func(s tls.ConnectionState) error {
			if got := sha256.Sum256(s.PeerCertificates[0].Raw); got != want {
				return &tls.CertificateVerificationError{UnverifiedCertificates: s.PeerCertificates, Err: errors.New("it is another one than tls_fingerprint names")}
			}
			return nil
		}
	case c.TLSCA != "":
		pem, err := os.ReadFile(c.TLSCA)
		if err != nil {
			return nil, &fault.Error{Op: "open", Path: c.TLSCA, Err: fmt.Errorf("the camera's authority: %w", fault.Pathless(err)),
				Advice: "name a PEM file with the certificate that the camera's is signed by"}
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fault.Configf(c.TLSCA, "name a PEM file with the certificate that the camera's is signed by", "holds no certificate")
		}
	case c.TLSInsecure:
		t.InsecureSkipVerify = true
	}
	return t, nil
}

// Refusal is the error of a certificate that was not accepted, and nil for any
// other.
func Refusal(where string, err error) error {
	var v *tls.CertificateVerificationError
	if !errors.As(err, &v) || len(v.UnverifiedCertificates) == 0 {
		return nil
	}
	sum := sha256.Sum256(v.UnverifiedCertificates[0].Raw)
	e := &fault.Error{Op: "open", Path: where, Err: fmt.Errorf("the camera's certificate is not accepted: %w", v.Err), Class: fault.ErrCredentials,
		Advice: fmt.Sprintf("if it is the camera's own, add tls_fingerprint = \"%x\"", sum)}
	var invalid x509.CertificateInvalidError
	if errors.As(v.Err, &invalid) && invalid.Reason == x509.Expired {
		e.Advice = "check this unit's clock and the camera's; " + e.Advice
	}
	return e
}
