package setup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"platewatch/hotlist"
	"platewatch/hotlist/entry"
	"platewatch/hotlist/importer"
	"platewatch/hotlist/signed"
	"platewatch/ocr"
)

// askLists asks for signed lists to follow and files to import.
func (k *asker) askLists(ctx context.Context) error {
	k.a.trust = map[string][]byte{}
	for _, file := range k.o.Trust {
		if err := k.addKey(file); err != nil {
			return flagError("trust", err)
		}
	}
	for _, name := range k.o.Follow {
		if err := k.follow(ctx, name); err != nil {
			return flagError("follow", err)
		}
	}
	for _, text := range k.o.Lists {
		if err := k.addList(ctx, text); err != nil {
			return flagError("list", err)
		}
	}
	if k.quiet || len(k.o.Follow)+len(k.o.Lists) > 0 {
		return nil
	}
	if k.a.broker != "" {
		_, err := k.answer(ctx, question{prompt: "Signed list to follow from the broker, such as stolen; empty: none:",
			check: func(ctx context.Context, name string) (string, error) {
				if name == "" {
					return "", nil
				}
				return name, k.follow(ctx, name)
			}})
		if err != nil {
			return err
		}
	}
	_, err := k.answer(ctx, question{prompt: "List to import, a file with a header (CSV, TSV) or an NCIC extract; empty: none:",
		check: func(ctx context.Context, file string) (string, error) {
			if file == "" {
				return "", nil
			}
			return file, k.addList(ctx, file)
		}})
	return err
}

// follow adds a signed list, and asks for a signer's key where there is none.
func (k *asker) follow(ctx context.Context, name string) error {
	if err := entry.CheckListName(name); err != nil {
		return err
	}
	if k.a.broker == "" {
		return &Error{Err: errors.New("signed lists come from the broker"), Advice: "give a broker"}
	}
	if len(k.a.trust) == 0 {
		if k.quiet {
			return &Error{Err: errors.New("nobody is trusted to sign the list"), Advice: "name the signer's public key with -trust"}
		}
		if _, err := k.answer(ctx, question{prompt: "  File with the signer's public key:",
			check: func(_ context.Context, file string) (string, error) { return file, k.addKey(file) }}); err != nil {
			return err
		}
	}
	k.a.follow = append(k.a.follow, name)
	return nil
}

// addKey adds the public key of a signer.
func (k *asker) addKey(file string) error {
	if _, err := signed.LoadTrustedKey(file); err != nil {
		return err
	}
	b, err := readSmall(file)
	if err != nil {
		return err
	}
	name := filepath.Base(file)
	if !strings.HasSuffix(name, ".pub") {
		name += ".pub"
	}
	k.a.trust[name] = b
	return nil
}

// tryImport is the size up to which a list is imported once to see whether it can be:
// a second.
const tryImport = 16 << 20

// addList adds a file to import, "file" or "name=file", after a try.
func (k *asker) addList(ctx context.Context, text string) error {
	name, file := splitNamed(text, "")
	if name == "" {
		name = strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	}
	if err := entry.CheckListName(name); err != nil {
		return err
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return &Error{Err: fmt.Errorf("%s is not a file", file), Advice: "name a file with a list"}
	}
	if info.Size() <= tryImport {
		dir := filepath.Join(k.dir, "list")
		defer os.RemoveAll(dir)
		r, err := hotlist.Import(ctx, dir, f, hotlist.ImportOptions{List: name, Options: importer.Options{Source: file}, Readable: ocr.DefaultParams().Readable})
		if err != nil {
			return err
		}
		k.say("  %s: %d entries become the list %s.\n", file, r.List.Entries, name)
	}
	if file, err = filepath.Abs(file); err != nil {
		return err
	}
	k.a.imports = append(k.a.imports, listFile{name, file})
	return nil
}
