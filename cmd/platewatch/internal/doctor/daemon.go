package doctor

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path"
	"time"

	"platewatch/cmd/platewatch/internal/status"
	"platewatch/uplink/broker"
	"platewatch/uplink/outbox"
)

// daemon is what is known of the running daemon.
type daemon struct {
	running  bool
	document *status.Document // nil: it does not run, or could not be asked
}

// maxDocument bounds the status document, in bytes.
const maxDocument = 4 << 20

// askDaemon asks the daemon for its status document. Where it has no page, or does
// not let this user see it, the outbox's lock still tells that it runs.
func (x *examination) askDaemon(ctx context.Context, found sink) {
	const about = "daemon"
	d, err := x.statusDocument(ctx)
	if err == nil && d.Unit != x.c.Unit.Name {
		found.fail(about, "", fmt.Sprintf("unit %q answers at %s", d.Unit, x.c.Status.Listen), fmt.Sprintf("unit %q", x.c.Unit.Name),
			"two units run here: give each a status.listen and a state_dir of its own")
		d, err = nil, errors.New("another unit answers")
	}
	locked := false
	if _, ierr := outbox.Inspect(x.c.Uplink.OutboxFile); errors.Is(ierr, outbox.ErrLocked) {
		locked = true
	}
	switch {
	case err == nil:
		x.daemon, x.report.Daemon = daemon{true, d}, true
		x.condition(found)
	case locked:
		x.daemon.running = true
		found.warn(about, "", "it runs, and cannot be asked: "+err.Error(), "a status page that this user may see",
			"set status.listen, name a token of the page with -token FILE, or run this as root or as the service's user; or stop the daemon and check again")
	default:
		found.skip(about, "", "it does not run: cameras and broker are tried directly")
	}
}

// condition repeats what the daemon says of itself.
func (x *examination) condition(found sink) {
	const about = "daemon"
	d := x.daemon.document
	found.ok(about, "", fmt.Sprintf("version %s runs since %s: %s", d.Version.Version, age(d.Uptime), d.Condition.Headline), "running")
	for _, p := range d.Condition.Problems {
		if p.About == "uplink" || p.About == "clock" {
			continue // measured below
		}
		switch p.Level {
		case status.Bad:
			found.fail(about, p.About, p.Text, "no problem", "see the checks below")
		case status.Warn:
			found.warn(about, p.About, p.Text, "no problem", "see the checks below")
		}
	}
}

func age(s status.Seconds) string {
	d := time.Duration(float64(s) * float64(time.Second))
	if d > 48*time.Hour {
		return days(d)
	}
	return d.Round(time.Second).String()
}

// statusDocument gets the document from the address in the configuration, with the
// token that it names. The page's certificate must be the one of the configuration.
func (x *examination) statusDocument(ctx context.Context) (*status.Document, error) {
	s := x.c.Status
	if s.Listen == status.Off {
		return nil, errors.New("it has no status page")
	}
	host, port, err := net.SplitHostPort(s.Listen)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	scheme, transport := "http", &http.Transport{DisableKeepAlives: true}
	if cert := pageCertificate(x.c); cert != "" {
		scheme = "https"
		if transport.TLSClientConfig, err = pinned(cert); err != nil {
			return nil, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+net.JoinHostPort(host, port)+path.Join("/", s.BasePath, "status.json"), nil)
	if err != nil {
		return nil, err
	}
	if file := cmp.Or(x.o.TokenFile, s.TokenFile); file != "" {
		token, err := broker.ReadSecret(file)
		if err != nil {
			return nil, err
		}
		request.Header.Set("Authorization", "Bearer "+token)
	}
	client := &http.Client{Transport: transport, Timeout: 10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("its status page answers %s", response.Status)
	}
	d := new(status.Document)
	if err := json.NewDecoder(io.LimitReader(response.Body, maxDocument)).Decode(d); err != nil {
		return nil, fmt.Errorf("its status page does not answer with a status document: %w", err)
	}
	return d, nil
}

// pinned trusts the certificate in a file and no other, whatever names it has: the
// page runs on this machine.
func pinned(path string) (*tls.Config, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", path)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, // the names; the chain is verified here
		VerifyConnection: func(c tls.ConnectionState) error {
			rest := x509.NewCertPool()
			for _, extra := range c.PeerCertificates[1:] {
				rest.AddCert(extra)
			}
			_, err := c.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: pool, Intermediates: rest, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
			return err
		}}, nil
}
