package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// idleStretch is measured without a vehicle; hitsStretch vehicles follow.
const (
	idleStretch = 2 * time.Minute
	hitsStretch = 4
)

// wrote is what went to the disk up to now: by the unit's own processes, and by all
// of the board, in bytes. CPU is the unit's, in seconds.
type wrote struct {
	unit, all, cpu float64
	at             time.Time
}

func (b *board) wrote(ctx context.Context) (wrote, error) {
	// What waits in memory goes out first.
	out, err := b.do(ctx, `sync
n=0; for p in $(cat /sys/fs/cgroup/system.slice/platewatch.service/cgroup.procs); do n=$((n + $(sed -n 's/^write_bytes: //p' /proc/$p/io))); done; echo $n
awk '{print $7 * 512}' /sys/block/vda/stat
systemctl show --value -p CPUUsageNSec platewatch`)
	if err != nil {
		return wrote{}, err
	}
	var v [3]float64
	for i, f := range strings.Fields(out) {
		if i < len(v) {
			if v[i], err = strconv.ParseFloat(f, 64); err != nil {
				return wrote{}, err
			}
		}
	}
	return wrote{v[0], v[1], v[2] / 1e9, time.Now()}, nil
}

// written measures what the unit writes and needs, with no vehicle and with hits.
func written(ctx context.Context, b *board) (string, error) {
	before, err := b.wrote(ctx)
	if err != nil {
		return "", err
	}
	if _, err := b.do(ctx, fmt.Sprintf("sleep %.0f", idleStretch.Seconds())); err != nil {
		return "", err
	}
	idle, err := b.wrote(ctx)
	if err != nil {
		return "", err
	}
	for i := range hitsStretch {
		if err := b.hit(ctx, vehicles[i%4]); err != nil {
			return "", err
		}
	}
	if _, err := b.do(ctx, "sleep 10"); err != nil { // revisions, acknowledgements
		return "", err
	}
	work, err := b.wrote(ctx)
	if err != nil {
		return "", err
	}
	const day = 86400
	rate := day / idle.at.Sub(before.at).Seconds()
	unitDay, allDay := (idle.unit-before.unit)*rate, (idle.all-before.all)*rate
	took := work.at.Sub(idle.at).Seconds()
	unitHit := (work.unit - idle.unit - unitDay*took/day) / hitsStretch
	allHit := (work.all - idle.all - allDay*took/day) / hitsStretch
	memory, err := b.do(ctx, `cat /sys/fs/cgroup/system.slice/platewatch.service/memory.current /sys/fs/cgroup/system.slice/platewatch.service/memory.peak 2>/dev/null | tr '\n' ' '
grep -h -E '^(anon|file) ' /sys/fs/cgroup/system.slice/platewatch.service/memory.stat | tr '\n' ' '
for p in $(cat /sys/fs/cgroup/system.slice/platewatch.service/cgroup.procs); do echo $(cat /proc/$p/comm) $(sed -n 's/^VmRSS:\s*//p; s/^RssAnon:\s*//p' /proc/$p/status); done | tr '\n' ';'`)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("a day at idle: unit %.1f MB, board %.1f MB; a hit: unit %.0f kB, board %.0f kB; with 1,000 hits a day: board %.0f MB; processor %.0f %% of a core at idle; memory %s",
		unitDay/1e6, allDay/1e6, unitHit/1e3, allHit/1e3, (allDay+1000*allHit)/1e6, 100*(idle.cpu-before.cpu)/idle.at.Sub(before.at).Seconds(), memory), nil
}
