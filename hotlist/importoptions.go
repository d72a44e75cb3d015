package hotlist

import (
	"time"
	"unicode"

	"platewatch/hotlist/entry"
	"platewatch/hotlist/importer"
	"platewatch/hotlist/internal/folder"
)

// ImportOptions say how [Import] makes a list of a file.
type ImportOptions struct {
	// List is the name of the list to replace or make. Required.
	List string
	// Version of the list. Default: the time of the import.
	Version string
	// KeyFile holds the hotlist's key. Default: the directory's own; see [Options].
	KeyFile string
	// Options say how the input is read.
	importer.Options

	// Skip lists words that stand for an unknown plate, such as NONE or 000; lines
	// with them are skipped. Default: [DefaultSkip].
	Skip []string

	// States are the states whose entries are imported, as the file writes them;
	// other lines are skipped. Empty: all.
	States []string

	// Tolerant refuses invalid lines one by one and imports the rest. More than 1 %
	// of invalid lines fails in any case.
	Tolerant bool
	// AllowEmpty allows a file without entries.
	AllowEmpty bool

	// ReplaceSigned allows the import to replace a list of [DB.Apply].
	ReplaceSigned bool

	// Confirm is asked before a list is installed about whose file something is
	// odd; an error refuses it. nil: such lists are installed.
	Confirm func([]importer.Doubt) error

	// Purpose refuses files with entries of other categories.
	Purpose entry.Purpose

	// By tells who imports and why, for the audit trail.
	By Actor

	// Readable tells whether the unit's reader reports a plate; nil: all.
	Readable func(plate string) bool
	// Refused is called with each line that a tolerant import refuses.
	Refused func(*importer.LineError)
	// Progress is called at most ten times a second.
	Progress func(Progress)
	// LockWait is how long to wait for another import. Default: 5 s.
	LockWait time.Duration
}

// Stage is a stage of an import.
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
	Bytes int64 // of the input read so far
	Lines int   // read so far
	// Done and Total count the records of [StageBuilding].
	Done, Total int
}

// ImportReport is the result of an import.
type ImportReport struct {
	List entry.List `json:"list"`
	// Previous is the version that was replaced; its Name is empty if there was none.
	Previous entry.List `json:"previous,omitzero"`
	// Lines is the number of lines that are not empty, without headers and a total. Each
	// became an entry or is counted in List.Duplicates, Skipped or Refused.
	Lines int `json:"lines"`
	// Added and Removed count the entries that are new and those no longer there.
	// Plate, state, plate type, category and record number identify an entry.
	Added   int `json:"added"`
	Removed int `json:"removed"`
	// Unreadable counts the lines whose plate the reader never reports, see
	// [ImportOptions.Readable]; UnreadablePlates are the first ten.
	Unreadable       int      `json:"unreadable,omitempty"`
	UnreadablePlates []string `json:"unreadable_plates,omitempty"`
	// Columns is the field of each column of the file; Extra are the columns that
	// were ignored because no field fits their names.
	Columns map[string]string `json:"columns,omitempty"`
	Extra   []string          `json:"extra_columns,omitempty"`
	// Doubts are what is odd about the file: see [ImportOptions.Confirm].
	Doubts []importer.Doubt `json:"doubts,omitempty"`
	// Refusals are the first 100 refused lines.
	Refusals []*importer.LineError `json:"refusals,omitempty"`
	Elapsed  time.Duration         `json:"-"`
}

const (
	maxRefusals = 100
	maxVersion  = 64
)

// DefaultSkip are the words that hotlists use for an unknown plate, normalised.
var DefaultSkip = []string{"0", "00", "000", "0000", "00000", "000000", "0000000", "00000000",
	"NONE", "NOPLATE", "NOPLATES", "NOTAG", "NA", "NULL", "UNK", "UNKNOWN", "UNKN", "XXX", "XXXX", "XXXXXX", "XXXXXXX"}

// fill sets defaults and checks the options.
func (o *ImportOptions) fill() error {
	if o.Version == "" {
		o.Version = time.Now().UTC().Format("20060102T150405Z")
	}
	if len(o.Version) > maxVersion || !printable(o.Version) {
		return entry.OptionErrorf("a version has at most %d printable characters", maxVersion)
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
