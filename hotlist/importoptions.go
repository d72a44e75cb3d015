package hotlist

import (
	"time"
	"unicode"

	"platewatch/hotlist/entry"
	"platewatch/hotlist/importer"
	"platewatch/hotlist/internal/folder"
)

// ImportOptions say how a file becomes a list.
type ImportOptions struct {
	// List is the name of the list that is replaced or made. Required.
	List string
	// Version names this edition of it. Default: the time of the import.
	Version string
	// KeyFile holds the hotlist's key. Default: the directory's own, see [Options].
	KeyFile string
	// ReadOptions say how the input is read.
	importer.Options

	// Skip lists plates that are none, such as NONE or 000; lines with them are
	// counted and left out. Default: [DefaultSkip].
	Skip []string

	// States keeps only the entries of these states, as the file writes them;
	// lines of others, and without one, are counted as skipped. Empty: all.
	States []string

	// Tolerant leaves out bad lines and imports the rest. More than 1 % of bad
	// lines fails in any case.
	Tolerant bool
	// AllowEmpty lets a file without a single entry replace a list.
	AllowEmpty bool

	// ReplaceSigned lets an import replace a list that came by [DB.Apply].
	ReplaceSigned bool

	// By is who imports, for the audit trail.
	By Actor

	// Refused is called with each bad line of a tolerant import.
	Refused func(*importer.LineError)
	// Progress is called from time to time.
	Progress func(Progress)
	// LockWait bounds how long to wait for another import. Default: 5 s.
	LockWait time.Duration
}

// Stage is what an import is doing.
type Stage string

// The stages of an import, in order.
const (
	StageReading  Stage = "reading"
	StageBuilding Stage = "building"
	StageChecking Stage = "checking"
)

// Progress of an import.
type Progress struct {
	Stage Stage
	Bytes int64 // of the input, read so far
	Lines int   // read so far
	// Done and Total count the records of [StageBuilding].
	Done, Total int
}

// ImportReport tells what an import did.
type ImportReport struct {
	List entry.List `json:"list"`
	// Previous is the version that was replaced; its name is empty if there was none.
	Previous entry.List `json:"previous,omitzero"`
	// Lines counts the lines with content, without the header. Each became an
	// entry or is counted in List.Duplicates, Skipped or Refused.
	Lines int `json:"lines"`
	// Added and Removed count the entries that are new, and those that are gone.
	// An entry is the same if its plate, state, plate type, category and record
	// number are.
	Added   int `json:"added"`
	Removed int `json:"removed"`
	// Columns tells which field each of the file's columns went to; Extra are
	// the columns that were left out because their names mean nothing here.
	Columns map[string]string `json:"columns,omitempty"`
	Extra   []string          `json:"extra_columns,omitempty"`
	// Refusals are the first hundred refused lines.
	Refusals []*importer.LineError `json:"refusals,omitempty"`
	Elapsed  time.Duration         `json:"-"`
}

const (
	maxRefusals = 100
	maxVersion  = 64
)

// DefaultSkip are the words that hotlists carry where a plate is unknown,
// normalised.
var DefaultSkip = []string{"0", "00", "000", "0000", "00000", "000000", "0000000", "00000000",
	"NONE", "NOPLATE", "NOPLATES", "NOTAG", "NA", "NULL", "UNK", "UNKNOWN", "UNKN", "XXX", "XXXX", "XXXXXX", "XXXXXXX"}

// fill sets defaults and refuses what cannot be.
func (o *ImportOptions) fill() error {
	if o.Version == "" {
		o.Version = time.Now().UTC().Format("20060102T150405Z")
	}
	if len(o.Version) > maxVersion || !printable(o.Version) {
		return entry.OptionErrorf("a version is at most %d printable characters", maxVersion)
	}
	if err := o.Options.Fill(); err != nil {
		return err
	}
	if o.Skip == nil {
		o.Skip = DefaultSkip
	}
	if o.LockWait == 0 {
		o.LockWait = folder.LockWait
	}
	return nil
}

func printable(s string) bool {
	for _, c := range s {
		if !unicode.IsPrint(c) {
			return false
		}
	}
	return true
}
