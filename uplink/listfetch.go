package uplink

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"

	"platewatch/uplink/message"
)

// file is where a part is kept. Its name is its hash, so that parts of different
// versions cannot be confused.
func (u *ListUpdates) file(p ListPart) string {
	return filepath.Join(u.cfg.Dir, hex.EncodeToString(p.SHA256[:])+".part")
}

// sweep removes the files of parts that are not among these.
func (u *ListUpdates) sweep(parts []ListPart) error {
	keep := map[string]bool{}
	for _, p := range parts {
		keep[u.file(p)] = true
	}
	entries, err := os.ReadDir(u.cfg.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if path := filepath.Join(u.cfg.Dir, e.Name()); !keep[path] && !e.IsDir() {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// fetch gets a part into its file, over as many connections as it takes.
func (u *ListUpdates) fetch(ctx context.Context, list, version string, p ListPart) error {
	if b, err := os.ReadFile(u.file(p)); err == nil && p.matches(b) {
		return nil
	}
	topic := message.PartTopic(list, version, p.Number)
	for {
		if u.newer(list) {
			return errNewer
		}
		payload, err := u.get(ctx, topic)
		switch {
		case errors.Is(err, errNotConnected):
			continue
		case err != nil:
			return fmt.Errorf("%w: part %d: %w", errParts, p.Number, err)
		case !p.matches(payload):
			return fmt.Errorf("%w: part %d does not match the manifest: %d bytes of %d, or other content", errParts, p.Number, len(payload), p.Size)
		}
		return renameio.WriteFile(u.file(p), payload, 0o600)
	}
}

// matches compares a part's content with the manifest.
func (p ListPart) matches(b []byte) bool {
	sum := sha256.Sum256(b)
	return int64(len(b)) == p.Size && bytes.Equal(sum[:], p.SHA256[:])
}

// get gets the retained message of a topic over the present connection or the next
// one.
func (u *ListUpdates) get(ctx context.Context, topic string) ([]byte, error) {
	u.mu.Lock()
	up := u.up
	u.mu.Unlock()
	select {
	case <-up:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	u.mu.Lock()
	lost := u.lost
	u.want = topic
	select {
	case <-u.part: // of an earlier attempt
	default:
	}
	u.mu.Unlock()
	defer func() {
		u.mu.Lock()
		u.want = ""
		u.mu.Unlock()
	}()
	ask := func(end bool) error {
		done := make(chan error, 1)
		select {
		case u.requests <- subscription{topic: topic, end: end, done: done}:
		case <-lost:
			return errNotConnected
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case err := <-done:
			return err
		case <-lost:
			return errNotConnected
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := ask(false); err != nil {
		return nil, err
	}
	timeout := time.NewTimer(u.cfg.PartTimeout)
	defer timeout.Stop()
	var payload []byte
	select {
	case payload = <-u.part:
	case <-lost:
		return nil, errNotConnected
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timeout.C:
		return nil, errors.New("the broker does not have it")
	}
	if err := ask(true); err != nil && !errors.Is(err, errNotConnected) {
		return nil, err
	}
	return payload, nil
}

var errNotConnected = errors.New("the connection was lost")

// subscription is a request of the hotlist updates to the session: to subscribe to
// a topic, or to end that.
type subscription struct {
	topic string
	end   bool
	done  chan<- error // has room for one
}
