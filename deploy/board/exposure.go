package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// exposure has the unit steer the exposure of a camera whose driver has that
// control: platecam, a module built for the board's kernel. At the unit's first
// exposure, 1 ms, its picture is twice as bright as it should be. The unit looks at the
// light of each plate when its passage ends, so vehicles come and go.
func exposure(ctx context.Context, b *board) (measured string, err error) {
	v := vehicles[3]
	device, err := b.do(ctx, `set -e
mkdir -p /lib/firmware
cp /run/load/`+v.plate+`.yuyv /lib/firmware/platecam.yuyv
insmod /run/load/platecam.ko vehicle=0
udevadm settle
basename $(dirname $(grep -l '^platecam$' /sys/class/video4linux/*/name))`)
	if err != nil {
		return "", err
	}
	device = "/dev/" + device
	defer func() {
		_, e := b.do(ctx, `cp /run/before.toml /etc/platewatch/platewatch.toml; systemctl restart platewatch; sleep 3; rmmod platecam`)
		if e == nil {
			e = b.active(ctx)
		}
		if e == nil {
			e = b.online(ctx)
		}
		if err == nil {
			err = e
		}
	}()
	if _, err := b.do(ctx, `set -e
cp /etc/platewatch/platewatch.toml /run/before.toml
sed -i 's|^source = .*|source = "`+device+`"\nauto_exposure = "plate"|' /etc/platewatch/platewatch.toml
systemctl restart platewatch`); err != nil {
		return "", err
	}
	if err := b.active(ctx); err != nil {
		return "", err
	}
	if err := b.online(ctx); err != nil {
		return "", err
	}
	all, err := b.exposures(ctx, device)
	if err != nil {
		out, _, _ := b.sh(ctx, `v4l2-ctl -d `+device+` -L; curl -s http://127.0.0.1:8080/status.json | head -c 2000; journalctl -u platewatch --no-pager -o cat | tail -n 20`)
		return "", fmt.Errorf("after %v: %w\n%s", all, err, out)
	}
	mode, err := b.do(ctx, `v4l2-ctl -d `+device+` -C auto_exposure`)
	return fmt.Sprintf("in units of 0.1 ms, before and after each vehicle: %s (right: 5); %s", strings.Join(all, ", "), mode), err
}

// exposures lets vehicles pass the camera until the exposure stays, and gives it
// before the first and after each.
func (b *board) exposures(ctx context.Context, device string) ([]string, error) {
	const vehicle = `echo %d >/sys/module/platecam/parameters/vehicle`
	value := `v4l2-ctl -d ` + device + ` -C exposure_time_absolute | grep -oE '[0-9]+$'`
	first, err := b.do(ctx, value)
	all := []string{first}
	if err == nil && first != "10" {
		err = fmt.Errorf("the unit begins with %s, want 10: 1 ms", first)
	}
	if err != nil {
		return all, err
	}
	for n := 1; n <= 5; n++ {
		ended, err := b.do(ctx, passages)
		if err != nil {
			return all, err
		}
		if _, err := b.do(ctx, fmt.Sprintf(vehicle, 1)); err != nil {
			return all, err
		}
		if err := b.wait(ctx, "hit", hitsNow(n), 4*time.Minute); err != nil {
			return all, err
		}
		if _, err := b.do(ctx, fmt.Sprintf(vehicle, 0)); err != nil {
			return all, err
		}
		if err := b.wait(ctx, "end of the passage", `[ "$(`+passages+`)" -gt `+ended+` ]`, patience); err != nil {
			return all, err
		}
		now, err := b.do(ctx, "sleep 3; "+value)
		if err != nil {
			return all, err
		}
		all = append(all, now)
		if now != first && now == all[n-1] {
			return all, nil
		}
	}
	return all, errors.New("the exposure does not come to rest")
}
