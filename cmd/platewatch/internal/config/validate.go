package config

import (
	"fmt"
	"net"
	"path/filepath"
	"reflect"
	"regexp"
	"time"

	"platewatch/cmd/platewatch/internal/setting"
)

// maxCameras bounds what one board is asked to do.
const maxCameras = 16

// namePattern is what fits into an MQTT topic, a file name, a metric's label and
// a URL path without any quoting.
var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Validate finds everything that is wrong with the configuration, and returns
// nil or an [*Error]. It does not look at the file system.
func (c *Config) Validate() error {
	f := &findings{origin: c.origin}
	c.validate(f)
	return f.err()
}

func (c *Config) validate(f *findings) {
	f.unread = len(f.list)
	f.check("", reflect.ValueOf(c).Elem())
	if !filepath.IsAbs(c.StateDir) {
		f.addf("state_dir", "write an absolute path", "= %q is relative", c.StateDir)
	}
	c.validateUnit(f)
	c.validateCameras(f)
	if len(c.Uplink.Lists.Lists) > 0 && len(c.Hotlist.Trust) == 0 {
		f.settings("uplink.hotlists", setting.Problemf("name the signer's public key in hotlist.trust", "takes lists from the network, and no key is trusted to sign them"))
	}
	if _, port, err := net.SplitHostPort(c.Status.Listen); err == nil && port == "0" && c.origin != nil {
		f.settings("status.listen", setting.Problemf("name a port", "= %q would listen on another port after every start", c.Status.Listen))
	}
	oneOf(f, "log.level", c.Log.Level, "debug", "info", "warn", "error")
	oneOf(f, "log.format", c.Log.Format, "text", "json")
}

func (c *Config) validateUnit(f *findings) {
	if !f.bad("unit") {
		validateName(f, "unit.name", c.Unit.Name, "the unit has no name",
			`add [unit] with name = "…", unique in the fleet: hits carry it`)
	}
	p := c.Unit.Position
	if p == nil {
		return
	}
	for _, key := range []string{"unit.position.latitude", "unit.position.longitude"} {
		if c.origin != nil && !c.origin.set(key) && !f.bad(key) {
			f.add("unit.position", key+" is missing", "a position needs latitude and longitude")
		}
	}
	number(f, "unit.position.latitude", p.Latitude, -90, 90, "degrees")
	number(f, "unit.position.longitude", p.Longitude, -180, 180, "degrees")
	if p.Bearing != nil {
		number(f, "unit.position.bearing", *p.Bearing, 0, 360, "degrees clockwise from north")
	}
	if len(p.Description) > 256 {
		f.addf("unit.position.description", "", "is longer than 256 bytes")
	}
}

func (c *Config) validateCameras(f *findings) {
	if len(c.Cameras) == 0 && !f.bad("camera") {
		f.add("camera", "there is no camera", `add a [[camera]] section with name = "front" and source = "…"`)
	}
	if len(c.Cameras) > maxCameras {
		f.add("camera", fmt.Sprintf("%d cameras are more than the %d one unit may have", len(c.Cameras), maxCameras), "")
	}
	names := map[string]int{}
	for i, cam := range c.Cameras {
		at := indexPath("camera", i)
		validateName(f, at+".name", cam.Name, at+" has no name", `add name = "front"`)
		if first, ok := names[cam.Name]; ok && cam.Name != "" {
			f.addf(at+".name", "every camera needs a name of its own", "= %q is also the name of %s", cam.Name, indexPath("camera", first))
		} else {
			names[cam.Name] = i
		}
	}
}

func validateName(f *findings, key, name, missing, advice string) {
	switch {
	case f.bad(key):
	case name == "":
		f.add(key, missing, advice)
	case !namePattern.MatchString(name):
		f.addf(key, `use letters, digits, ".", "_" and "-", at most 64, beginning with a letter or digit`, "= %q cannot be a name", name)
	}
}

func oneOf(f *findings, key, value string, allowed ...string) {
	f.checked(key, setting.OneOf(value, allowed...))
}

// checked reports what a check of a setting found.
func (f *findings) checked(key string, err error) {
	if err != nil {
		f.settings(key, err)
	}
}

func whole(f *findings, key string, v, low, high int) { f.checked(key, setting.Int(v, low, high)) }

func number(f *findings, key string, v, low, high float64, unit string) {
	f.checked(key, setting.Number(v, low, high, unit))
}

func timeout(f *findings, key string, v, low, high time.Duration) {
	f.checked(key, setting.Duration(v, low, high))
}

func ifElse(cond bool, yes, no string) string {
	if cond {
		return yes
	}
	return no
}
