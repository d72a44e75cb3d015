package config

import (
	"os"
	"path/filepath"
	"strings"

	"platewatch/capture"
)

// resolve makes every path absolute:
//
//   - state_dir, where the file does not set it, is systemd's $STATE_DIRECTORY;
//   - the hotlist and the outbox are relative to the state directory;
//   - keys, certificates and secrets are looked for in systemd's
//     $CREDENTIALS_DIRECTORY first, then in [SecretFolder] in dir, then in dir;
//   - everything else is relative to dir, the folder of the configuration file.
func (c *Config) resolve(dir string, getenv func(string) string) {
	if state, _, _ := strings.Cut(getenv("STATE_DIRECTORY"), ":"); state != "" && !c.origin.set("state_dir") {
		c.StateDir = state
	}
	c.Hotlist.Path = under(c.StateDir, c.Hotlist.Path)
	c.Uplink.OutboxFile = under(c.StateDir, c.Uplink.OutboxFile)

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
		if in := filepath.Join(dir, SecretFolder, *p.path); exists(in) {
			*p.path = in
			continue
		}
		*p.path = under(dir, *p.path)
	}
	for i := range c.Cameras {
		cam := &c.Cameras[i]
		if kind, _, _ := capture.KindOf(cam.Config); kind.Local {
			slash := strings.HasSuffix(cam.Source, "/") // which shows that it is a folder
			cam.Source = under(dir, cam.Source)
			if slash && !strings.HasSuffix(cam.Source, "/") {
				cam.Source += "/"
			}
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

// SecretFolder lies beside the configuration file and holds its secrets, where only
// root may look. The service gets them as credentials; other commands that root runs
// find them here.
const SecretFolder = "secret"

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
		{"uplink.ca", &c.Uplink.Broker.CA}, {"uplink.cert", &c.Uplink.Broker.Cert}, {"uplink.key", &c.Uplink.Broker.Key},
		{"uplink.user_file", &c.Uplink.Broker.UserFile}, {"uplink.password_file", &c.Uplink.Broker.PasswordFile},
		{"status.token_file", &c.Status.TokenFile}, {"status.cert", &c.Status.Cert}, {"status.key", &c.Status.Key},
	}
	for i := range c.Cameras {
		list = append(list, namedPath{indexPath("camera", i) + ".credentials_file", &c.Cameras[i].CredentialsFile},
			namedPath{indexPath("camera", i) + ".tls_ca", &c.Cameras[i].TLSCA})
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

// MissingFiles lists what the configuration names and this machine does not have, as
// "key: path". It is not an error: the file may be checked on another machine.
func (c *Config) MissingFiles() []string {
	paths := c.secretPaths()
	for i := range c.Cameras {
		if kind, _, _ := capture.KindOf(c.Cameras[i].Config); kind.Local {
			paths = append(paths, namedPath{indexPath("camera", i) + ".source", &c.Cameras[i].Source})
		}
	}
	if strings.ContainsRune(c.OCR.Model, '/') {
		paths = append(paths, namedPath{"ocr.model", &c.OCR.Model})
	}
	var missing []string
	for _, p := range paths {
		if *p.path == "" {
			continue
		}
		if _, err := os.Stat(*p.path); err != nil && os.IsNotExist(err) {
			missing = append(missing, p.key+": "+*p.path)
		}
	}
	return missing
}

// IdentityFile is a file that comes with the unit's identity.
type IdentityFile struct {
	Key, Path string
	Secret    bool // not a certificate
}

// IdentityFiles are those that the configuration names.
func (c *Config) IdentityFiles() []IdentityFile {
	var files []IdentityFile
	for _, p := range c.secretPaths() {
		if *p.path == "" {
			continue
		}
		f := IdentityFile{Key: p.key, Path: *p.path, Secret: true}
		switch {
		case p.key == "uplink.ca", p.key == "uplink.cert", p.key == "status.cert", strings.HasSuffix(p.key, ".tls_ca"):
			f.Secret = false
		}
		files = append(files, f)
	}
	return files
}

// ReadableSecrets lists the files with secrets that every user of this machine may
// read, as "key: path".
func (c *Config) ReadableSecrets() []string {
	var open []string
	for _, f := range c.IdentityFiles() {
		if !f.Secret {
			continue
		}
		if info, err := os.Stat(f.Path); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o004 != 0 {
			open = append(open, f.Key+": "+f.Path)
		}
	}
	return open
}
