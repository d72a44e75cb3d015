package config

import (
	"iter"
	"log/slog"

	"platewatch/capture"
	"platewatch/capture/source"
	"platewatch/cmd/platewatch/internal/observe"
	"platewatch/cmd/platewatch/internal/picture"
	"platewatch/cmd/platewatch/internal/setting"
	"platewatch/cmd/platewatch/internal/status"
	"platewatch/cmd/platewatch/internal/verdict"
	"platewatch/hotlist"
	"platewatch/ocr"
	"platewatch/ocr/passage"
	"platewatch/uplink"
	"platewatch/uplink/broker"
	"platewatch/uplink/outbox"
)

// DefaultFile is where an installed unit keeps its configuration.
const DefaultFile = "/etc/platewatch/platewatch.toml"

// DefaultStateDir holds the hotlist and the outbox where neither the file nor
// systemd ($STATE_DIRECTORY) says otherwise.
const DefaultStateDir = "/var/lib/platewatch"

// Config is a unit's whole configuration. [Default] fills it with the values
// that hold where the file is silent; [Load] reads a file over them.
type Config struct {
	// StateDir holds what must survive a restart. Relative paths of the
	// hotlist and the outbox start here.
	StateDir string `toml:"state_dir"`

	Unit     Unit             `toml:"unit"`
	Cameras  []Camera         `toml:"camera"`
	OCR      ocr.Params       `toml:"ocr"`
	Passage  passage.Params   `toml:"passage"`
	Hotlist  hotlist.Settings `toml:"hotlist"`
	Uplink   Uplink           `toml:"uplink"`
	Status   status.Settings  `toml:"status"`
	Pictures picture.Settings `toml:"pictures"`
	Verdicts verdict.Settings `toml:"verdicts"`
	Log      Log              `toml:"log"`

	origin *origin // nil unless it came from a file
}

// Unit is one roadside installation.
type Unit struct {
	// Name is the unit's name in topics and hit ids: unique in the fleet,
	// letters, digits, ".", "_" and "-", at most 64 of them.
	Name string `toml:"name"`
	// Position is nil where the file does not say where the unit stands.
	Position *Position `toml:"position"`
}

// Problems yields what is wrong with the name.
func (u Unit) Problems() iter.Seq2[string, error] {
	return setting.Failed(setting.Check{Key: "name", Err: setting.Name(u.Name, `add [unit] with name = "…", unique in the fleet: hits carry it`)})
}

// Position says where a unit stands and which way its cameras look.
type Position struct {
	Latitude    float64  `toml:"latitude"`    // degrees, WGS 84, north is positive
	Longitude   float64  `toml:"longitude"`   // degrees, WGS 84, east is positive
	Bearing     *float64 `toml:"bearing"`     // degrees clockwise from north; nil: not given
	Description string   `toml:"description"` // for people: "A4 km 13.2, northbound"
}

// Problems yields numbers out of range, and a text that is too long.
func (p Position) Problems() iter.Seq2[string, error] {
	var bearing, description error
	if p.Bearing != nil {
		bearing = setting.Number(*p.Bearing, 0, 360, "degrees clockwise from north")
	}
	if len(p.Description) > 256 {
		description = setting.Problemf("shorten it", "is longer than 256 bytes")
	}
	return setting.Failed(
		setting.Check{Key: "latitude", Err: setting.Number(p.Latitude, -90, 90, "degrees")},
		setting.Check{Key: "longitude", Err: setting.Number(p.Longitude, -180, 180, "degrees")},
		setting.Check{Key: "bearing", Err: bearing},
		setting.Check{Key: "description", Err: description},
	)
}

// Camera is one camera.
type Camera struct {
	// Config says where its pictures come from.
	capture.Config
	// Observe says where plates are searched.
	Observe observe.Params `toml:",inline"`
}

// Problems yields what is wrong with its name and its source. A
// password in the address, which the capture package takes, is refused here: the
// configuration is readable to more people than a file of credentials.
func (c Camera) Problems() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := setting.Name(c.Name, `add name = "front"`); err != nil && !yield("name", err) {
			return
		}
		for key, err := range capture.Problems(c.Config) {
			if !yield(key, err) {
				return
			}
		}
		if source.HasPassword(c.Source) {
			yield("source", setting.Problemf("move it into a file and name that as credentials_file; in a path or query write {user} and {password}", "holds a password (%s)", source.Redact(c.Source)))
		}
	}
}

// Uplink says where hits go, and where they wait.
type Uplink struct {
	Broker broker.Settings     `toml:",inline"`
	Client uplink.Settings     `toml:",inline"`
	Lists  uplink.ListSettings `toml:",inline"` // they need Hotlist.Trust
	// OutboxFile is relative to StateDir.
	OutboxFile string          `toml:"outbox"`
	Outbox     outbox.Settings `toml:",inline"`
}

// Problems yields what is wrong beside the settings of the parts.
func (u Uplink) Problems() iter.Seq2[string, error] {
	return setting.Failed(setting.Check{Key: "outbox", Err: setting.NotEmpty(u.OutboxFile)})
}

// Log configures what the unit writes to standard error.
type Log struct {
	Level  string `toml:"level"`  // "debug", "info", "warn", "error"
	Format string `toml:"format"` // "text" or "json"
}

// Problems yields words that are not known.
func (l Log) Problems() iter.Seq2[string, error] {
	return setting.Failed(
		setting.Check{Key: "level", Err: setting.OneOf(l.Level, "debug", "info", "warn", "error")},
		setting.Check{Key: "format", Err: setting.OneOf(l.Format, "text", "json")},
	)
}

// SlogLevel is the level; "info" where it is not known, which Problems yields.
func (l Log) SlogLevel() slog.Level {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.Level)); err != nil {
		return slog.LevelInfo
	}
	return level
}

// Default returns the configuration of an empty file. It does not pass
// Validate: a unit needs a name and a camera.
func Default() *Config {
	return &Config{
		StateDir: DefaultStateDir,
		OCR:      ocr.DefaultParams(),
		Passage:  passage.DefaultParams(),
		Hotlist:  hotlist.DefaultSettings(),
		Uplink:   Uplink{Client: uplink.Default(), OutboxFile: "outbox.db", Outbox: outbox.Default()},
		Status:   status.Default(),
		Pictures: picture.Default(),
		Verdicts: verdict.Default(),
		Log:      Log{Level: "info", Format: "text"},
	}
}

// setDefaults is for [binder].
func (c *Camera) setDefaults() { *c = DefaultCamera() }

// DefaultCamera returns what a [[camera]] section starts from. What belongs to
// one kind of camera only is empty; [Parse] fills that in, with
// [capture.WithDefaults].
func DefaultCamera() Camera {
	return Camera{Config: capture.DefaultConfig(), Observe: observe.DefaultParams()}
}
