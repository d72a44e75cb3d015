package uplink

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/google/renameio/v2"
)

type numberFile struct {
	path string
	// write is a seam: tests put a failing disk here.
	write func(path string, b []byte) error
}

// numberMark is the side file's content.
type numberMark struct {
	Unit    string `json:"unit"`
	Ceiling uint64 `json:"ceiling"` // no number above this was given out
	Given   uint64 `json:"given"`   // the last number given out when this was written
	Clean   bool   `json:"clean"`   // the outbox was closed properly: Given is exact
	CRC     uint32 `json:"crc"`
}

func (m numberMark) sum() uint32 {
	return crc32.Checksum(fmt.Appendf(nil, "%s %d %d %t", m.Unit, m.Ceiling, m.Given, m.Clean), castagnoli)
}

func newNumberFile(path string) numberFile {
	return numberFile{path: path, write: func(path string, b []byte) error {
		return renameio.WriteFile(path, b, 0o600)
	}}
}

// read returns fs.ErrNotExist when there is no file, and errDamaged when what
// is there cannot be believed.
func (f numberFile) read() (numberMark, error) {
	file, err := os.Open(f.path)
	if err != nil {
		return numberMark{}, err
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, 4096))
	if err != nil {
		return numberMark{}, err
	}
	return parseNumberMark(b)
}

func parseNumberMark(b []byte) (numberMark, error) {
	var m numberMark
	if err := json.Unmarshal(b, &m); err != nil || m.CRC != m.sum() {
		return numberMark{}, errors.Join(errDamaged, err)
	}
	return m, nil
}

func (f numberFile) save(m numberMark) error {
	m.CRC = m.sum()
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return f.write(f.path, append(b, '\n'))
}
