package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// crash ends the unit as a Go panic does (SIGABRT has the runtime exit with 2) and
// as a fault in a C++ library does.
func crash(ctx context.Context, b *board) (string, error) {
	var all []string
	for _, signal := range []string{"SIGABRT", "SIGSEGV"} {
		took, err := b.kill(ctx, signal)
		if err != nil {
			return "", err
		}
		all = append(all, fmt.Sprintf("%s: ready again after %.0f s", signal, took.Seconds()))
	}
	return strings.Join(all, ", "), b.online(ctx)
}

const (
	unbind = `echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind`
	bind   = `echo vivid.0 >/sys/bus/platform/drivers/vivid/bind`
	// gone holds when the unit says that its camera is not there.
	gone = `! curl -sf http://127.0.0.1:8080/status.json | grep -q '"state": *"online"'`
)

// descriptors counts the open files of the service's processes.
const descriptors = `n=0; for p in $(cat /sys/fs/cgroup/system.slice/platewatch.service/cgroup.procs); do n=$((n + $(ls /proc/$p/fd | wc -l))); done; echo $n`

// unplug takes the camera away eight times: four times while nothing moves, and four
// times while a look runs.
func unplug(ctx context.Context, b *board) (string, error) {
	pid, err := b.property(ctx, "MainPID")
	if err != nil {
		return "", err
	}
	before, err := b.do(ctx, descriptors)
	if err != nil {
		return "", err
	}
	v := vehicles[1]
	var slowest time.Duration
	for n := range 8 {
		looking := n%2 == 1
		if looking {
			// A look lasts seconds here; the motion that starts it comes with the vehicle.
			if err := b.show(ctx, v.plate); err != nil {
				return "", err
			}
			if _, err := b.do(ctx, `sleep 1.5`); err != nil {
				return "", err
			}
		}
		at := time.Now()
		if _, err := b.do(ctx, unbind); err != nil {
			return "", err
		}
		if looking {
			if err := b.hide(ctx); err != nil {
				return "", err
			}
		}
		if err := b.wait(ctx, "word that the camera is gone", gone, patience); err != nil {
			return "", err
		}
		if _, err := b.do(ctx, bind); err != nil {
			return "", err
		}
		if err := b.online(ctx); err != nil {
			return "", err
		}
		slowest = max(slowest, time.Since(at))
	}
	after, err := b.do(ctx, descriptors)
	if err != nil {
		return "", err
	}
	if now, err := b.property(ctx, "MainPID"); err != nil || now != pid {
		return "", fmt.Errorf("the unit was restarted: process %s, then %s (%v)", pid, now, err)
	}
	total := b.server.total()
	if err := b.hit(ctx, v); err != nil {
		return "", fmt.Errorf("after it: %w", err)
	}
	return fmt.Sprintf("same process, %s then %s descriptors, gone and back within %.0f s; then %d hits more",
		before, after, slowest.Seconds(), b.server.total()-total), nil
}

// hit lets a vehicle pass and waits for its hit at the server.
func (b *board) hit(ctx context.Context, v vehicle) error {
	n := b.server.countNow(v.plate)
	ended, err := b.do(ctx, passages)
	if err != nil {
		return err
	}
	if err := b.show(ctx, v.plate); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := b.server.wait(ctx, "the hit of "+v.plate, func() bool { return b.server.count(v.plate) > n }); err != nil {
		return errors.Join(err, b.hide(context.WithoutCancel(ctx)))
	}
	return b.leave(ctx, ended)
}

// untilHit lets a vehicle pass; the moment the unit's log has its hit, the command is
// run and the vehicle is gone.
func (b *board) untilHit(ctx context.Context, plate, command string) error {
	if err := b.show(ctx, plate); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// journalctl itself would only end at its next line.
	_, err := b.do(ctx, `{ journalctl -u platewatch -n 0 -f -o cat & echo $! >/run/follow; wait; } | { grep -m 1 'msg=hit '; `+command+`; kill $(cat /run/follow); `+scene(noVehicle)+`; }`)
	return err
}

// killNine kills the unit at the moment it has accepted a hit, before it can have
// delivered it, as the server is away.
func killNine(ctx context.Context, b *board) (string, error) {
	v := vehicles[2]
	b.server.down()
	err := b.untilHit(ctx, v.plate, `kill -9 $(systemctl show --value -p MainPID platewatch)`)
	if e := b.server.up(); err == nil {
		err = e
	}
	if err != nil {
		return "", err
	}
	ids, err := b.told(ctx)
	if err != nil {
		return "", err
	}
	if err := b.active(ctx); err != nil {
		return "", err
	}
	if err := b.arrived(ctx, ids); err != nil {
		return "", err
	}
	if err := b.online(ctx); err != nil {
		return "", err
	}
	if n := b.server.countNow(v.plate); n != 1 {
		return "", fmt.Errorf("%s arrived as %d hits, want 1", v.plate, n)
	}
	return "the hit arrived once", nil
}

// hitAndRestart has a hit, restarts the unit, and has another one.
func (b *board) hitAndRestart(ctx context.Context, before, after vehicle) error {
	if err := b.hit(ctx, before); err != nil {
		return err
	}
	if _, err := b.do(ctx, `systemctl restart platewatch`); err != nil {
		return err
	}
	if err := b.active(ctx); err != nil {
		return err
	}
	if err := b.online(ctx); err != nil {
		return err
	}
	return b.hit(ctx, after)
}

// fullDisk fills the disk, except for what is reserved for root, has a hit, and
// restarts the unit. systemd makes the service's own /tmp out of that reserve:
// without it a service with one does not start until there is room again.
func fullDisk(ctx context.Context, b *board) (string, error) {
	if _, err := b.do(ctx, `install -d -o nobody /filler
as_nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
$as_nobody dd if=/dev/zero of=/filler/1 bs=1M 2>/dev/null; $as_nobody dd if=/dev/zero of=/filler/2 bs=4k 2>/dev/null
! $as_nobody sh -c 'head -c 100000 /dev/zero >/filler/3' 2>/dev/null`); err != nil {
		return "", err
	}
	err := b.hitAndRestart(ctx, vehicles[0], vehicles[1])
	if _, e := b.do(ctx, `rm -rf /filler`); err == nil {
		err = e
	}
	return "hits arrive, a restart too; the unit stays active", err
}

// forgotten takes away what systemd could not while nothing could be written, and
// would at the next boot: the folders for temporary files of the unit that ended.
const forgotten = `used=$(cat /proc/$(systemctl show --value -p MainPID platewatch)/mountinfo)
for d in /tmp/systemd-private-*-platewatch.service-* /var/tmp/systemd-private-*-platewatch.service-*; do
	case $used in *"${d##*/}"*) ;; *) rm -rf "$d" ;; esac
done`

// readOnly has the kernel remount the file system, as it does after an error of the
// SD card.
func readOnly(ctx context.Context, b *board) (string, error) {
	if _, err := b.do(ctx, `echo u >/proc/sysrq-trigger; sleep 2; ! touch /probe 2>/dev/null`); err != nil {
		return "", err
	}
	err := b.hitAndRestart(ctx, vehicles[2], vehicles[3])
	if _, e := b.do(ctx, `mount -o remount,rw / && touch /probe && rm /probe && systemctl restart systemd-journald`); err == nil {
		err = e
	}
	if err == nil {
		err = b.active(ctx)
	}
	if err == nil {
		_, err = b.do(ctx, forgotten)
	}
	return "hits arrive, a restart too, and all is well when it is writable again", err
}

// clock sets the clock to 1970, where no certificate is valid yet, restarts the
// unit, has a hit, and sets it right.
func clock(ctx context.Context, b *board) (string, error) {
	v := vehicles[4]
	before := b.server.countNow(v.plate)
	if _, err := b.do(ctx, `date -s '1970-01-02 03:04:05' && systemctl restart platewatch`); err != nil {
		return "", err
	}
	err := b.active(ctx)
	if err == nil {
		err = b.online(ctx)
	}
	if err == nil {
		err = b.pass(ctx, v.plate, "hit in the log", hitsNow(1))
	}
	if err == nil && b.server.countNow(v.plate) > before {
		err = fmt.Errorf("the hit arrived although no certificate is valid")
	}
	if _, e := b.do(ctx, fmt.Sprintf("date -s @%d", time.Now().Unix())); err == nil {
		err = e
	}
	if err != nil {
		return "", err
	}
	at := time.Now()
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := b.server.wait(limited, "the hit of 1970", func() bool { return b.server.count(v.plate) > before }); err != nil {
		return "", err
	}
	restarts, err := b.property(ctx, "NRestarts")
	return fmt.Sprintf("hit kept, delivered %.0f s after the jump, %s restarts", time.Since(at).Seconds(), restarts), err
}

// cut cuts the power when the unit's log has a hit, boots the board again, and waits
// for all hits that were logged.
func (b *board) cut(ctx context.Context, v vehicle, before, after func() error) (string, error) {
	if err := before(); err != nil {
		return "", err
	}
	if err := b.untilHit(ctx, v.plate, "true"); err != nil {
		return "", err
	}
	ids, err := b.told(ctx)
	if err != nil {
		return "", err
	}
	b.powerCut()
	at := time.Now()
	if err := b.boot(ctx, "", ""); err != nil {
		return "", err
	}
	if err := b.active(ctx); err != nil {
		return "", err
	}
	up := time.Since(at)
	if err := after(); err != nil {
		return "", err
	}
	if err := b.arrived(ctx, ids); err != nil {
		return "", err
	}
	if err := b.online(ctx); err != nil {
		return "", err
	}
	restarts, err := b.property(ctx, "NRestarts")
	if err == nil && restarts != "0" {
		err = fmt.Errorf("the unit was restarted %s times after the boot", restarts)
	}
	return fmt.Sprintf("all %d hits arrived, ready %.0f s after power came back, no restart", len(ids), up.Seconds()), err
}

func powerCut(ctx context.Context, b *board) (string, error) {
	nothing := func() error { return nil }
	return b.cut(ctx, vehicles[3], nothing, nothing)
}

func powerCutOffline(ctx context.Context, b *board) (string, error) {
	return b.cut(ctx, vehicles[4], func() error { b.server.down(); return nil }, b.server.up)
}

func secondBoot(ctx context.Context, b *board) (string, error) {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := b.off(limited); err != nil {
		return "", err
	}
	at := time.Now()
	if err := b.boot(ctx, "", ""); err != nil {
		return "", err
	}
	if err := b.active(ctx); err != nil {
		return "", err
	}
	up := time.Since(at)
	if err := b.online(ctx); err != nil {
		return "", err
	}
	if err := b.hit(ctx, vehicles[0]); err != nil {
		return "", err
	}
	out, err := b.do(ctx, `systemctl show --value -p InactiveExitTimestampMonotonic -p ActiveEnterTimestampMonotonic platewatch; systemctl --failed --no-legend`)
	if err != nil {
		return "", err
	}
	var started, active float64 // microseconds
	if n, _ := fmt.Sscan(out, &started, &active); n != 2 || len(strings.Fields(out)) != 2 {
		return "", fmt.Errorf("after the boot: %s", out)
	}
	return fmt.Sprintf("ready %.0f s after power came, %.0f s after the service's start, and a hit", up.Seconds(), (active-started)/1e6), nil
}

// upgrade installs an older version and this one again; lists and configuration
// stay.
func upgrade(ctx context.Context, b *board) (string, error) {
	var times []string
	for _, file := range []string{"older.deb", "platewatch.deb"} {
		at := time.Now()
		if _, err := b.do(ctx, `DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends --allow-downgrades /run/load/`+file); err != nil {
			return "", err
		}
		if err := b.active(ctx); err != nil {
			return "", err
		}
		times = append(times, fmt.Sprintf("%.0f s", time.Since(at).Seconds()))
		if err := b.online(ctx); err != nil {
			return "", err
		}
		if err := b.hit(ctx, vehicles[1]); err != nil {
			return "", err
		}
	}
	return "ready after " + strings.Join(times, " and ") + ", a hit after each", nil
}

func remove(ctx context.Context, b *board) (string, error) {
	if _, err := b.do(ctx, `DEBIAN_FRONTEND=noninteractive apt-get remove -y platewatch && ! systemctl is-active -q platewatch &&
		[ -s /var/lib/private/platewatch/outbox.db ] && [ -s /etc/platewatch/platewatch.toml ]`); err != nil {
		return "", err
	}
	if _, err := b.do(ctx, `DEBIAN_FRONTEND=noninteractive apt-get purge -y platewatch`); err != nil {
		return "", err
	}
	out, err := b.do(ctx, `find / -xdev -iname '*platewatch*' -not -path '/var/log/*' -not -path '/var/cache/*' -not -path '/etc/systemd/system/platewatch.service.d*' -not -path '/proc/*'; systemctl --failed --no-legend`)
	if err != nil {
		return "", err
	}
	left := slices.DeleteFunc(strings.Split(out, "\n"), func(s string) bool { return s == "" })
	if len(left) > 0 {
		return "", fmt.Errorf("left after the purge: %s", strings.Join(left, ", "))
	}
	return "remove keeps state and configuration, purge leaves nothing but the drop-in of the operator", nil
}
