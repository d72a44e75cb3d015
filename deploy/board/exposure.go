package main

import (
	"context"
	"fmt"
	"strings"
)

// exposure has the unit steer the exposure of a camera whose driver has that
// control: platecam, a module built for the board's kernel. At the unit's first
// exposure, 1 ms, its picture is twice as bright as it should be.
func exposure(ctx context.Context, b *board) (string, error) {
	v := vehicles[3]
	device, err := b.do(ctx, `set -e
mkdir -p /lib/firmware
cp /run/load/`+v.plate+`.yuyv /lib/firmware/platecam.yuyv
insmod /run/load/platecam.ko
udevadm settle
basename $(dirname $(grep -l '^platecam$' /sys/class/video4linux/*/name))`)
	if err != nil {
		return "", err
	}
	device = "/dev/" + device
	n := b.server.countNow(v.plate)
	if _, err := b.do(ctx, `set -e
cp /etc/platewatch/platewatch.toml /run/before.toml
sed -i 's|^source = .*|source = "`+device+`"\nauto_exposure = "plate"|' /etc/platewatch/platewatch.toml
systemctl restart platewatch`); err != nil {
		return "", err
	}
	err = b.active(ctx)
	if err == nil {
		err = b.online(ctx)
	}
	const value = `v4l2-ctl -d %s -C exposure_time_absolute | grep -oE '[0-9]+$'`
	if err == nil {
		err = b.wait(ctx, "shorter exposure", `[ $(`+fmt.Sprintf(value, device)+`) -lt 10 ]`, patience)
	}
	if err == nil {
		limited, cancel := context.WithTimeout(ctx, patience)
		err = b.server.wait(limited, "the hit of "+v.plate, func() bool { return b.server.count(v.plate) > n })
		cancel()
	}
	var now, mode string
	if err == nil {
		now, err = b.do(ctx, "sleep 20; "+fmt.Sprintf(value, device))
	}
	if err == nil {
		mode, err = b.do(ctx, `v4l2-ctl -d `+device+` -C auto_exposure; curl -s http://127.0.0.1:8080/status.json | grep -o '"controls": *\[[^]]*\]' | tr -d ' \n'`)
	}
	if err != nil {
		out, _, _ := b.sh(ctx, `v4l2-ctl -d `+device+` -L; journalctl -u platewatch --no-pager -o cat | tail -n 20`)
		err = fmt.Errorf("%w\n%s", err, out)
	}
	if _, e := b.do(ctx, `cp /run/before.toml /etc/platewatch/platewatch.toml; systemctl restart platewatch; sleep 3; rmmod platecam`); err == nil {
		err = e
	}
	if err == nil {
		err = b.active(ctx)
	}
	if err == nil {
		err = b.online(ctx)
	}
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("from 1 ms to %s × 100 µs (right: 5), %s", now, strings.Join(strings.Fields(mode), " ")), nil
}
