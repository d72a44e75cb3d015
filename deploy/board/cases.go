package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// boardCase is one thing that is tried. It finds the board running, with the unit
// ready, and leaves it so. What it gives is measured.
type boardCase struct {
	name  string
	first bool // those after it need it
	short bool // also in the short form
	try   func(ctx context.Context, b *board) (string, error)
}

var errSkipped = errors.New("not tried")

// cases are tried in this order.
var cases = []boardCase{
	{"boot", true, true, boot},
	{"install with apt", true, true, install},
	{"active and ready", true, true, ready},
	{"a plate becomes a hit", true, true, firstHit},
	{"status page", false, true, statusPage},
	{"doctor", false, true, doctor},
	{"watchdog (SIGSTOP)", false, true, watchdog},
	{"crash (SIGABRT, SIGSEGV)", false, false, crash},
	{"kill -9", false, false, killNine},
	{"power cut under traffic", false, false, powerCut},
	{"power cut without a broker", false, false, powerCutOffline},
	{"second boot", false, false, secondBoot},
	{"exposure steered by the plates", false, false, exposure},
	{"camera unplugged 8 times", false, false, unplug},
	{"file system read-only at work", false, false, readOnly},
	{"clock in 1970, and its jump", false, false, clock},
	{"written at idle and with hits", false, false, written},
	{"full disk", false, false, fullDisk},
	{"downgrade and upgrade", false, false, upgrade},
	{"remove and purge", false, false, remove},
}

func boot(ctx context.Context, b *board) (string, error) {
	at := time.Now()
	if err := b.boot(ctx, "", ""); err != nil {
		return "", err
	}
	shell := time.Since(at)
	if err := b.wait(ctx, "multi-user.target", `systemctl is-active -q multi-user.target`, bootTimeout); err != nil {
		return "", err
	}
	version, err := b.do(ctx, `uname -r`)
	return fmt.Sprintf("shell after %.0f s, multi-user after %.0f s, Linux %s", shell.Seconds(), time.Since(at).Seconds(), version), err
}

// install installs the package without a configuration: the service waits and says
// for what.
func install(ctx context.Context, b *board) (string, error) {
	at := time.Now()
	out, err := b.do(ctx, `DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends /run/load/platewatch.deb`)
	if err != nil {
		return "", err
	}
	took := time.Since(at)
	if !strings.Contains(out, "platewatch waits for /etc/platewatch/platewatch.toml") {
		return "", fmt.Errorf("the installation does not say what to do next:\n%s", out)
	}
	out, _, err = b.sh(ctx, `systemctl show --property=ActiveState,ConditionResult,UnitFileState platewatch | sort; systemctl --failed --no-legend`)
	if err != nil {
		return "", err
	}
	if strings.Join(strings.Fields(out), " ") != "ActiveState=inactive ConditionResult=no UnitFileState=enabled" {
		return "", fmt.Errorf("after the installation the service is %q, want it enabled and waiting", out)
	}
	return fmt.Sprintf("%.0f s; enabled, waits for its configuration", took.Seconds()), nil
}

// ready configures the unit as deploy/README.md says, and starts it.
func ready(ctx context.Context, b *board) (string, error) {
	_, err := b.do(ctx, `set -e
cd /run/load
install -m 0644 platewatch.toml ca.crt board.crt /etc/platewatch/
install -m 0600 board.key /etc/platewatch/secret/
mkdir -p /etc/systemd/system/platewatch.service.d
cp drop-in.conf /etc/systemd/system/platewatch.service.d/
systemctl daemon-reload
true`)
	if err != nil {
		return "", err
	}
	at := time.Now()
	if _, err := b.do(ctx, `systemd-run --pipe --wait -q -p DynamicUser=yes -p User=platewatch -p StateDirectory=platewatch platewatch hotlist import -operator tester -list national - </run/load/national.csv`); err != nil {
		return "", err
	}
	imported := time.Since(at)
	at = time.Now()
	if _, err := b.do(ctx, `systemctl start --no-block platewatch`); err != nil {
		return "", err
	}
	if err := b.active(ctx); err != nil {
		return "", err
	}
	took := time.Since(at)
	if err := b.online(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("import %.0f s, ready %.0f s after start, camera online after %.0f s", imported.Seconds(), took.Seconds(), time.Since(at).Seconds()), nil
}

func firstHit(ctx context.Context, b *board) (string, error) {
	v := vehicles[0]
	at := time.Now()
	if err := b.pass(ctx, v.plate, "hit in the log", hitsNow(1)); err != nil {
		return "", err
	}
	seen := time.Since(at)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := b.server.wait(ctx, "the hit of "+v.plate, func() bool { return b.server.count(v.plate) > 0 }); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s: hit %.0f s after the vehicle came, at the server after %.0f s", v.plate, seen.Seconds(), time.Since(at).Seconds()), nil
}

func statusPage(ctx context.Context, b *board) (string, error) {
	out, err := b.do(ctx, `set -e
curl -sf -o /dev/null -w '/ %{http_code} ' http://127.0.0.1:8080/
curl -sf http://127.0.0.1:8080/status.json >/run/status.json
curl -sf http://127.0.0.1:8080/metrics >/run/metrics
curl -s -o /run/readyz -w '/readyz %{http_code}' http://127.0.0.1:8080/readyz;
grep -q '"unit": *"board"' /run/status.json && grep -q '^platewatch_hits' /run/metrics`)
	return strings.TrimSpace(out), err
}

func doctor(ctx context.Context, b *board) (string, error) {
	if _, code, err := b.sh(ctx, `platewatch doctor -h`); err != nil {
		return "", err
	} else if code == 64 {
		return "", fmt.Errorf("%w: this version has no doctor", errSkipped)
	}
	out, err := b.do(ctx, `platewatch doctor -config /etc/platewatch/platewatch.toml`)
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return lastLines(out, 1), nil
}

func watchdog(ctx context.Context, b *board) (string, error) {
	took, err := b.kill(ctx, "SIGSTOP")
	if err != nil {
		return "", err
	}
	result, err := b.do(ctx, `journalctl -u platewatch --no-pager -o cat | grep -c 'Watchdog timeout'`)
	if err != nil {
		return "", fmt.Errorf("no watchdog timeout in the log: %w", err)
	}
	return fmt.Sprintf("ready again %.0f s after SIGSTOP, %s timeout", took.Seconds(), result), nil
}
