package config

import (
	"iter"
	"time"

	"platewatch/capture"
	"platewatch/capture/source"
	"platewatch/cmd/platewatch/internal/observe"
	"platewatch/cmd/platewatch/internal/picture"
	"platewatch/cmd/platewatch/internal/setting"
	"platewatch/cmd/platewatch/internal/status"
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
	OCR      OCR              `toml:"ocr"`
	Passage  Passage          `toml:"passage"`
	Hotlist  Hotlist          `toml:"hotlist"`
	Uplink   Uplink           `toml:"uplink"`
	Status   status.Settings  `toml:"status"`
	Pictures picture.Settings `toml:"pictures"`
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

// Position says where a unit stands and which way its cameras look.
type Position struct {
	Latitude    float64  `toml:"latitude"`    // degrees, WGS 84, north is positive
	Longitude   float64  `toml:"longitude"`   // degrees, WGS 84, east is positive
	Bearing     *float64 `toml:"bearing"`     // degrees clockwise from north; nil: not given
	Description string   `toml:"description"` // for people: "A4 km 13.2, northbound"
}

// Camera is one camera.
type Camera struct {
	// Config says where its pictures come from.
	capture.Config
	// Observe says where plates are searched.
	Observe observe.Params `toml:",inline"`
}

// Problems yields what is wrong with where a camera's pictures come from. A
// password in the address, which the capture package takes, is refused here: the
// configuration is readable to more people than a file of credentials.
func (c Camera) Problems() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for key, err := range capture.Problems(c.Config) {
			if !yield(key, err) {
				return
			}
		}
		if source.HasPassword(c.Source) {
			yield("source", setting.Problemf("move it into a file and name that as credentials_file", "holds a password (%s)", source.Redact(c.Source)))
		}
	}
}

// OCR configures finding and reading.
type OCR struct {
	// Model is "plate", the built-in reading model, "eng" (or another
	// installed Tesseract model for print), or the path of a .traineddata file
	// like the built-in one.
	Model string `toml:"model"`
	// Workers is how many frames are read at the same time; 0 leaves one core
	// to everything else, and is at least one.
	Workers int `toml:"workers"`
	// MinPlateWidth is the width in pixels below which a candidate is not
	// read: its characters would be smaller than the reader can tell apart.
	MinPlateWidth int `toml:"min_plate_width"`
	// Region names the plate formats to expect: "eu", "us", a country ("nl"),
	// several ("br,us"), see [region.Parse]; empty: none.
	Region string `toml:"region"`
}

// Passage configures the vote over the frames of one vehicle.
type Passage struct {
	Agree int           `toml:"agree"` // frames that must agree before a passage counts
	Gap   time.Duration `toml:"gap"`   // a plate not seen for this long has gone by
}

// Hotlist says where the hotlist is, whose lists count, and how they are matched.
type Hotlist struct {
	Path string `toml:"path"` // a folder; relative to StateDir
	// KeyFile holds the key that the lists are stored under; empty: the file
	// "key" in the folder itself, which protects nothing from a thief.
	KeyFile string `toml:"key_file"`
	// Trust are files with minisign public keys. If there are any, lists must be
	// signed by one of them, but for those that Local names.
	Trust []string `toml:"trust"`
	Local []string `toml:"local"`
	// State is the issuing state or country that most plates here have, as the
	// lists write it, and StateShare (0–1) how many have it.
	State      string  `toml:"state"`
	StateShare float64 `toml:"state_share"`
	// Confusions is a file with what the reader confuses; empty: the built-in table.
	Confusions string      `toml:"confusions"`
	Lists      []ListMatch `toml:"list"`
}

// ListMatch says how one list is matched. What it leaves out follows the list's
// size.
type ListMatch struct {
	Name           string   `toml:"name"`
	Level          Level    `toml:"level"`           // empty: by the list's size
	Wildcards      *bool    `toml:"wildcards"`       // whether patterns count; default: yes
	MinProbability *float64 `toml:"min_probability"` // 0–1, for matches that are not exact; nil: by the list's size
	MinLookalike   *float64 `toml:"min_lookalike"`   // 0–1, for those that differ in O0QD, I1L, 2Z, 5S, 6G or 8B alone; nil: MinProbability, or by the list's size
	MinExact       *float64 `toml:"min_exact"`       // 0–1, for the very text, unless it was read surely; nil: by the list's size
}

// Level is how far a reading may differ from an entry's plate.
type Level string

// The levels, each with those before it.
const (
	LevelExact        Level = "exact"         // but for O and 0, and I and 1
	LevelConfusable   Level = "confusable"    // look-alikes, and what the reader wavered between
	LevelOneCharacter Level = "one_character" // any one character wrong, missing or added
)

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

// Default returns the configuration of an empty file. It does not pass
// Validate: a unit needs a name and a camera.
func Default() *Config {
	return &Config{
		StateDir: DefaultStateDir,
		OCR:      OCR{Model: "plate", MinPlateWidth: 48},
		Passage:  Passage{Agree: 2, Gap: 2 * time.Second},
		Hotlist:  Hotlist{Path: "hotlist", StateShare: 0.8},
		Uplink:   Uplink{Client: uplink.Default(), OutboxFile: "outbox.db", Outbox: outbox.Default()},
		Status:   status.Default(),
		Pictures: picture.Default(),
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
