package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// board is the emulated board with what is installed on it, and the server.
type board struct {
	*machine
	image  *diskImages
	server *server
}

// boot starts the board from its disk.
func (b *board) boot(ctx context.Context, clock, options string) (err error) {
	b.machine, err = start(ctx, machineSettings{kernel: b.image.kernel, initrd: b.image.initrd, root: b.image.root, load: b.image.load,
		log: folder + "/serial.log", console: folder + "/console", clock: clock, options: options})
	if err != nil {
		return err
	}
	if _, err = b.do(ctx, `mkdir -p /run/load && mount -o ro /dev/vdb /run/load`); err != nil {
		return err
	}
	return b.hide(ctx)
}

// do runs a command that must succeed.
func (b *board) do(ctx context.Context, command string) (string, error) {
	out, code, err := b.sh(ctx, command)
	if err != nil {
		return out, err
	}
	if code != 0 {
		return out, fmt.Errorf("%s: exit code %d: %s", firstLine(command), code, lastLines(out, 12))
	}
	return out, nil
}

// hopeless is the exit code of a command of wait for which it is useless to wait.
const hopeless = 9

// wait repeats a command on the board until it succeeds.
func (b *board) wait(ctx context.Context, what, command string, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		out, code, err := b.sh(ctx, command)
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("no %s within %v: %s", what, limit, lastLines(out, 5))
		case err != nil:
			return err
		case code == 0:
			return nil
		case code == hopeless:
			return fmt.Errorf("no %s: %s", what, lastLines(out, 5))
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// active waits until the service is ready: Type=notify, so active means READY=1.
func (b *board) active(ctx context.Context) error {
	err := b.wait(ctx, "active service", `systemctl is-active -q platewatch || { [ $(systemctl is-failed platewatch) != failed ] || exit 9; false; }`, patience)
	if err != nil {
		out, _, _ := b.sh(ctx, `systemctl status --no-pager -n 20 platewatch`)
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// online waits until the unit says that its camera gives frames.
func (b *board) online(ctx context.Context) error {
	return b.wait(ctx, "camera that is online", `curl -sf http://127.0.0.1:8080/status.json | grep -q '"state": *"online"'`, patience)
}

// property is one of the service's.
func (b *board) property(ctx context.Context, name string) (string, error) {
	return b.do(ctx, "systemctl show --value --property="+name+" platewatch")
}

// scene is a command that shows a picture to the camera; road.service does it.
func scene(picture string) string {
	return "echo /run/load/" + picture + ".bgr >/run/scene; systemctl restart --no-block road"
}

// show lets a vehicle stand before the camera until hide.
func (b *board) show(ctx context.Context, plate string) error {
	_, err := b.do(ctx, scene(plate))
	return err
}

// hide takes the vehicle away.
func (b *board) hide(ctx context.Context) error {
	_, err := b.do(ctx, scene(noVehicle))
	return err
}

// passages prints how many have ended since the unit's start.
const passages = `curl -sf http://127.0.0.1:8080/status.json | grep -oE '"passages":[0-9]+,"hits"' | grep -oE '[0-9]+' | head -n 1`

// leave takes the vehicle away and waits for the end of its passage: one that comes
// to the same place before that would be the same vehicle. ended is what passages
// printed before the vehicle came: a standing one's passage can end before it leaves.
func (b *board) leave(ctx context.Context, ended string) error {
	if err := b.hide(ctx); err != nil {
		return err
	}
	return b.wait(ctx, "end of the passage", `[ "$(`+passages+`)" -gt `+ended+` ]`, patience)
}

// pass lets a vehicle pass until the condition, a command on the board, holds.
func (b *board) pass(ctx context.Context, plate, what, condition string) error {
	ended, err := b.do(ctx, passages)
	if err != nil {
		return err
	}
	if err := b.show(ctx, plate); err != nil {
		return err
	}
	if err := b.wait(ctx, what, condition, patience); err != nil {
		out, _, _ := b.sh(ctx, `systemctl status --no-pager road; curl -s http://127.0.0.1:8080/status.json | head -c 3000; journalctl -u platewatch --no-pager -o cat | tail -n 20`)
		return errors.Join(fmt.Errorf("%w\n%s", err, out), b.hide(ctx))
	}
	return b.leave(ctx, ended)
}

var hitLine = regexp.MustCompile(`msg=hit .*\bid=(\S+)`)

// told returns the hits in the unit's log, of all boots.
func (b *board) told(ctx context.Context) ([]string, error) {
	out, err := b.do(ctx, `journalctl -u platewatch --no-pager -o cat | grep 'msg=hit ' || true`)
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for _, m := range hitLine.FindAllStringSubmatch(out, -1) {
		ids[m[1]] = true
	}
	return slices.Sorted(maps.Keys(ids)), nil
}

// hitsNow is a command that holds when the log has at least n hits since the
// service's present start.
func hitsNow(n int) string {
	return fmt.Sprintf(`[ $(journalctl _SYSTEMD_INVOCATION_ID=$(systemctl show --value -p InvocationID platewatch) --no-pager -o cat | grep -c 'msg=hit ') -ge %d ]`, n)
}

// arrived waits until the server has all of these hits.
func (b *board) arrived(ctx context.Context, ids []string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return b.server.wait(ctx, fmt.Sprintf("one of the hits %v", ids), func() bool {
		for _, id := range ids {
			if b.server.hits[id] == 0 {
				return false
			}
		}
		return true
	})
}

// kill sends the service's main process a signal and waits until it is ready again
// in another process.
func (b *board) kill(ctx context.Context, signal string) (time.Duration, error) {
	before, err := b.property(ctx, "MainPID")
	if err != nil {
		return 0, err
	}
	at := time.Now()
	if _, err := b.do(ctx, "systemctl kill --kill-who=main --signal="+signal+" platewatch"); err != nil {
		return 0, err
	}
	err = b.wait(ctx, "restart after "+signal, `p=$(systemctl show --value -p MainPID platewatch); [ $p != 0 ] && [ $p != `+before+` ] && systemctl is-active -q platewatch`, patience)
	return time.Since(at), err
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
