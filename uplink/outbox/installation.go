package outbox

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"platewatch/uplink/message"
	"platewatch/uplink/outbox/internal/journal"
)

// A number is used once by an outbox, but a card that was copied has two outboxes of
// one unit. So ids also carry an installation: random characters, made at the first
// start and kept in a file beside the outbox, together with what tells this machine
// and this file from any copy. Where they differ, the file was copied or restored
// from a backup, and a new installation begins. The numbers go on.
type installations struct {
	Known  []installation `json:"installations"` // oldest first
	Format int            `json:"format,omitempty"`
}

// installation made the ids from a number on.
type installation struct {
	ID   string `json:"id"`
	From uint64 `json:"from"`
	// Place is a hash of the machine's facts and the file's inode, which no copy has.
	Place string `json:"place"`
}

// maxInstallations bounds the file: hits of older ones are long delivered.
const maxInstallations = 16

// installation returns the present installation; "" if there is none.
func (is *installations) current() string {
	if len(is.Known) == 0 {
		return ""
	}
	return is.Known[len(is.Known)-1].ID
}

// of returns the installation that made the id of a number. It is not known for
// numbers of before the first one.
func (is *installations) of(number uint64) (id string, known bool) {
	for _, i := range slices.Backward(is.Known) {
		if number >= i.From {
			return i.ID, true
		}
	}
	return "", len(is.Known) == 0
}

// openInstallation reads the file of installations, and begins a new one from number
// on if that is due. If it cannot be written, the new one holds for this run.
func (o *Outbox) openInstallation(number uint64) {
	if o.opts.Machine == nil {
		return
	}
	path := o.path + ".installation"
	is, err := readInstallations(path)
	if err == nil && len(is.Known) > 0 && is.Known[len(is.Known)-1].Place == place(path, o.opts.Machine) {
		o.installations = is
		return
	}
	switch {
	case err == nil && len(is.Known) > 0:
		o.log.Warn("this outbox was copied here, or its machine replaced: hits get a new installation in their ids. If it was copied, give one of the two units another name",
			"unit", o.unit, "before", is.current())
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		o.log.Warn("the file of the installation is damaged; a new installation begins", "file", path, "error", err)
	}
	is.Known = append(is.Known, installation{ID: strings.ToLower(rand.Text()[:8]), From: number})
	is.Known = is.Known[max(0, len(is.Known)-maxInstallations):]
	if err := is.write(path, o.opts.Machine); err != nil {
		o.log.Error("cannot write the file of the installation; the next start begins another one", "file", path, "error", err)
	}
	o.installations = is
}

func readInstallations(path string) (is installations, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return is, err
	}
	if err := json.Unmarshal(b, &is); err != nil {
		return installations{}, err
	}
	return is, journal.CheckFormat(is.Format)
}

// write replaces the file. The place of the last installation is that of the new file.
func (is *installations) write(path string, machine []string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".installation-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails once it is renamed
	is.Known[len(is.Known)-1].Place, is.Format = place(f.Name(), machine), journal.Format
	b, err := json.Marshal(is)
	if err == nil {
		_, err = f.Write(append(b, '\n'))
	}
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// place is a hash of what no copy of a file has in common with it.
func place(path string, machine []string) string {
	h := sha256.New()
	if info, err := os.Stat(path); err == nil {
		if s, ok := info.Sys().(*syscall.Stat_t); ok {
			fmt.Fprintf(h, "inode %d\n", s.Ino)
		}
	}
	for _, fact := range machine {
		fmt.Fprintf(h, "%q\n", fact)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// id is the id of a number.
func (o *Outbox) id(number uint64) string {
	installation, _ := o.installations.of(number)
	return message.FormatID(message.Origin(o.unit, installation), number)
}

// Installation is the identity in the ids of new hits; "" if there is none.
func (o *Outbox) Installation() string { return o.installations.current() }

// Owns reports whether an id of this unit is one of this outbox, and not of another
// installation under the same name.
func (o *Outbox) Owns(id string) bool {
	unit, number, err := message.ParseID(id)
	if err != nil || unit != o.unit {
		return false
	}
	installation, known := o.installations.of(number)
	return !known || installation == message.Installation(id)
}
