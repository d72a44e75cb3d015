package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/google/renameio/v2"
)

// NumberFile is the side file that keeps the number when the database is lost.
type NumberFile struct {
	Path string
	// Write replaces the file: tests put a failing disk here.
	Write func(path string, b []byte) error
}

// NumberMark is the side file's content.
type NumberMark struct {
	Unit    string `json:"unit"`
	Ceiling uint64 `json:"ceiling"`          // no number above this was given out
	Given   uint64 `json:"given"`            // the last number given out when this was written
	Clean   bool   `json:"clean"`            // the outbox was closed properly: Given is exact
	Format  int    `json:"format,omitempty"` // [Format]; not part of the checksum, which may be another one there
	CRC     uint32 `json:"crc"`
}

// sum is the checksum of all fields but CRC.
func (m NumberMark) sum() uint32 {
	return crc32.Checksum(fmt.Appendf(nil, "%s %d %d %t", m.Unit, m.Ceiling, m.Given, m.Clean), castagnoli)
}

// NewNumberFile is the file at path. It need not exist.
func NewNumberFile(path string) NumberFile {
	return NumberFile{Path: path, Write: func(path string, b []byte) error {
		return renameio.WriteFile(path, b, 0o600)
	}}
}

// Read returns [fs.ErrNotExist] if there is no file, [ErrDamaged] if its checksum is
// wrong, and [ErrNewer].
func (f NumberFile) Read() (NumberMark, error) {
	file, err := os.Open(f.Path)
	if err != nil {
		return NumberMark{}, err
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, 4096))
	if err != nil {
		return NumberMark{}, err
	}
	return parseNumberMark(b)
}

func parseNumberMark(b []byte) (NumberMark, error) {
	var m NumberMark
	err := json.Unmarshal(b, &m)
	if err == nil {
		if err := CheckFormat(m.Format); err != nil {
			return NumberMark{}, err
		}
	}
	if err != nil || m.CRC != m.sum() {
		return NumberMark{}, errors.Join(ErrDamaged, err)
	}
	return m, nil
}

// Save replaces the file atomically.
func (f NumberFile) Save(m NumberMark) error {
	m.Format, m.CRC = Format, m.sum()
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return f.Write(f.Path, append(b, '\n'))
}
