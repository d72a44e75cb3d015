package doctor

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"platewatch/cmd/platewatch/internal/board"
)

// confined tells what a camera's decoder is kept from.
func confined(found sink, about, report string) {
	if report == "" {
		return
	}
	done, missing, some := strings.Cut(report, "; without ")
	found.grade(!some, Warn, about, "decoder", ifElse(some, "runs without "+missing, "confined: "+done),
		"all that the kernel offers: Landlock, seccomp, a limit of memory", "use a kernel of 5.13 or newer with Landlock (lsm=landlock,… on its command line), and the systemd unit as it comes")
}

const serviceName = "platewatch.service"

// confinement looks at what the kernel offers, and what systemd takes from the
// service.
func (x *examination) confinement(ctx context.Context, found sink) {
	const about = "confinement"
	version := board.Landlock()
	found.grade(version > 0, Warn, about, "Landlock", ifElse(version > 0, fmt.Sprintf("the kernel has version %d", version), "the kernel has none"),
		"any version: decoders of cameras get no file and no network", "use a kernel of 5.13 or newer, with landlock in lsm= on its command line")
	_, err := os.Stat(filepath.Join(x.o.Board.Root, "proc/sys/kernel/seccomp/actions_avail"))
	found.grade(err == nil, Warn, about, "seccomp", ifElse(err == nil, "the kernel has it", "the kernel has none"), "there", "use a kernel with CONFIG_SECCOMP_FILTER")
	if _, err := os.Stat(filepath.Join(x.o.Board.Root, "run/systemd/system")); err != nil {
		found.skip(about, "systemd", "this machine was not started by systemd")
		return
	}
	p := properties(ctx)
	if p["LoadState"] != "loaded" {
		found.warn(about, "systemd", "there is no "+serviceName, "the service", "install the package: it brings the service")
		return
	}
	x.service(ctx, found, p)
}

// properties are those of the service.
func properties(ctx context.Context) map[string]string {
	out, err := exec.CommandContext(ctx, "systemctl", "show", serviceName,
		"--property=LoadState,ActiveState,SubState,MainPID,WatchdogUSec,NRestarts,Restart,UnitFileState,Result").Output()
	if err != nil {
		return nil
	}
	all := map[string]string{}
	for line := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		all[key] = value
	}
	return all
}

// mostExposed is the exposure that the tests hold the service to, out of 10.
const mostExposed = 1.5

func (x *examination) service(ctx context.Context, found sink, p map[string]string) {
	const about = "service"
	found.grade(p["UnitFileState"] == "enabled", Warn, about, "start", "is "+p["UnitFileState"], "enabled: it starts with the board", "systemctl enable platewatch")
	restarts, err := strconv.Atoi(p["NRestarts"])
	if err == nil {
		found.grade(restarts == 0, Warn, about, "restarts", count(restarts, "restart")+" since it was started", "none", "journalctl -u platewatch tells why")
	}
	watchdog := p["WatchdogUSec"]
	set := watchdog != "" && watchdog != "0" && watchdog != "infinity"
	found.grade(set, Warn, about, "watchdog", ifElse(set, "restarts the service when it stalls for "+watchdog, "off"), "on", "remove WatchdogSec from the drop-ins: systemctl cat platewatch")
	out, err := exec.CommandContext(ctx, "systemd-analyze", "security", "--no-pager", serviceName).Output()
	if exposure, ok := exposureOf(out); err == nil && ok {
		found.grade(exposure <= mostExposed, Warn, about, "exposure", fmt.Sprintf("%.1f of 10", exposure), fmt.Sprintf("at most %.1f", mostExposed),
			"see what the drop-ins open: systemctl cat platewatch, systemd-analyze security platewatch")
	}
	if pid, err := strconv.Atoi(p["MainPID"]); err == nil && pid > 0 {
		x.process(found, pid)
	}
}

// exposureOf finds the number in what systemd-analyze prints.
func exposureOf(out []byte) (float64, bool) {
	_, rest, ok := bytes.Cut(out, []byte("xposure level for "+serviceName+":"))
	fields := bytes.Fields(rest)
	if !ok || len(fields) == 0 {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(fields[0]), 64)
	return f, err == nil
}

// process looks at what the kernel took from the daemon's process.
func (x *examination) process(found sink, pid int) {
	text, err := os.ReadFile(filepath.Join(x.o.Board.Root, "proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return
	}
	var lacks []string
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch value = strings.TrimSpace(value); {
		case key == "NoNewPrivs" && value != "1":
			lacks = append(lacks, "it may gain privileges")
		case key == "Seccomp" && value != "2":
			lacks = append(lacks, "it has no filter of system calls")
		case key == "CapEff" && strings.Trim(value, "0") != "":
			lacks = append(lacks, "it has capabilities")
		case key == "Uid" && strings.HasPrefix(value, "0"):
			lacks = append(lacks, "it runs as root")
		}
	}
	found.grade(len(lacks) == 0, Warn, "service", "process", either(lacks, "no new privileges, no capabilities, a filter of system calls", "%s"), "confined", "see what the drop-ins open: systemctl cat platewatch")
}
