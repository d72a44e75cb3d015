package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"aead.dev/minisign"

	"platewatch/hotlist"
	"platewatch/hotlist/entry"
	"platewatch/hotlist/signed"
	"platewatch/uplink/broker"
)

// runHotlistKeygen makes a key pair for signing lists, or the key that encrypts a
// unit's lists on disk.
func runHotlistKeygen(_ context.Context, std stdio, args []string) error {
	f := newHotlistFlags("keygen")
	storage := f.String("storage", "", "make a key that encrypts lists on disk instead, in this `file`")
	password := f.String("password-file", "", "encrypt the secret key with the password in this `file`")
	synopsis := "[-password-file FILE] NAME | -storage FILE\n\n" +
		"Makes NAME.key, which signs lists and stays with the signer, and NAME.pub,\n" +
		"which units trust (hotlist.trust in the configuration). Both are minisign keys.\n"
	if err := f.parse(std, synopsis, args, 1); err != nil {
		return err
	}
	switch {
	case *storage != "" && f.NArg() == 0:
		if err := hotlist.WriteKey(*storage); err != nil {
			return existing(err, *storage)
		}
		_, err := fmt.Fprintf(std.out, "%s encrypts lists on disk: name it as hotlist.key_file, and pass it as a systemd credential\n", *storage)
		return err
	case *storage != "" || f.NArg() == 0:
		return usageError("keygen takes one name", "name the key pair, or a file with -storage")
	}
	public, private, err := minisign.GenerateKey(nil)
	if err != nil {
		return err
	}
	secret, err := private.MarshalText()
	if err == nil && *password != "" {
		var word string
		if word, err = broker.ReadSecret(*password); err == nil {
			secret, err = minisign.EncryptKey(word, private)
		}
	}
	if err != nil {
		return err
	}
	open, err := public.MarshalText()
	if err != nil {
		return err
	}
	name := f.Arg(0)
	if err := writeNew(name+".key", append(secret, '\n'), 0o600); err != nil {
		return err
	}
	if err := writeNew(name+".pub", append(open, '\n'), 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "%s.key signs lists: keep it only where lists are signed\n%s.pub is for the units: name it in hotlist.trust\n", name, name)
	return err
}

// writeNew writes a file that must not exist.
func writeNew(path string, b []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return existing(err, path)
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

func existing(err error, path string) error {
	if errors.Is(err, fs.ErrExist) {
		return &failure{code: exitFailed, err: fmt.Errorf("%s exists", path), hint: "an existing key is never overwritten; choose another name"}
	}
	return err
}

func runHotlistSign(ctx context.Context, std stdio, args []string) error {
	f := newHotlistFlags("sign")
	var o hotlist.SignOptions
	list := f.String("list", "", "`name` of the list to sign")
	key := f.String("key", "", "`file` with the secret key, made by keygen or minisign")
	password := f.String("password-file", "", "`file` with the secret key's password")
	expires := f.String("expires", "8d", "when the list is overdue unless a newer version has arrived: a `time` from now such as 8d or 36h, or a date")
	f.Uint64Var(&o.Version, "version", 0, "`number` of this version, higher than any before (default: the time as 20261231235959)")
	if err := f.parse(std, "[-db DIR] -list NAME -key FILE [-expires 8d] FOLDER\n\n"+
		"Writes the list as a signed version into a new FOLDER: a manifest, the whole list\n"+
		"in parts, and the changes since the previous import.\n", args, 1); err != nil {
		return err
	}
	switch {
	case *list == "":
		return usageError("-list is missing", "name the list to sign")
	case *key == "":
		return usageError("-key is missing", "name the secret key; `platewatch hotlist keygen` makes one")
	case f.NArg() == 0:
		return usageError("FOLDER is missing", "name the folder to write the signed version into")
	}
	var err error
	if o.Expires, err = deadline(*expires, time.Now()); err != nil {
		return err
	}
	if o.Key, err = secretKey(*key, *password); err != nil {
		return err
	}
	db, err := f.open()
	if err != nil {
		return err
	}
	defer db.Close()
	r, err := db.Sign(ctx, *list, f.Arg(0), o)
	if errors.Is(err, entry.ErrOptions) {
		return &failure{code: exitUsage, err: err, hint: hint(err)}
	}
	if err != nil {
		return err
	}
	if *f.json {
		return printJSON(std.out, r)
	}
	_, err = fmt.Fprintf(std.out, "list %s, version %d: %d entries in %d parts, %d changes in %d parts, %s; overdue after %s\n",
		r.List, r.Version, r.Entries, r.Full, r.Changes, r.Delta, megabytes(r.Bytes), r.Expires.Local().Format("2006-01-02 15:04"))
	return err
}

// deadline parses 8d, 36h and 2026-12-31.
func deadline(s string, now time.Time) (time.Time, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n < 10000 {
			return now.AddDate(0, 0, n), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return now.Add(d), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usageError(fmt.Sprintf("-expires %q is not a time", s), "write 8d, 36h, or a date such as 2026-12-31")
}

func secretKey(path, passwordFile string) (minisign.PrivateKey, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return minisign.PrivateKey{}, err
	}
	b = bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\ufeff"))) // of an editor
	if minisign.IsEncrypted(b) {
		if passwordFile == "" {
			return minisign.PrivateKey{}, usageError(path+" is encrypted", "name the file with its password: -password-file")
		}
		word, err := broker.ReadSecret(passwordFile)
		if err != nil {
			return minisign.PrivateKey{}, err
		}
		k, err := minisign.DecryptKey(word, b)
		if err != nil {
			return k, &failure{code: exitFailed, err: fmt.Errorf("%s does not decrypt", path), hint: "check the password"}
		}
		return k, nil
	}
	var k minisign.PrivateKey
	if err := k.UnmarshalText(b); err != nil {
		return k, &failure{code: exitFailed, err: fmt.Errorf("%s is not a minisign secret key", path), hint: "name the file that keygen made, NAME.key"}
	}
	return k, nil
}

// parseSigned parses the flags of a command on a folder that sign wrote. It
// returns the options, with the trusted keys, and the folder's manifest.
func (f *hotlistFlags) parseSigned(std stdio, synopsis string, args []string) (o hotlist.Options, manifest []byte, err error) {
	if err := f.parse(std, synopsis, args, 1); err != nil {
		return o, nil, err
	}
	if f.NArg() == 0 {
		return o, nil, usageError("FOLDER is missing", "name the folder that sign wrote")
	}
	if o, err = f.options(); err != nil {
		return o, nil, err
	}
	if len(o.Trust) == 0 {
		return o, nil, usageError("no key is trusted", "name the signer's public key with -trust FILE, or the configuration that does with -config FILE")
	}
	manifest, err = signed.ReadManifest(f.Arg(0))
	return o, manifest, err
}

func runHotlistVerify(ctx context.Context, std stdio, args []string) error {
	f := newHotlistFlags("verify")
	o, manifest, err := f.parseSigned(std, "-trust FILE FOLDER\n\nVerifies a signed version, its manifest and all its parts, without installing it.\n", args)
	if err != nil {
		return err
	}
	m, key, err := signed.Verify(ctx, manifest, o.Trust, signed.FolderParts(f.Arg(0)))
	if err != nil {
		return err
	}
	if *f.json {
		return printJSON(std.out, m)
	}
	remark := ""
	if !m.Expires.After(time.Now()) {
		remark = " (overdue)"
	}
	_, err = fmt.Fprintf(std.out, "ok: list %s, version %d, %d entries, signed by %s, overdue after %s%s\n",
		m.List, m.Version, m.Entries, key.Name, m.Expires.Local().Format("2006-01-02 15:04"), remark)
	return err
}

func runHotlistApply(ctx context.Context, std stdio, args []string) error {
	f := newHotlistFlags("apply")
	list := f.String("list", "", "refuse any list but the one with this `name`")
	o, manifest, err := f.parseSigned(std, "[-db DIR] [-config FILE] -trust FILE FOLDER\n\n"+
		"Installs a signed version: the whole list or only the changes, as needed.\n"+
		"A running daemon loads it.\n", args)
	if err != nil {
		return err
	}
	db, err := hotlist.Open(*f.db, o)
	if err != nil {
		return err
	}
	defer db.Close()
	r, err := db.Apply(ctx, *list, manifest, signed.FolderParts(f.Arg(0)))
	if err != nil {
		return err
	}
	if *f.json {
		return printJSON(std.out, r)
	}
	if r.Held {
		_, err = fmt.Fprintln(std.out, "this version is already in use")
		return err
	}
	way := "changes"
	if r.Full {
		way = "whole list"
	}
	_, err = fmt.Fprintf(std.out, "list %s, version %s by %s: %d entries, %d added, %d removed (%s), in %s\n",
		r.List.Name, r.List.Version, r.Signed.Signer, r.List.Entries, r.Added, r.Removed, way, r.Elapsed.Round(10*time.Millisecond))
	return err
}
