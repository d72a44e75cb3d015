package journal

import (
	"encoding/json"
	"hash/crc32"
	"io"
	"os"
	"time"

	"github.com/google/renameio/v2"
)

// Ages tells how old hits of earlier runs are at most, also where the wall clock was
// not set: by the time for which the outbox ran. It is kept in a side file.
type Ages struct {
	// Running is for how long the outbox ran, in all, when this was written.
	Running time.Duration `json:"running"`
	// Certain is the latest time by a clock that was set, unix milliseconds, and
	// CertainAt where Running was then; 0: none was known yet.
	Certain   int64         `json:"certain,omitempty"`
	CertainAt time.Duration `json:"certain_at,omitempty"`
	Marks     []AgeMark     `json:"marks,omitempty"`
	// Floor is the mark before the oldest hit that the file may hold, in use or in
	// freed pages; nil: none.
	Floor *AgeMark `json:"floor,omitempty"`
	// Scrubbed is the last number that was given out when freed pages were overwritten.
	Scrubbed uint64 `json:"scrubbed,omitempty"`
	// Kept is where Running was when a damaged file was first seen beside the outbox.
	Kept *time.Duration `json:"kept,omitempty"`
	CRC  uint32         `json:"crc"`
}

// AgeMark is a moment: hits with higher numbers were accepted after it.
type AgeMark struct {
	Number  uint64        `json:"number"`
	Running time.Duration `json:"running"`
	Least   int64         `json:"least,omitempty"` // the true time was this or later, unix milliseconds; 0: not known
}

func (a Ages) sum() uint32 {
	a.CRC = 0
	b, _ := json.Marshal(a) // numbers only
	return crc32.Checksum(b, castagnoli)
}

// Least is a bound of the true time: it was this or later. 0: not known.
func (a *Ages) Least() int64 {
	if a.Certain == 0 {
		return 0
	}
	return a.Certain + (a.Running - a.CertainAt).Milliseconds()
}

// Before returns the latest mark before a hit was accepted.
func (a *Ages) Before(number uint64) AgeMark {
	var m AgeMark
	for _, k := range a.Marks {
		if k.Number < number {
			m = k
		}
	}
	return m
}

// maxAges bounds the side file, in bytes.
const maxAges = 8 << 20

// ReadAges reads the side file. One that is missing or damaged is empty: hits are
// then as young as this run.
func ReadAges(path string) Ages {
	f, err := os.Open(path)
	if err != nil {
		return Ages{}
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxAges))
	var a Ages
	if err != nil || json.Unmarshal(b, &a) != nil || a.CRC != a.sum() {
		return Ages{}
	}
	return a
}

// Save replaces the side file atomically.
func (a Ages) Save(path string) error {
	a.CRC = a.sum()
	b, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return renameio.WriteFile(path, b, 0o600)
}
