package setup

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"

	"platewatch/cmd/platewatch/internal/config"
)

// Names of the files that a setup writes, beside the configuration or, where nobody
// else may read them, in its [config.SecretFolder]. Under the same names the service
// gets the secrets as credentials.
const (
	caFile       = "ca.pem"
	certFile     = "unit.pem"
	keyFile      = "unit.key"
	userFile     = "mqtt-user"
	passwordFile = "mqtt-password"
	storageKey   = "hotlist.key"
	sealedKey    = storageKey + ".cred" // by systemd-creds, for this board
)

// dropIn hands the secrets to the service.
const dropIn = "/etc/systemd/system/platewatch.service.d/credentials.conf"

// file is one file to write.
type file struct {
	path    string
	content []byte
	mode    fs.FileMode
}

// credentialsOf is the name of a camera's credentials.
func credentialsOf(c camera) string { return c.name + "-camera" }

// secrets are the secret files, by their names.
func (a *answers) secrets() map[string][]byte {
	all := map[string][]byte{}
	add := func(name string, content []byte) {
		if len(content) > 0 {
			all[name] = content
		}
	}
	for _, c := range a.cameras {
		if c.credentials != "" {
			add(credentialsOf(c), []byte(c.credentials+"\n"))
		}
	}
	add(certFile, a.cert)
	add(keyFile, a.key)
	if a.user != "" {
		add(userFile, []byte(a.user+"\n"))
		if a.password != "" {
			add(passwordFile, []byte(a.password+"\n"))
		}
	}
	return all
}

// toml writes the configuration: what was answered, and nothing else. stateDir is
// empty for the default; key tells whether there is a key for the lists.
func (a *answers) toml(stateDir string, key bool) []byte {
	var b strings.Builder
	put := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s = %s\n", key, config.Quote(value))
		}
	}
	list := func(key string, values []string) {
		if len(values) == 0 {
			return
		}
		quoted := make([]string, len(values))
		for i, v := range values {
			quoted[i] = config.Quote(v)
		}
		fmt.Fprintf(&b, "%s = [%s]\n", key, strings.Join(quoted, ", "))
	}
	section := func(name string) func() { // writes the header before the first key, if there is one
		start := b.Len()
		return func() {
			if rest := b.String()[start:]; rest != "" {
				head := b.String()[:start]
				b.Reset()
				fmt.Fprintf(&b, "%s\n[%s]\n%s", head, name, rest)
			}
		}
	}
	b.WriteString("# Written by `platewatch setup`. All keys, with their defaults, are in\n" +
		"# /usr/share/doc/platewatch/examples/platewatch.toml. After a change:\n" +
		"#   platewatch config check FILE && systemctl reload platewatch\n")
	put("state_dir", stateDir)
	fmt.Fprintf(&b, "\n[unit]\nname = %s\n", config.Quote(a.name))
	for _, c := range a.cameras {
		fmt.Fprintf(&b, "\n[[camera]]\nname = %s\nsource = %s\n", config.Quote(c.name), config.Quote(c.source))
		if c.credentials != "" {
			put("credentials_file", credentialsOf(c))
		}
	}
	end := section("ocr")
	put("region", a.region)
	end()
	end = section("hotlist")
	if key {
		put("key_file", storageKey)
	}
	list("trust", slices.Sorted(maps.Keys(a.trust)))
	if len(a.trust) > 0 {
		var local []string
		for _, l := range a.imports {
			local = append(local, l.name)
		}
		list("local", local)
	}
	end()
	if a.broker == "" {
		return []byte(b.String())
	}
	fmt.Fprintf(&b, "\n[uplink]\nbrokers = [%s]\n", config.Quote(a.broker))
	for _, f := range []struct {
		key, name string
		there     bool
	}{
		{"ca", caFile, len(a.ca) > 0}, {"cert", certFile, len(a.cert) > 0}, {"key", keyFile, len(a.key) > 0},
		{"user_file", userFile, a.user != ""}, {"password_file", passwordFile, a.user != "" && a.password != ""},
	} {
		if f.there {
			put(f.key, f.name)
		}
	}
	if a.insecure {
		b.WriteString("insecure = true\n")
	}
	list("hotlists", a.follow)
	return []byte(b.String())
}

// dropInText hands every secret to the service. dir is the configuration's folder on
// the board.
func (a *answers) dropInText(dir string, key keyKind) []byte {
	var b strings.Builder
	b.WriteString("# Written by `platewatch setup`: the secrets that the service may read. A changed\n" +
		"# one is used after `systemctl restart platewatch`.\n[Service]\n")
	for _, name := range slices.Sorted(maps.Keys(a.secrets())) {
		fmt.Fprintf(&b, "LoadCredential=%s:%s\n", name, filepath.Join(dir, config.SecretFolder, name))
	}
	switch key {
	case keyPlain:
		fmt.Fprintf(&b, "LoadCredential=%s:%s\n", storageKey, filepath.Join(dir, config.SecretFolder, storageKey))
	case keySealed:
		fmt.Fprintf(&b, "LoadCredentialEncrypted=%s:%s\n", storageKey, filepath.Join(dir, config.SecretFolder, sealedKey))
	}
	return []byte(b.String())
}

// keyKind is how the key for the lists is kept.
type keyKind int

const (
	keyNone   keyKind = iota // beside the lists, as the hotlist makes it by itself
	keyPlain                 // a file that root alone may read
	keySealed                // encrypted for this board by systemd-creds
)

// files are all files of a unit, the configuration last: without it the service does
// not start.
func (a *answers) files(o *Options, key keyKind) []file {
	dir := filepath.Dir(o.Config)
	var all []file
	secrets := a.secrets()
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		all = append(all, file{o.at(dir, config.SecretFolder, name), secrets[name], 0o600})
	}
	if len(a.ca) > 0 {
		all = append(all, file{o.at(dir, caFile), a.ca, 0o644})
	}
	for _, name := range slices.Sorted(maps.Keys(a.trust)) {
		all = append(all, file{o.at(dir, name), a.trust[name], 0o644})
	}
	if o.Config == config.DefaultFile && (len(secrets) > 0 || key != keyNone) {
		all = append(all, file{o.at(dropIn), a.dropInText(dir, key), 0o644})
	}
	return append(all, file{o.at(o.Config), a.toml(o.stateDir(), key != keyNone), 0o644})
}

// existing are those of the files that are there already with other content.
func existing(files []file) []string {
	var there []string
	for _, f := range files {
		switch b, err := os.ReadFile(f.path); {
		case errors.Is(err, fs.ErrNotExist) || err == nil && bytes.Equal(b, f.content):
		default:
			there = append(there, f.path)
		}
	}
	return there
}

// write writes all files or none: it first writes every one of them beside its place,
// and moves them there when nothing can fail any more but the disk itself. The
// old configuration is kept with the ending .old.
func write(files []file) (err error) {
	var pending []*renameio.PendingFile
	defer func() {
		for _, p := range pending {
			err = errors.Join(err, p.Cleanup())
		}
	}()
	for _, f := range files {
		if err := makeFolder(filepath.Dir(f.path)); err != nil {
			return err
		}
		p, err := renameio.NewPendingFile(f.path, renameio.WithPermissions(f.mode), renameio.IgnoreUmask(), renameio.WithTempDir(filepath.Dir(f.path)))
		if err != nil {
			return err
		}
		pending = append(pending, p)
		if _, err := p.Write(f.content); err != nil {
			return err
		}
		if err := p.Sync(); err != nil {
			return err
		}
	}
	configuration := files[len(files)-1]
	if old, err := os.ReadFile(configuration.path); err == nil && !bytes.Equal(old, configuration.content) {
		if err := renameio.WriteFile(configuration.path+".old", old, configuration.mode); err != nil {
			return err
		}
	}
	for _, p := range pending {
		if err := p.CloseAtomicallyReplace(); err != nil {
			return err
		}
	}
	return nil
}

// makeFolder makes a folder; one for secrets is for root alone.
func makeFolder(path string) error {
	if filepath.Base(path) != config.SecretFolder {
		return os.MkdirAll(path, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// maxSmall bounds the files that are copied: certificates, keys, secrets.
const maxSmall = 256 << 10

// readSmall reads a small file that is not empty.
func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSmall+1))
	switch {
	case err != nil:
		return nil, err
	case len(b) > maxSmall:
		return nil, &Error{Err: fmt.Errorf("%s is larger than %d KiB", path, maxSmall>>10), Advice: "name the right file"}
	case len(bytes.TrimSpace(b)) == 0:
		return nil, &Error{Err: fmt.Errorf("%s is empty", path), Advice: "name the right file"}
	}
	return b, nil
}

// readLine reads a secret of one line.
func readLine(path string) (string, error) {
	b, err := readSmall(path)
	if err != nil {
		return "", err
	}
	line := strings.TrimRight(strings.TrimPrefix(string(b), "\ufeff"), "\r\n")
	if strings.ContainsAny(line, "\r\n\x00") {
		return "", &Error{Err: fmt.Errorf("%s holds more than one line", path), Advice: "write the secret as its only line"}
	}
	return line, nil
}
