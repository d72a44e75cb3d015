package unit

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"platewatch/capture"
	"platewatch/cmd/platewatch/internal/hit"
	"platewatch/cmd/platewatch/internal/status"
	"platewatch/hotlist/audit"
	"platewatch/ocr"
	"platewatch/ocr/passage"
	"platewatch/uplink/broker"
	"platewatch/uplink/outbox"
)

// statusPage makes the server of the status page.
func (u *Unit) statusPage() (*status.Server, error) {
	return status.New(u, status.Options{Settings: u.cfg().Status, StateDir: u.cfg().StateDir, UnitName: u.cfg().Unit.Name,
		TestDrive: &u.drive, OnView: u.recordView}, u.log)
}

// recordView appends the beginning or the end of a look to the audit trail. The
// viewer waits for it.
func (u *Unit) recordView(v status.View) {
	r := audit.Record{Kind: audit.View, Operator: v.Who, Source: v.Remote, Viewed: v.What}
	if !v.Until.IsZero() {
		r.Since = v.From
	}
	if err := u.trail.Append(context.Background(), r); err != nil {
		u.log.Error("look not recorded in the audit trail", "viewer", v.Who, "from", v.Remote, "viewed", v.What, "error", err)
	}
}

// Status implements [status.Unit].
func (u *Unit) Status() status.Document {
	d := status.Document{
		Unit: u.cfg().Unit.Name, Version: u.o.Version, Started: u.started, Uptime: status.Since(u.started),
		Now: time.Now(), Clock: u.clock(), Cameras: []status.Camera{}, LastHits: []status.Hit{},
		Hotlist: u.hotlistStatus(), Outbox: u.outboxStatus(), Uplink: u.uplinkStatus(), Temperature: boardTemperature(),
	}
	if disk := diskOf(filepath.Dir(u.cfg().Uplink.OutboxFile)); disk != nil {
		d.Disk = &status.Disk{Free: disk.Free, Total: disk.Total}
	}
	d.Board = boardStatus(u.cfg().StateDir)
	if p := u.cfg().Unit.Position; p != nil {
		d.Position = p.Description
	}
	for _, c := range u.pipelines {
		d.ProgressAge = max(d.ProgressAge, status.Seconds(c.progressAge().Seconds()))
		camera := c.status()
		d.Cameras = append(d.Cameras, camera)
		d.Passages += camera.Passages
		c.mu.Lock()
		d.Hits += c.counts.hits
		c.mu.Unlock()
	}
	d.HitCounts, d.Verdicts = u.hitCounts(), u.verdicts()
	waiting := map[string]bool{}
	for _, p := range u.outbox.List() {
		waiting[p.ID] = true
	}
	for _, r := range u.recent.latest() {
		d.LastHits = append(d.LastHits, hit.Page(r.id, &r.hit, status.Since(r.when), !waiting[r.id]))
	}
	return d
}

// Picture implements [status.Unit].
func (u *Unit) Picture(ctx context.Context, camera string, cut status.Cut) ([]byte, error) {
	c, err := u.pipeline(camera)
	if err != nil {
		return nil, err
	}
	c.aim.Watch()
	return c.preview.next(ctx, cut)
}

func (u *Unit) pipeline(camera string) (*cameraPipeline, error) {
	for _, c := range u.pipelines {
		if c.name == camera {
			return c, nil
		}
	}
	return nil, status.ErrUnknownCamera
}

// PlatePicture implements the interface of the same method in status.
func (u *Unit) PlatePicture(_ context.Context, camera string) ([]byte, error) {
	c, err := u.pipeline(camera)
	if err != nil {
		return nil, err
	}
	if b := c.preview.lastPlate(); b != nil {
		return b, nil
	}
	return nil, status.ErrNoPicture
}

// AimAnew implements the interface of the same method in status.
func (u *Unit) AimAnew(camera string) error {
	c, err := u.pipeline(camera)
	if err == nil {
		c.aim.Reset()
	}
	return err
}

// HitPicture implements the interface of the same method in status.
func (u *Unit) HitPicture(_ context.Context, id string) ([]byte, error) {
	for _, r := range u.recent.latest() {
		if r.id == id && r.hit.PlatePicture != nil {
			return r.hit.PlatePicture.JPEG, nil
		}
	}
	return nil, status.ErrNoPicture
}

func (c *cameraPipeline) status() status.Camera {
	s := c.camera.Stats()
	out := status.Camera{
		Name: c.name, Kind: s.Kind, State: string(s.State), Since: status.Since(s.Since),
		FPS: s.FPS, Width: s.Width, Height: s.Height,
		Frames: s.Frames, Drops: s.DropsByReason, Opens: s.Opens,
		LastFrame: status.Since(s.LastFrame), LastError: s.LastError, Hint: s.Hint,
	}
	out.Codec, out.Keyframes = s.Video.Codec, status.Seconds(s.Video.Keyframes.Seconds())
	if s.Video.ClockKnown {
		out.Ahead = new(status.Seconds(s.Video.Ahead.Seconds()))
	}
	if out.Lost = s.Lost; s.Lost > capture.LostWarning {
		out.Losing = capture.LostAdvice
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n := &c.counts
	out.Looks, out.Plates, out.Passages = n.looks, n.plates, n.passages
	out.FullLooks, out.Still, out.Again = n.fullLooks, n.still, n.again
	out.Failures, out.FailureAge = n.failures, status.Since(n.lastFailure)
	out.Directions = map[string]uint64{}
	for d, k := range n.directions {
		if k > 0 {
			out.Directions[passage.Direction(d).String()] = k
		}
	}
	g := c.meter.Guidance()
	out.Advice = g.Advice()
	if g.Plates > 0 {
		out.Light = &status.Light{Plates: g.Plates, Bright: g.Median.Bright, Dark: g.Median.Dark, Blur: g.Median.Blur, Height: g.Median.Height,
			Over: g.Over, Under: g.Under, Blurred: g.Blurred, Small: g.Small}
	}
	out.Aim = new(c.aim.Report())
	for _, k := range s.Controls {
		out.Controls = append(out.Controls, status.Control{Name: k.Name, Asked: k.Asked, Value: k.Value, Error: k.Error})
	}
	out.Look = status.Timing{P50: milliseconds(n.timing.quantile(0.5)), P95: milliseconds(n.timing.quantile(0.95)),
		Total: status.Seconds(n.timing.total.Seconds()), All: n.timing.all.Clone()}
	out.PlateBoxes, out.PlateAge = boxesOf(n.lastPlates), status.Since(n.lastPlateAt)
	return out
}

func boxesOf(plates []ocr.Plate) []status.Box {
	out := make([]status.Box, 0, len(plates))
	for _, p := range plates {
		out = append(out, status.Box{Width: p.Box.Dx(), Height: p.Box.Dy()})
	}
	return out
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (u *Unit) hotlistStatus() status.Hotlist {
	h := status.Hotlist{Open: true, Lists: []status.List{}, AuditProblem: u.auditHealth().Problem}
	for _, l := range u.listStates() {
		n := status.List{Name: l.Name, Version: l.Version, Entries: l.Entries, Imported: l.Imported,
			Missing: l.Missing, Lost: l.Missing && (l.Signed != nil || l.Accepted > 0), Overdue: l.Overdue, Fallback: l.Fallback,
			Accepted: l.Accepted, Unrecorded: l.Unrecorded, Forbidden: l.Forbidden}
		if l.Signed != nil {
			n.Expires = l.Signed.Expires
		}
		if l.Refused != nil {
			n.Refused = l.Refused.Reason
		}
		h.Lists = append(h.Lists, n)
	}
	for _, d := range u.lists.Damage() {
		h.Damage = append(h.Damage, status.ListDamage{List: d.List, Reason: d.Reason, SetAside: d.SetAside != ""})
	}
	return h
}

func (u *Unit) outboxStatus() status.Outbox {
	s := u.outbox.Stats()
	out := status.Outbox{
		Open: true, Pending: s.Entries, Bytes: s.Bytes, MaxBytes: s.MaxBytes, OldestAge: status.Seconds(s.Oldest),
		Unsaved: s.Unsaved,
		// The reasons are disjoint: their sum is the number of dropped messages.
		Dropped: map[string]uint64{"hits": s.DroppedEntries - s.Expired, "age": s.Expired, "pictures": s.DroppedPictures, "refused": s.Refused},
	}
	out.Quarantined, out.DiskProblem, out.NumberFileProblem = s.Quarantined, s.DiskProblem, s.NumberFileProblem
	if d := u.outbox.Damage(); d != nil {
		out.Damage = fmt.Sprintf("%s; %d hits were recovered, and the damaged file is kept as %s", d.Reason, d.Salvaged, filepath.Base(d.Kept))
	}
	if client := u.client(); client != nil {
		out.Awaiting = client.Stats().Awaiting
	}
	return out
}

func (u *Unit) uplinkStatus() status.Uplink {
	client := u.client()
	if client == nil {
		return status.Uplink{State: "off"}
	}
	s := client.Stats()
	if brokers := u.cfg().Uplink.Broker.Brokers; s.Broker == "" && len(brokers) > 0 {
		s.Broker = brokers[0]
	}
	out := status.Uplink{State: "offline", Broker: broker.Redact(s.Broker),
		Since: status.Since(s.Since), Delivered: s.Delivered, LastError: s.LastProblem,
		ServerSilent: s.ServerSilent, UnexpectedAcks: s.UnexpectedAcks, Namesake: s.Namesake, Insecure: s.Insecure, Certificate: s.Certificate}
	out.Delivery = status.Histogram{Bounds: outbox.DeliveryBounds}
	out.Delivery.Counts, out.Delivery.Sum = u.outbox.DeliveryTimes()
	switch {
	case s.Connected:
		out.State = "connected"
	case s.Connects == 0 && s.LastProblem == "":
		out.State = "connecting"
	}
	return out
}
