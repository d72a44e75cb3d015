package setup

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"platewatch/capture"
	"platewatch/capture/source"
	"platewatch/cmd/platewatch/internal/config"
	"platewatch/ocr/region"
	"platewatch/uplink/broker"
)

// camera is one answered camera.
type camera struct {
	name, source string
	credentials  string // user:password; "" for none
}

// answers are all that a unit's files are made of.
type answers struct {
	name     string
	region   string
	cameras  []camera
	broker   string // address; "" for none
	ca       []byte // PEM; nil: the system's authorities
	cert     []byte // PEM, with key
	key      []byte
	user     string
	password string
	insecure bool
	follow   []string          // signed lists
	trust    map[string][]byte // file name → a signer's public key
	imports  []listFile
}

// listFile is a list to import.
type listFile struct{ name, file string }

// asker asks all questions of a setup.
type asker struct {
	*console
	o   Options
	dir string // for pictures and tries; goes away with the setup
	a   answers
}

// all asks everything, in the order of the configuration file.
func (k *asker) all(ctx context.Context) error {
	for _, ask := range []func(context.Context) error{k.askName, k.askCameras, k.askRegion, k.askBroker, k.askLists} {
		if err := ask(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (k *asker) askName(ctx context.Context) (err error) {
	k.a.name, err = k.answer(ctx, question{
		flag: "name", prompt: "Name of this unit, unique in the fleet (letters, digits, . _ -):", given: k.o.Name,
		check: func(_ context.Context, name string) (string, error) {
			for _, err := range (config.Unit{Name: name}).Problems() {
				return "", fmt.Errorf("the name %w", err)
			}
			return name, nil
		}})
	return err
}

// namedSource is a camera's flag: a source, after a name and "=" where it has one.
var namedSource = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]{0,63})=(.+)$`)

// splitNamed splits "name=value"; the name is def where the text has none.
func splitNamed(text, def string) (name, value string) {
	if m := namedSource.FindStringSubmatch(text); m != nil {
		return m[1], m[2]
	}
	return def, text
}

// freeName is the name of a camera that nobody named.
func (k *asker) freeName() string {
	for _, name := range []string{"front", "rear"} {
		if !k.a.hasCamera(name) && !k.named(name) {
			return name
		}
	}
	for i := len(k.a.cameras) + 1; ; i++ {
		if name := fmt.Sprintf("camera-%d", i); !k.a.hasCamera(name) && !k.named(name) {
			return name
		}
	}
}

// named reports whether a flag gives a camera this name.
func (k *asker) named(name string) bool {
	return slices.ContainsFunc(k.o.Cameras, func(text string) bool { n, _ := splitNamed(text, ""); return n == name })
}

func (a *answers) hasCamera(name string) bool {
	return slices.ContainsFunc(a.cameras, func(c camera) bool { return c.name == name })
}

func (k *asker) askCameras(ctx context.Context) error {
	for i := 0; ; i++ {
		name, given := "", ""
		if i < len(k.o.Cameras) {
			name, given = splitNamed(k.o.Cameras[i], "")
		}
		switch {
		case name == "":
			name = k.freeName()
		case k.a.hasCamera(name):
			return flagError("camera", fmt.Errorf("two cameras have the name %s", name))
		}
		if err := k.askCamera(ctx, name, given); err != nil {
			return err
		}
		if i+1 < len(k.o.Cameras) {
			continue
		}
		if len(k.o.Cameras) > 0 {
			return nil
		}
		more, err := k.yes(ctx, "Another camera?", false)
		if err != nil || !more {
			return err
		}
	}
}

// askCamera asks for one camera until it gives pictures, or somebody wants it as it
// is.
func (k *asker) askCamera(ctx context.Context, name, given string) error {
	prompt := "Camera, such as rtsp://192.0.2.7:554/stream1 or /dev/video0:"
	if found, err := filepath.Glob("/dev/video*"); err == nil && len(found) > 0 {
		prompt = "Camera, such as rtsp://192.0.2.7:554/stream1, or one of this board's (" + strings.Join(found, ", ") + "):"
	}
	c := camera{name: name}
	_, err := k.answer(ctx, question{flag: "camera", prompt: prompt, given: given,
		check: func(ctx context.Context, text string) (string, error) {
			c = camera{name: name, source: text}
			if text == "" {
				return "", &Error{Err: errors.New("a unit needs a camera"), Advice: "give its address, its device or a folder of pictures"}
			}
			if err := k.credentials(ctx, &c); err != nil {
				return "", err
			}
			for key, err := range capture.Problems(c.config()) {
				return "", fmt.Errorf("%s %w", key, err)
			}
			return text, k.tryCamera(ctx, c)
		}})
	if err == nil {
		k.a.cameras = append(k.a.cameras, c)
	}
	return err
}

// config is the camera as the configuration file describes it, except for its
// credentials.
func (c camera) config() capture.Config {
	n := capture.DefaultConfig()
	n.Name, n.Source = c.name, c.source
	return n
}

// credentials fills in user and password: from the flag's file, from the address, or
// asked for.
func (k *asker) credentials(ctx context.Context, c *camera) error {
	for _, f := range k.o.CameraCredentials {
		if name, file := splitNamed(f, c.name); name == c.name {
			text, err := readLine(file)
			c.credentials = text
			return err
		}
	}
	if !strings.Contains(c.source, "://") {
		return nil
	}
	if u, err := url.Parse(c.source); err == nil && u.User != nil {
		password, _ := u.User.Password()
		c.credentials, u.User = u.User.Username()+":"+password, nil
		c.source = u.String()
		return nil
	}
	if k.quiet {
		return nil
	}
	user, err := k.line(ctx, "  User name at the camera (empty: it wants none):")
	if err != nil || user == "" {
		return err
	}
	password, err := k.secret(ctx, "  Password at the camera:")
	c.credentials = user + ":" + password
	return err
}

// tryCamera shows what the camera shows. A camera that fails is kept only where a
// person wants that.
func (k *asker) tryCamera(ctx context.Context, c camera) error {
	if k.o.Untried {
		return nil
	}
	k.say("  Trying the camera …\n")
	n := c.config()
	if c.credentials != "" {
		n.CredentialsFile = filepath.Join(k.dir, "credentials")
		if err := os.WriteFile(n.CredentialsFile, []byte(c.credentials), 0o600); err != nil {
			return err
		}
		defer os.Remove(n.CredentialsFile)
	}
	picture := k.o.Picture
	if picture == "" {
		picture = filepath.Join(k.dir, c.name+".jpg")
	}
	s, err := look(ctx, capture.WithDefaults(n), picture)
	if err != nil {
		return k.keepAnyway(ctx, "camera", err)
	}
	k.say("  %s: %v.\n", source.Redact(c.source), s)
	k.say("  A picture of it: %s\n", s.picture)
	if ok, err := k.yes(ctx, "  Is it the right camera?", true); err != nil || !ok {
		return errors.Join(err, notWanted(err))
	}
	return nil
}

// notWanted is the refusal of what a person does not want, unless the question itself
// failed.
func notWanted(err error) error {
	if err != nil {
		return nil
	}
	return &Error{Err: errors.New("then another one")}
}

// keepAnyway asks whether something that failed is to be used all the same, for it may
// be there later. Nobody is asked with -yes: it fails then.
func (k *asker) keepAnyway(ctx context.Context, what string, failed error) error {
	if k.quiet {
		return &Error{tried: true, Err: failed, Advice: strings.TrimPrefix(hintOf(failed)+"; -untried uses it as it is", "; ")}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	k.say("  %v", failed)
	if h := hintOf(failed); h != "" {
		k.say("; %s", h)
	}
	k.say("\n")
	keep, err := k.yes(ctx, fmt.Sprintf("  Use this %s all the same?", what), false)
	if err != nil || keep {
		return err
	}
	return notWanted(nil)
}

func (k *asker) askRegion(ctx context.Context) (err error) {
	k.a.region, err = k.answer(ctx, question{flag: "region", given: k.o.Region,
		prompt: "Whose plates are expected: eu, us, br, uk, tw, a country (nl), a state (us-ca), several (br,us); empty: any:",
		check: func(_ context.Context, text string) (string, error) {
			_, err := region.Parse(text)
			return text, err
		}})
	return err
}

// askBroker asks for the broker and what it is reached with, until that works or
// somebody wants it as it is.
func (k *asker) askBroker(ctx context.Context) error {
	_, err := k.answer(ctx, question{flag: "broker", given: k.o.Broker,
		prompt: "Broker, such as mqtts://broker.example.org:8883; empty: none yet, hits wait on this board:",
		check: func(ctx context.Context, address string) (string, error) {
			if k.a.broker = address; address == "" {
				return "", nil
			}
			k.a.insecure = k.o.Insecure
			for key, err := range (broker.Settings{Brokers: []string{address}, Insecure: k.a.insecure}).Problems() {
				return "", fmt.Errorf("%s %w", key, err)
			}
			if strings.HasPrefix(address, "mqtts:") || strings.HasPrefix(address, "tls:") {
				if err := k.askCertificates(ctx); err != nil {
					return "", err
				}
			}
			if err := k.askLogin(ctx); err != nil {
				return "", err
			}
			return address, k.tryBroker(ctx)
		}})
	return err
}

// askCertificates asks for the files of a TLS connection.
func (k *asker) askCertificates(ctx context.Context) error {
	for _, f := range []struct {
		flag, prompt, given string
		into                *[]byte
		unless              bool
	}{
		{"ca", "  File with the broker's authority (PEM); empty: the system's authorities:", k.o.CA, &k.a.ca, false},
		{"cert", "  File with this unit's certificate (PEM); empty: none:", k.o.Cert, &k.a.cert, false},
		{"key", "  File with the certificate's key (PEM):", k.o.Key, &k.a.key, true},
	} {
		*f.into = nil
		if f.unless && k.a.cert == nil {
			continue
		}
		_, err := k.answer(ctx, question{flag: f.flag, prompt: f.prompt, given: f.given,
			check: func(_ context.Context, file string) (string, error) {
				if file == "" {
					return "", nil
				}
				var err error
				*f.into, err = readSmall(file)
				return file, err
			}})
		if err != nil {
			return err
		}
	}
	return nil
}

// askLogin asks for user and password, unless a certificate says who the unit is.
func (k *asker) askLogin(ctx context.Context) error {
	k.a.user, k.a.password = "", ""
	if k.o.User == "" && (k.quiet || k.a.cert != nil) {
		return nil
	}
	var err error
	if k.a.user = k.o.User; k.a.user == "" {
		if k.a.user, err = k.line(ctx, "  User name at the broker (empty: none):"); err != nil || k.a.user == "" {
			return err
		}
	}
	switch {
	case k.o.PasswordFile != "":
		k.a.password, err = readLine(k.o.PasswordFile)
	case !k.quiet:
		k.a.password, err = k.secret(ctx, "  Password at the broker:")
	}
	return err
}

func (k *asker) tryBroker(ctx context.Context) error {
	if k.o.Untried {
		return nil
	}
	dir := filepath.Join(k.dir, "broker")
	defer os.RemoveAll(dir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	k.say("  Trying the broker …\n")
	b := broker.Broker{URL: k.a.broker, Insecure: k.a.insecure}
	for _, f := range []struct {
		name    string
		content []byte
		path    *string
	}{
		{caFile, k.a.ca, &b.CAFile}, {certFile, k.a.cert, &b.CertFile}, {keyFile, k.a.key, &b.KeyFile},
		{userFile, []byte(k.a.user), &b.UserFile}, {passwordFile, []byte(k.a.password), &b.PasswordFile},
	} {
		if len(f.content) == 0 {
			continue
		}
		*f.path = filepath.Join(dir, f.name)
		if err := os.WriteFile(*f.path, f.content, 0o600); err != nil {
			return err
		}
	}
	text, err := tryBroker(ctx, b, k.a.name)
	if err != nil {
		return k.keepAnyway(ctx, "broker", err)
	}
	k.say("  %s: %s.\n", broker.Redact(k.a.broker), text)
	return nil
}
