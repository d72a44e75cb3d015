package board

import (
	"os"
	"path/filepath"
	"testing"
)

// boardOf is a machine with the given files.
func boardOf(t *testing.T, files map[string]string) Board {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return Board{root}
}

func TestTemperature(t *testing.T) {
	if c, ok := boardOf(t, nil).Temperature(); ok {
		t.Errorf("without a sensor: %v", c)
	}
	b := boardOf(t, map[string]string{
		"sys/class/thermal/thermal_zone0/temp": "-4000\n", "sys/class/thermal/thermal_zone1/temp": "-12500\n", "sys/class/thermal/thermal_zone2/temp": "x"})
	if c, ok := b.Temperature(); !ok || c != -4 {
		t.Errorf("%v, %t", c, ok)
	}
}

func TestThrottled(t *testing.T) {
	const firmware = "sys/devices/platform/soc/soc:firmware/get_throttled"
	for name, tc := range map[string]struct {
		files     map[string]string
		ok        bool
		now, ever bool // under-voltage
	}{
		"none":         {nil, false, false, false},
		"well":         {map[string]string{firmware: "0\n"}, true, false, false},
		"was":          {map[string]string{firmware: "50000\n"}, true, false, true},
		"is":           {map[string]string{firmware: "0x50005\n"}, true, true, true},
		"damaged":      {map[string]string{firmware: "?"}, false, false, false},
		"hwmon well":   {map[string]string{"sys/class/hwmon/hwmon1/name": "rpi_volt\n", "sys/class/hwmon/hwmon1/in0_lcrit_alarm": "0\n"}, true, false, false},
		"hwmon alarm":  {map[string]string{"sys/class/hwmon/hwmon1/name": "rpi_volt\n", "sys/class/hwmon/hwmon1/in0_lcrit_alarm": "1\n"}, true, true, true},
		"other sensor": {map[string]string{"sys/class/hwmon/hwmon1/name": "cpu_thermal\n", "sys/class/hwmon/hwmon1/in0_lcrit_alarm": "1\n"}, false, false, false},
	} {
		bits, ok := boardOf(t, tc.files).Throttled()
		if ok != tc.ok || bits.Now(UnderVoltage) != tc.now || bits.Ever(UnderVoltage) != tc.ever {
			t.Errorf("%s: %x, %t", name, bits, ok)
		}
	}
}

func TestFrequency(t *testing.T) {
	b := boardOf(t, map[string]string{
		"sys/devices/system/cpu/cpufreq/policy0/scaling_max_freq": "1500000\n", "sys/devices/system/cpu/cpufreq/policy0/cpuinfo_max_freq": "1500000\n",
		"sys/devices/system/cpu/cpufreq/policy4/scaling_max_freq": "600000\n", "sys/devices/system/cpu/cpufreq/policy4/cpuinfo_max_freq": "1800000\n"})
	if limit, most, ok := b.Frequency(); !ok || limit != 600000 || most != 1800000 {
		t.Errorf("%d of %d, %t", limit, most, ok)
	}
}

func TestClockSource(t *testing.T) {
	for name, want := range map[string]string{"run/chrony/chronyd.pid": "chrony", "run/systemd/timesync/synchronized": "systemd-timesyncd", "run/other": ""} {
		if got := boardOf(t, map[string]string{name: ""}).clockSource(); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if c := Here.Clock(); !c.Known {
		t.Error("the kernel does not answer")
	}
}

func TestHere(t *testing.T) {
	if s, err := SpaceAt(t.TempDir()); err != nil || s.Total == 0 || s.Free > s.Total {
		t.Errorf("%+v, %v", s, err)
	}
	if available, total, ok := Here.Memory(); !ok || available == 0 || available > total {
		t.Errorf("%d of %d, %t", available, total, ok)
	}
	if ReadOnly(t.TempDir()) {
		t.Error("the folder of the tests is read-only")
	}
}

func TestWear(t *testing.T) {
	if _, ok := boardOf(t, map[string]string{"sys/block/mmcblk0/device/life_time": "0x00 0x00\n"}).Wear(); ok {
		t.Error("a card that does not tell has a wear")
	}
	b := boardOf(t, map[string]string{"sys/block/mmcblk0/device/life_time": "0x01 0x02\n", "sys/block/mmcblk1/device/life_time": "x"})
	if share, ok := b.Wear(); !ok || share != 0.2 {
		t.Errorf("%v, %t", share, ok)
	}
}
