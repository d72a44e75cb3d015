package uplink

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"platewatch/uplink/failure"
	"platewatch/uplink/internal/link"
	"platewatch/uplink/message"
)

// ListApplier applies the hotlist updates that come over MQTT. Its methods are
// called one at a time.
type ListApplier interface {
	// CheckManifest verifies a manifest and returns what to fetch. It returns nil
	// without an error if the unit has that version already.
	CheckManifest(list string, manifest []byte) (*ListUpdate, error)
	// ApplyUpdate applies the update, all or nothing. parts are the files of its
	// parts, in order, each with the size and hash that the update names.
	ApplyUpdate(ctx context.Context, list string, manifest []byte, parts []string) error
}

// ListUpdate is a version as its verified manifest describes it.
type ListUpdate struct {
	Version string
	Parts   []ListPart
}

// ListPart is one part of a version.
type ListPart struct {
	Number int // in the part's topic
	Size   int64
	SHA256 [sha256.Size]byte
}

// ListSettings configures [ListUpdates]. Zero values take the defaults.
type ListSettings struct {
	Lists []string `toml:"hotlists"` // names of the lists to follow

	Applier ListApplier `toml:"-"`
	Dir     string      `toml:"-"` // where parts wait until all are there; emptied of anything else

	// Done is told the result of each update: nil, or why it was refused.
	Done func(list, version string, err error) `toml:"-"`

	MaxManifest int   `toml:"-"` // bytes; default 256 KiB
	MaxPart     int   `toml:"-"` // bytes; default 4 MiB
	MaxUpdate   int64 `toml:"-"` // bytes of all parts; default 512 MiB
	// PartTimeout is how long the broker may take for a part while it is
	// connected. Default 60 s, and more on a slow link.
	PartTimeout time.Duration `toml:"-"`
	// Refresh is how often the broker is asked for the manifests again. Default
	// 1 h. They come with QoS 0, for which a cluster keeps no durable consumer for
	// every unit; a manifest that got lost, or whose parts were missing, comes with
	// the next refresh or connection.
	Refresh time.Duration `toml:"-"`
}

// Problems yields names of lists that cannot be part of a topic.
func (s ListSettings) Problems() iter.Seq2[string, error] {
	return failure.Problems(func(add failure.Add) {
		for i, name := range s.Lists {
			if message.ValidateName(name) != nil {
				add(fmt.Sprintf("hotlists[%d]", i), "write the list's name as the server writes it", "= %q cannot be the name of a list", name)
			}
		}
	})
}

// ListUpdates fetches the hotlist updates that the broker retains: a manifest, then
// part after part; then it calls the [ListApplier]. Fetched parts are kept over
// lost connections and restarts; a newer manifest ends the fetching of an older
// one.
type ListUpdates struct {
	cfg      ListSettings
	requests chan subscription
	wake     chan struct{} // one token: there is a manifest
	waits    sync.WaitGroup
	// refused are the manifests, by list, that were refused for good. The broker
	// retains them and sends them again with every connection. Only run uses it.
	refused map[string][sha256.Size]byte

	mu        sync.Mutex
	manifests map[string][]byte // received and not processed, the latest of each list
	want      string            // the topic of the part that get waits for
	part      chan []byte       // has room for one
	up        chan struct{}     // closed while there is a connection
	lost      chan struct{}     // closed when that connection is gone
}

// NewListUpdates checks the configuration and makes the folder.
func NewListUpdates(cfg ListSettings) (*ListUpdates, error) {
	if cfg.MaxManifest <= 0 {
		cfg.MaxManifest = 256 << 10
	}
	if cfg.MaxPart <= 0 {
		cfg.MaxPart = 4 << 20
	}
	if cfg.MaxUpdate <= 0 {
		cfg.MaxUpdate = 512 << 20
	}
	if cfg.PartTimeout <= 0 {
		cfg.PartTimeout = time.Minute
	}
	if cfg.Refresh <= 0 {
		cfg.Refresh = time.Hour
	}
	for _, name := range cfg.Lists {
		if err := message.ValidateName(name); err != nil {
			return nil, &failure.Error{Op: "follow the hotlist", Path: fmt.Sprintf("%.80q", name), Err: err, Advice: "use the list's name as the server writes it"}
		}
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, &failure.Error{Op: "make the folder for hotlist updates", Path: cfg.Dir, Err: failure.WithoutPath(err)}
	}
	return &ListUpdates{cfg: cfg, requests: make(chan subscription), wake: make(chan struct{}, 1),
		refused: map[string][sha256.Size]byte{}, manifests: map[string][]byte{}, part: make(chan []byte, 1), up: make(chan struct{})}, nil
}

func (u *ListUpdates) maxPart() int { return max(u.cfg.MaxPart, u.cfg.MaxManifest) }

// filters are the manifests to subscribe to.
func (u *ListUpdates) filters() map[string]byte {
	topics := map[string]byte{}
	for _, name := range u.cfg.Lists {
		topics[message.ManifestTopic(name)] = 0
	}
	return topics
}

// connected and disconnected are called by the session.
func (u *ListUpdates) connected() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.lost = make(chan struct{})
	close(u.up)
}

func (u *ListUpdates) disconnected() {
	u.mu.Lock()
	defer u.mu.Unlock()
	close(u.lost)
	u.up = make(chan struct{})
}

// take gets a message from the session. It never blocks.
func (u *ListUpdates) take(m link.Message) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if m.Topic == u.want {
		select {
		case u.part <- m.Payload:
		default:
		}
		return
	}
	name, last, _ := strings.Cut(strings.TrimPrefix(m.Topic, message.ListRoot), "/")
	if last != "manifest" || !slices.Contains(u.cfg.Lists, name) || len(m.Payload) == 0 { // empty: the retained message was removed
		return
	}
	u.manifests[name] = m.Payload
	select {
	case u.wake <- struct{}{}:
	default:
	}
}

// next returns a manifest that was not processed.
func (u *ListUpdates) next() (list string, manifest []byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for list, manifest := range u.manifests {
		delete(u.manifests, list)
		return list, manifest
	}
	return "", nil
}

// newer is true if a newer manifest of the list arrived.
func (u *ListUpdates) newer(list string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.manifests[list] != nil
}

// run fetches and applies until ctx is done.
func (u *ListUpdates) run(ctx context.Context, log *slog.Logger) {
	defer u.waits.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case <-u.wake:
		}
		for list, manifest := u.next(); manifest != nil && ctx.Err() == nil; list, manifest = u.next() {
			sum := sha256.Sum256(manifest)
			if u.refused[list] == sum {
				continue
			}
			version, err := u.update(ctx, list, manifest)
			if err != nil && !errors.Is(err, errParts) && !failure.IsDisk(err) && ctx.Err() == nil {
				u.refused[list] = sum
			}
			switch {
			case ctx.Err() != nil || errors.Is(err, errNewer) || version == "" && err == nil:
				continue
			case err != nil:
				log.Info("a hotlist update was refused", "list", list, "version", version, "error", err)
			default:
				log.Info("a hotlist update was applied", "list", list, "version", version)
			}
			if u.cfg.Done != nil {
				u.cfg.Done(list, version, err)
			}
		}
	}
}

var (
	errNewer = fmt.Errorf("%w: a newer manifest arrived", errParts)
	// errParts: not all parts could be fetched. They may be available later.
	errParts = errors.New("a part of the update is not available")
)

// update fetches and applies one version. The version is empty if there was
// nothing to do, or the manifest is not authentic.
func (u *ListUpdates) update(ctx context.Context, list string, manifest []byte) (version string, err error) {
	if len(manifest) > u.cfg.MaxManifest {
		return "", fmt.Errorf("the manifest has %d bytes, at most %d are accepted", len(manifest), u.cfg.MaxManifest)
	}
	up, err := u.cfg.Applier.CheckManifest(list, manifest)
	if err != nil || up == nil {
		return "", err
	}
	if err := u.bounds(up); err != nil {
		return up.Version, err
	}
	if err := u.sweep(up.Parts); err != nil {
		return up.Version, err
	}
	files := make([]string, len(up.Parts))
	for i, p := range up.Parts {
		files[i] = u.file(p)
		if err := u.fetch(ctx, list, up.Version, p); err != nil {
			return up.Version, err
		}
	}
	if err := u.cfg.Applier.ApplyUpdate(ctx, list, manifest, files); err != nil {
		return up.Version, err
	}
	return up.Version, u.sweep(nil)
}

// bounds checks what the unit would have to store.
func (u *ListUpdates) bounds(up *ListUpdate) error {
	if err := message.ValidateName(up.Version); err != nil {
		return fmt.Errorf("the version cannot be part of a topic: %w", err)
	}
	var all int64
	for _, p := range up.Parts {
		if p.Size < 0 || p.Size > int64(u.cfg.MaxPart) {
			return fmt.Errorf("part %d has %d bytes, at most %d are accepted", p.Number, p.Size, u.cfg.MaxPart)
		}
		if all += p.Size; all > u.cfg.MaxUpdate {
			return fmt.Errorf("its parts have more than %d bytes together", u.cfg.MaxUpdate)
		}
	}
	return nil
}
