package hotlist

import (
	"context"
	"strconv"
	"time"

	"aead.dev/minisign"

	"platewatch/hotlist/entry"
	"platewatch/hotlist/internal/folder"
	"platewatch/hotlist/internal/listfile"
	"platewatch/hotlist/signed"
)

// SignOptions say how [DB.Sign] signs a list.
type SignOptions struct {
	Key minisign.PrivateKey
	// Version must be higher than that of every earlier signed version. Default: the
	// time, as 20060102150405.
	Version uint64
	// Expires is the time by which a newer version will have arrived. Required.
	Expires time.Time
}

// SignReport is the result of [DB.Sign].
type SignReport struct {
	List    string    `json:"list"`
	Version uint64    `json:"version"`
	Entries int       `json:"entries"`
	Expires time.Time `json:"expires"`
	Key     string    `json:"key"`
	// Full is the number of parts of the whole list, Delta that of the changes from
	// the previous version, Changes the number of those changes.
	Full    int   `json:"full_parts"`
	Delta   int   `json:"delta_parts"`
	Changes int   `json:"changes"`
	Bytes   int64 `json:"bytes"`
}

// Sign writes a list as a signed version into a new folder: the manifest, the parts of
// the whole list, and, if the previous version is still there, the parts of the
// changes from it.
func (db *DB) Sign(ctx context.Context, list, dir string, o SignOptions) (SignReport, error) {
	fail := func(err error, advice string) (SignReport, error) {
		return SignReport{}, &entry.Error{Op: "sign", Path: dir, Err: err, Advice: advice}
	}
	now := time.Now().UTC().Truncate(time.Second)
	if o.Version == 0 {
		o.Version, _ = strconv.ParseUint(now.Format("20060102150405"), 10, 64) // digits only
	}
	if !o.Expires.After(now) {
		return fail(entry.OptionErrorf("the version would be overdue already"), "name a time in the future by which a newer version will have arrived")
	}
	l, err := db.retain(list)
	if err != nil {
		return SignReport{}, err
	}
	defer l.Release()
	w, err := signed.NewWriter(dir, signed.Manifest{List: list, Version: o.Version, Created: now, Expires: o.Expires.UTC().Truncate(time.Second),
		Entries: l.Entries, Digest: l.Digest})
	if err != nil {
		return fail(err, "name a folder that does not exist yet")
	}
	err = w.Full(func(add func(signed.Change) error) error {
		return l.Sorted(ctx, func(e entry.Entry) error { return add(signed.Change{Entry: e}) })
	})
	if err != nil {
		return fail(err, folder.Advice(err))
	}
	changes := 0
	before, err := listfile.Open(ctx, folder.PreviousPath(db.dir, list), l.Key, lockWait)
	if err == nil {
		defer before.Release()
		version := uint64(0)
		if before.Signed != nil {
			version = before.Signed.Version
		}
		err = w.Delta(before.Digest, version, func(add func(signed.Change) error) (err error) {
			changes, err = listfile.Difference(ctx, before, l.File, func(e entry.Entry, remove bool) error { return add(signed.Change{Entry: e, Remove: remove}) })
			return err
		})
		if err != nil {
			return fail(err, folder.Advice(err))
		}
	}
	if err := w.Sign(o.Key); err != nil {
		return fail(err, "")
	}
	m := &w.Manifest
	report := SignReport{List: list, Version: m.Version, Entries: m.Entries, Expires: m.Expires, Key: signed.TrustedKey{Public: o.Key.Public().(minisign.PublicKey)}.ID(),
		Full: len(m.Full), Changes: changes, Bytes: w.Bytes}
	for _, d := range m.Deltas {
		report.Delta += len(d.Parts)
	}
	return report, nil
}
