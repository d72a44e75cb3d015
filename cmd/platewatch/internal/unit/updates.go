package unit

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"platewatch/hotlist"
	"platewatch/uplink"
)

// updates hands the hotlist updates that come over MQTT to the hotlist.
type updates struct{ lists *hotlist.DB }

// CheckManifest verifies the signature and tells which parts are needed. A
// refusal is recorded, so that the unit reports it.
func (u updates) CheckManifest(list string, manifest []byte) (*uplink.ListUpdate, error) {
	up, err := u.lists.Examine(list, manifest)
	if err != nil {
		// Applying fails for the same reason, before it asks for a part, and
		// records it.
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

func noParts(context.Context, hotlist.Part) (io.ReadCloser, error) { return nil, fs.ErrNotExist }

// ApplyUpdate takes the update over.
func (u updates) ApplyUpdate(ctx context.Context, list string, manifest []byte, parts []string) error {
	next := 0
	_, err := u.lists.Apply(ctx, list, manifest, func(_ context.Context, p hotlist.Part) (io.ReadCloser, error) {
		// The hotlist asks for the parts in the order in which it named them. If
		// the list changed in between it asks for others, and says so.
		if next >= len(parts) {
			return nil, fmt.Errorf("part %d: %w", p.N, fs.ErrNotExist)
		}
		next++
		return os.Open(parts[next-1])
	})
	return err
}

// listUpdates are the updates that the configuration wants; nil for none.
func listUpdates(u *Unit) (*uplink.ListUpdates, error) {
	if len(u.cfg.Uplink.Hotlists) == 0 {
		return nil, nil
	}
	return uplink.NewListUpdates(uplink.ListUpdatesConfig{
		Lists: u.cfg.Uplink.Hotlists, Applier: updates{u.lists},
		Dir:         filepath.Join(u.cfg.StateDir, "updates"),
		MaxManifest: hotlist.MaxManifest, MaxPart: hotlist.MaxPart,
	})
}
