package access

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/renameio/v2"
)

// Files are those of the certificate that a unit makes for its page.
func Files(stateDir string) (cert, key string) {
	return filepath.Join(stateDir, "page", "cert.pem"), filepath.Join(stateDir, "page", "key.pem")
}

// The certificate's time. It begins long ago, because a board without a battery begins
// its first start in the past; and it ends late, because what a phone trusts is the
// fingerprint that a person compared.
var (
	certBegin = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	certEnd   = time.Date(2049, 12, 31, 0, 0, 0, 0, time.UTC)
)

// MakeCertificate makes the certificate of a unit's page, signed by itself, if there
// is none: for its name, for this machine's name and for its addresses.
func MakeCertificate(stateDir, unit string) (cert, key string, err error) {
	cert, key = Files(stateDir)
	if _, err := tls.LoadX509KeyPair(cert, key); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return cert, key, err
	}
	if err := os.MkdirAll(filepath.Dir(cert), 0o700); err != nil {
		return "", "", err
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return "", "", err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: unit}, NotBefore: certBegin, NotAfter: certEnd,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
		DNSNames: []string{strings.ToLower(unit), "localhost"}, IPAddresses: Addresses(),
	}
	if host, err := os.Hostname(); err == nil {
		template.DNSNames = append(template.DNSNames, host, host+".local")
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return "", "", err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", "", err
	}
	// The key first: a certificate without a key would be refused at the next start.
	if err := renameio.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600); err != nil {
		return "", "", err
	}
	return cert, key, renameio.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}

// Addresses are this machine's, as others reach it: loopback is the last.
func Addresses() []net.IP {
	var out []net.IP
	all, err := net.InterfaceAddrs()
	if err != nil {
		all = nil
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && !n.IP.IsLinkLocalUnicast() {
			out = append(out, n.IP)
		}
	}
	return append(out, net.IPv4(127, 0, 0, 1))
}

// Fingerprint is the SHA-256 of a certificate in a PEM file, as browsers show it:
// "AB:CD:…", and its end.
func Fingerprint(certFile string) (fingerprint string, ends time.Time, err error) {
	b, err := os.ReadFile(certFile)
	if err != nil {
		return "", time.Time{}, err
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return "", time.Time{}, fmt.Errorf("%s: no PEM block", certFile)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("%s: %w", certFile, err)
	}
	sum := sha256.Sum256(c.Raw)
	var out bytes.Buffer
	for i, v := range sum {
		if i > 0 {
			out.WriteByte(':')
		}
		fmt.Fprintf(&out, "%02X", v)
	}
	return out.String(), c.NotAfter, nil
}
