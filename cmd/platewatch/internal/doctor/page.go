package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path"
	"time"

	"platewatch/cmd/platewatch/internal/access"
	"platewatch/cmd/platewatch/internal/config"
	"platewatch/cmd/platewatch/internal/status"
	"platewatch/uplink/broker"
)

// pageCertificate is the file of the status page's certificate; "" where it has none.
func pageCertificate(c *config.Config) string {
	host, _, err := net.SplitHostPort(c.Status.Listen)
	switch {
	case c.Status.Cert != "" || err != nil:
		return c.Status.Cert
	case broker.Loopback(host):
		return ""
	}
	cert, _ := access.Files(c.StateDir)
	return cert
}

// pageAddress is where a phone in the unit's network finds the status page. The error
// tells why it cannot.
func pageAddress(c *config.Config) (string, error) {
	host, port, err := net.SplitHostPort(c.Status.Listen)
	switch {
	case c.Status.Listen == status.Off || err != nil:
		return "", errors.New("the unit has no status page")
	case broker.Loopback(host):
		return "", fmt.Errorf("the status page listens on %s, where only this machine reaches it", c.Status.Listen)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		addresses := access.Addresses()
		if len(addresses) == 0 || addresses[0].IsLoopback() {
			return "", errors.New("this machine has no address in a network")
		}
		host = addresses[0].String()
	}
	return "https://" + net.JoinHostPort(host, port) + path.Join("/", c.Status.BasePath) + "/", nil
}

// hinted is an error with advice.
type hinted struct {
	error
	advice string
}

func (h *hinted) Hint() string { return h.advice }

// WritePageCode prints address and certificate of the page, and a QR code with the
// address, and with the token if there is a file with one.
func WritePageCode(w io.Writer, c *config.Config, tokenFile string) error {
	address, err := pageAddress(c)
	if err != nil {
		return &hinted{err, "set status.listen to an address of the network, with a token"}
	}
	fingerprint, ends, err := access.Fingerprint(pageCertificate(c))
	if err != nil {
		return &hinted{err, "start the unit: it makes one; and run this as root, or as the service's user"}
	}
	token := ""
	if tokenFile != "" {
		if token, err = broker.ReadSecret(tokenFile); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(w, "%s\ncertificate SHA-256, until %s:\n%s\n\n", address, ends.Format(time.DateOnly), fingerprint)
	return errors.Join(err, access.WriteQR(w, access.Link(address, token)))
}

// page tells where the status page is, and its certificate.
func (x *examination) page(_ context.Context, found sink) {
	const about = "page"
	address, err := pageAddress(x.c)
	if err != nil {
		found.skip(about, "", err.Error())
		return
	}
	cert := pageCertificate(x.c)
	fingerprint, ends, err := access.Fingerprint(cert)
	if err != nil {
		found.warn(about, "certificate", err.Error(), "a certificate", "the first start makes one; run this as root, or as the service's user")
		return
	}
	found.ok(about, "", address+", certificate SHA-256 "+fingerprint, "")
	expiresOn(found, about, "certificate", ends)
}
