package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/BurntSushi/toml"
)

// maxFile bounds the configuration file. A full one has a few kilobytes.
const maxFile = 1 << 20

// FileError is a configuration file, or a file it names, that cannot be read.
type FileError struct {
	Op     string // "read the configuration", …
	Path   string
	Err    error
	Advice string
}

func (e *FileError) Error() string {
	err := e.Err
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err // the path is already said
	}
	return fmt.Sprintf("cannot %s %s: %v", e.Op, e.Path, err)
}

func (e *FileError) Unwrap() error { return e.Err }

// Hint says what to do.
func (e *FileError) Hint() string { return e.Advice }

// Load reads and validates the file and makes every path in it absolute; getenv
// is [os.Getenv] or a test's own. A file that is refused gives an [*Error], one
// that cannot be read a [*FileError].
func Load(file string, getenv func(string) string) (*Config, error) {
	text, err := readBounded(file, maxFile)
	if err != nil {
		advice := ""
		switch {
		case errors.Is(err, fs.ErrNotExist):
			advice = "name the file with -config, or start from the example platewatch.toml"
		case errors.Is(err, fs.ErrPermission):
			advice = "run this as a user who may read it"
		}
		return nil, &FileError{Op: "read the configuration", Path: file, Err: err, Advice: advice}
	}
	c, err := Parse(file, text)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return nil, &FileError{Op: "find the folder of", Path: file, Err: err}
	}
	c.Resolve(dir, getenv)
	return c, nil
}

// Parse reads a configuration from its text; file only names it in messages.
// It touches nothing outside the text. Paths stay as they are written: see
// [Config.Resolve].
func Parse(file string, text []byte) (*Config, error) {
	var tree map[string]any
	if _, err := toml.Decode(string(text), &tree); err != nil {
		return nil, syntaxError(file, err)
	}
	c := Default()
	c.origin = &origin{file: file, keys: indexKeys(string(text))}
	f := &findings{origin: c.origin}
	bind{f}.table("", tree, reflect.ValueOf(c).Elem())
	c.validate(f)
	if err := f.err(); err != nil {
		return nil, err
	}
	for i, cam := range c.Cameras {
		c.Cameras[i] = cam.WithDefaults()
	}
	return c, nil
}

// syntaxError is a text that is no TOML. The parser stops at the first place it
// does not understand, so there is always just this one problem.
func syntaxError(file string, err error) error {
	p := Problem{File: file, Text: "this is not TOML: " + err.Error()}
	var pe toml.ParseError
	if errors.As(err, &pe) {
		text := pe.Message
		if text == "" {
			_, text, _ = strings.Cut(err.Error(), ": ")
		}
		p.Line = pe.Position.Line
		p.Text = "this is not TOML: " + strings.TrimRight(strings.ReplaceAll(text, "\n", " "), ".")
		p.Advice = `every line is a [section], key = "value", or a # comment`
	}
	return &Error{File: file, Problems: []Problem{p}}
}

// Resolve makes every path absolute:
//
//   - state_dir, where the file does not set it, is systemd's $STATE_DIRECTORY;
//   - the hotlist and the outbox are relative to the state directory;
//   - keys, certificates and secrets are looked for in systemd's
//     $CREDENTIALS_DIRECTORY first, then in dir;
//   - everything else is relative to dir, the folder of the configuration file.
func (c *Config) Resolve(dir string, getenv func(string) string) {
	if state, _, _ := strings.Cut(getenv("STATE_DIRECTORY"), ":"); state != "" && !c.origin.set("state_dir") {
		c.StateDir = state
	}
	c.Hotlist.Path = under(c.StateDir, c.Hotlist.Path)
	c.Uplink.Outbox = under(c.StateDir, c.Uplink.Outbox)

	credentials := getenv("CREDENTIALS_DIRECTORY")
	for _, p := range c.secretPaths() {
		if *p.path == "" || filepath.IsAbs(*p.path) {
			continue
		}
		if credentials != "" {
			if in := filepath.Join(credentials, *p.path); exists(in) {
				*p.path = in
				continue
			}
		}
		*p.path = under(dir, *p.path)
	}
	for i := range c.Cameras {
		cam := &c.Cameras[i]
		switch kind, _ := cam.SourceKind(); kind {
		case KindFile:
			cam.Source = under(dir, cam.Source)
		case KindFolder:
			cam.Source = under(dir, cam.Source) + "/" // still looks like a folder
		}
	}
	for i := range c.Hotlist.Trust {
		c.Hotlist.Trust[i] = under(dir, c.Hotlist.Trust[i])
	}
	c.Hotlist.Confusions = under(dir, c.Hotlist.Confusions)
	if strings.ContainsRune(c.OCR.Model, '/') || strings.HasSuffix(c.OCR.Model, ".traineddata") {
		c.OCR.Model = under(dir, c.OCR.Model)
	}
}

// namedPath is a field that holds a path, with its key.
type namedPath struct {
	key  string
	path *string
}

// secretPaths are the files that come with the unit's identity, which is where
// systemd's credentials go.
func (c *Config) secretPaths() []namedPath {
	list := []namedPath{
		{"hotlist.key_file", &c.Hotlist.KeyFile},
		{"uplink.ca", &c.Uplink.CA}, {"uplink.cert", &c.Uplink.Cert}, {"uplink.key", &c.Uplink.Key},
		{"uplink.user_file", &c.Uplink.UserFile}, {"uplink.password_file", &c.Uplink.PasswordFile},
		{"status.token_file", &c.Status.TokenFile}, {"status.cert", &c.Status.Cert}, {"status.key", &c.Status.Key},
	}
	for i := range c.Cameras {
		list = append(list, namedPath{indexPath("camera", i) + ".credentials_file", &c.Cameras[i].CredentialsFile})
	}
	return list
}

func under(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// readBounded reads a whole file of at most limit bytes.
func readBounded(path string, limit int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("it is larger than %v", Size(limit))
	}
	return b, nil
}
