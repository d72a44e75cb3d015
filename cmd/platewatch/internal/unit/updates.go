package unit

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"platewatch/cmd/platewatch/internal/config"
	"platewatch/hotlist"
	"platewatch/hotlist/signed"
	"platewatch/uplink"
)

// updates applies the hotlist updates that arrive over MQTT.
type updates struct{ lists *hotlist.DB }

// CheckManifest verifies a manifest's signature and returns the parts that are
// needed; nil if the version is held already. A refusal is recorded, so that the
// unit reports it.
func (u updates) CheckManifest(list string, manifest []byte) (*uplink.ListUpdate, error) {
	up, err := u.lists.Examine(list, manifest)
	if err != nil {
		// Apply fails for the same reason before it asks for a part, and records
		// the refusal.
		_, aerr := u.lists.Apply(context.Background(), list, manifest, noParts)
		if aerr == nil {
			aerr = err
		}
		return nil, aerr
	}
	if up.Held {
		return nil, nil
	}
	out := &uplink.ListUpdate{Version: strconv.FormatUint(up.Manifest.Version, 10)}
	for _, p := range up.Parts {
		out.Parts = append(out.Parts, uplink.ListPart{Number: p.N, Size: int64(p.Bytes), SHA256: p.SHA256})
	}
	return out, nil
}

func noParts(context.Context, signed.Part) (io.ReadCloser, error) { return nil, fs.ErrNotExist }

// ApplyUpdate applies an update from the files of its parts.
func (u updates) ApplyUpdate(ctx context.Context, list string, manifest []byte, parts []string) error {
	next := 0
	_, err := u.lists.Apply(ctx, list, manifest, func(_ context.Context, p signed.Part) (io.ReadCloser, error) {
		// Apply asks for the parts in the order of CheckManifest. If the list
		// changed in between, it needs others and fails.
		if next >= len(parts) {
			return nil, fmt.Errorf("part %d: %w", p.N, fs.ErrNotExist)
		}
		next++
		return os.Open(parts[next-1])
	})
	return err
}

// listUpdates subscribes to the configured lists; nil if there are none.
func listUpdates(u *Unit, cfg *config.Config) (*uplink.ListUpdates, error) {
	s := cfg.Uplink.Lists
	if len(s.Lists) == 0 {
		return nil, nil
	}
	s.Applier = updates{u.lists}
	s.Dir = filepath.Join(cfg.StateDir, "updates")
	s.MaxManifest, s.MaxPart = signed.MaxManifest, signed.MaxPart
	return uplink.NewListUpdates(s)
}
