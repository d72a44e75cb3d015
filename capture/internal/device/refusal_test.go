package device

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"platewatch/capture/fault"
	"platewatch/deploy/tools/goldentest"
)

// fakeDevice is what the kernel says of a device.
type fakeDevice struct {
	caps     uint32
	capsErr  error
	claimErr error
	pixels   []string
}

func (d fakeDevice) capabilities() (uint32, error) { return d.caps, d.capsErr }
func (d fakeDevice) claim() error                  { return d.claimErr }
func (d fakeDevice) formats() []string             { return d.pixels }
func (d fakeDevice) Close() error                  { return nil }

// TestFieldRefusedDevices: the error for a device that is not a camera, is held by
// another program, or has gone says which it is; all messages are in
// testdata/refusals.txt.
func TestFieldRefusedDevices(t *testing.T) {
	var got strings.Builder
	for _, tt := range []struct {
		name    string
		d       fakeDevice
		openErr error
	}{
		{"held by another program", fakeDevice{caps: capCapture, claimErr: syscall.EBUSY}, nil},
		{"held by another program, exclusively", fakeDevice{}, syscall.EBUSY},
		{"not allowed", fakeDevice{}, fs.ErrPermission},
		{"gone", fakeDevice{}, syscall.ENODEV},
		{"gone meanwhile", fakeDevice{capsErr: syscall.ENODEV}, nil},
		{"no camera", fakeDevice{capsErr: errNoControl}, nil},
		{"metadata", fakeDevice{caps: capMetadata}, nil},
		{"several planes", fakeDevice{caps: capPlanes}, nil},
		{"H.264 only", fakeDevice{caps: capCapture, pixels: []string{"H264", "HEVC"}}, nil},
		{"anything else", fakeDevice{caps: capCapture, pixels: []string{"MJPG"}}, nil},
		{"cannot be opened", fakeDevice{}, syscall.EIO},
	} {
		err := refusal("/dev/video0", func(string) (prober, error) { return tt.d, tt.openErr })
		var e *fault.Error
		if !errors.As(err, &e) || e.Hint() == "" {
			t.Errorf("%s: no hint for %v", tt.name, err)
			continue
		}
		fmt.Fprintf(&got, "%s\n  %v\n  → %s\n\n", tt.name, err, e.Hint())
	}
	var gone, silent *fault.Error
	if !errors.As((&Watch{fakeDevice{capsErr: syscall.ENODEV}}).Lost(), &gone) || !errors.As((*Watch)(nil).Lost(), &silent) {
		t.Fatal("no hint for a camera that is lost")
	}
	if !errors.Is(gone, fault.ErrStreamEnded) || !errors.Is(silent, fault.ErrStreamEnded) {
		t.Errorf("%v and %v", gone, silent)
	}
	fmt.Fprintf(&got, "unplugged in mid-stream\n  %v\n  → %s\n\nsilent in mid-stream\n  %v\n  → %s\n", gone, gone.Hint(), silent, silent.Hint())
	path := filepath.Join("testdata", "refusals.txt")
	goldentest.Compare(t, path, got.String())
}

// The kernel's own answers for a device that is not a camera.
func TestRealDevice(t *testing.T) {
	if err := Refusal("/dev/null"); !strings.Contains(err.Error(), "no camera") {
		t.Error(err)
	}
	d, err := openDevice("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if all := d.formats(); len(all) != 0 {
		t.Errorf("formats %v", all)
	}
	if _, err := d.format(); !errors.Is(err, errNoControl) {
		t.Error(err)
	}
}
