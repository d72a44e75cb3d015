package status

import "time"

// Board is the machine that the unit runs on, as far as it tells.
type Board struct {
	Model string `json:"model,omitempty"`

	// Whether the supply voltage is too low, and whether the processor is slowed down:
	// now, and at any time since the board started.
	ThrottlingKnown  bool `json:"throttling_known"`
	UnderVoltage     bool `json:"under_voltage,omitempty"`
	UnderVoltageSeen bool `json:"under_voltage_seen,omitempty"`
	Slowed           bool `json:"slowed,omitempty"`
	SlowedSeen       bool `json:"slowed_seen,omitempty"`

	MemoryAvailable uint64 `json:"memory_available_bytes,omitempty"` // that programs can still get; 0: unknown
	MemoryTotal     uint64 `json:"memory_total_bytes,omitempty"`

	ReadOnly bool     `json:"read_only,omitempty"` // the file system of the state folder
	DiskWear *float64 `json:"disk_wear,omitempty"` // share of the memory's rated life that is used, 0–1; a tenth is the step of most

	ClockError Seconds `json:"clock_error_s,omitempty"` // the largest that the time source thinks possible
}

// Page describes the status page's own certificate.
type Page struct {
	Fingerprint string    `json:"fingerprint"` // SHA-256, as browsers show it
	Expires     time.Time `json:"certificate_expires"`
}

// Bounds of a healthy board.
const (
	hot          = 80.0 // °C, where a Raspberry Pi begins to slow down
	tooHot       = 90.0 // where most boards stop
	leastDisk    = 0.05 // share that is free
	leastMemory  = 0.05 // share that programs can still get
	mostDiskWear = 0.9
)

func (j *judge) board(d *Document) {
	if t := d.Temperature; t != nil {
		switch {
		case *t >= tooHot:
			j.add(Bad, "board", "board hot", "The board has %.0f °C and is about to stop.", *t)
		case *t >= hot:
			j.add(Warn, "board", "board hot", "The board has %.0f °C and is slowed down from %.0f.", *t, hot)
		}
	}
	if disk := d.Disk; disk != nil && disk.Total > 0 {
		if share := float64(disk.Free) / float64(disk.Total); share < leastDisk {
			j.add(Warn, "board", "board disk", "Only %.0f %% of the disk is free.", 100*share)
		}
	}
	b := d.Board
	if b == nil {
		return
	}
	if b.UnderVoltage {
		j.add(Warn, "board", "board voltage", "The supply voltage is too low: the board may stop at any time, and its card may be damaged.")
	}
	if b.Slowed {
		j.add(Warn, "board", "board slowed", "The board is slowed down, so that vehicles may be missed.")
	}
	if b.MemoryTotal > 0 && float64(b.MemoryAvailable) < leastMemory*float64(b.MemoryTotal) {
		j.add(Warn, "board", "board memory", "Only %d MiB of the board's memory are left.", b.MemoryAvailable>>20)
	}
	if b.ReadOnly {
		j.add(Bad, "board", "board read-only", "The disk is read-only: nothing can be stored.")
	}
	if w := b.DiskWear; w != nil && *w >= mostDiskWear {
		j.add(Warn, "board", "board wear", "About %.0f %% of the disk's life is used.", 100**w)
	}
	if d.Page != nil {
		switch left := d.Page.Expires.Sub(d.Now); {
		case d.Page.Expires.IsZero():
		case left <= 0:
			j.add(Warn, "board", "page certificate", "The status page's certificate expired on %s.", d.Page.Expires.Format(time.DateOnly))
		case left < certificateWarning:
			j.add(Warn, "board", "page certificate", "The status page's certificate expires on %s.", d.Page.Expires.Format(time.DateOnly))
		}
	}
}

// hints are what a person can do, by the key of the problem or the end of it, where
// the cause does not say it better.
var hints = []struct{ key, advice string }{
	{"stalled", "If it comes again, run platewatch doctor on the board."},
	{"no camera", "Add a [[camera]] to the configuration, or run platewatch setup."},
	{"offline", "Check its cable, address and password: platewatch doctor says where it fails."},
	{"failures", "Look into the log: journalctl -u platewatch."},
	{"losing", "Lower the camera's frame rate or size, or give the board less to do."},
	{"aim", "Open Aim on this page: it shows what to change."},
	{"light", "Open Aim on this page: it says what to change."},
	{"outbox not open", "Look into the log, and at the folder of uplink.outbox: journalctl -u platewatch."},
	{"outbox disk", "Free space or replace the disk, without cutting the power first."},
	{"outbox number", "Free space on the disk, and check the rights of the state folder."},
	{"outbox damaged", "The rest was recovered; check the board's power supply and its disk."},
	{"outbox dropped", "Bring the link back, or raise uplink.max_bytes and uplink.max_age."},
	{"outbox quarantine", "See platewatch outbox list, and update the server or this unit."},
	{"hotlist not open", "Look into the log, and at the folder of hotlist.path: journalctl -u platewatch."},
	{"hotlist empty", "Or let the server publish one, if this unit follows lists."},
	{"damaged", "Import the list again, or let the server send it again; then check the disk."},
	{"audit trail", "Find out who had access to the disk: platewatch audit verify."},
	{"missing", "platewatch doctor says which topics of the broker this unit may read."},
	{"overdue", "Ask the publisher of the list, and check the link and this unit's clock."},
	{"fallback", "Let the server publish the list again, and check the disk."},
	{"older", "Let the server publish the list again; find out who put the files back."},
	{"unrecorded", "Import the list again; find out who put the files there."},
	{"refused", "Compare the publisher's key with hotlist.trust: platewatch audit show."},
	{"wrong", "See what these hits have in common (platewatch audit show -kind verdict), and match the list more strictly: level, min_probability or agree in its [[hotlist.list]]."},
	{"no broker", "Set uplink.brokers, or run platewatch setup."},
	{"not connected", "Check the network: platewatch doctor says how far it gets."},
	{"server silent", "Look at the central server: the broker works."},
	{"namesake", "It is unit.name in the configuration, and the name in the certificate."},
	{"unexpected acknowledgements", "Look at who may write to this unit's topics on the broker."},
	{"uplink certificate", "Renew it: the unit reads the new files by itself."},
	{"clock not set", "Let the board reach a time server, or connect a GPS."},
	{"board hot", "Shade the housing, and clean or add cooling."},
	{"board disk", "Remove old files, or use a larger disk."},
	{"board voltage", "Use the board's own power supply, and a short cable."},
	{"board slowed", "Check its power supply and its cooling."},
	{"board memory", "Lower the cameras' size, or stop other programs on this board."},
	{"board read-only", "The disk is failing: save the state folder and replace it."},
	{"board wear", "Replace the disk or the board at the next visit."},
	{"page certificate", "Renew the files of status.cert and status.key."},
}
