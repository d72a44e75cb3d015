package main

import (
	"context"
	"errors"
	"flag"
	"os"

	"platewatch/cmd/platewatch/internal/config"
	"platewatch/cmd/platewatch/internal/setup"
)

const setupSynopsis = `[flags]

Asks for name, cameras, region, broker and lists, tries each, and writes the
configuration and the secrets; then it imports the lists and starts the service.
Each answer can be given as a flag, and with -yes nobody is asked. Nothing is
written before all is answered, and nothing is replaced unasked.
`

// repeated is a flag that may be given several times.
type repeated []string

func (r *repeated) String() string { return "" }

// Set implements [flag.Value].
func (r *repeated) Set(s string) error {
	*r = append(*r, s)
	return nil
}

// runSetup makes a unit of this board.
func runSetup(ctx context.Context, std stdio, args []string) error {
	fs := flag.NewFlagSet("setup", flag.ContinueOnError)
	o := setup.Options{In: std.in, Out: std.out}
	fs.StringVar(&o.Config, "config", config.DefaultFile, "configuration `file` to write")
	fs.StringVar(&o.StateDir, "state", config.DefaultStateDir, "`directory` of the hotlist and the outbox")
	fs.StringVar(&o.Root, "root", "", "prepare the files of another board below this `folder`; nothing is tried, imported or started")
	fs.BoolVar(&o.Yes, "yes", false, "ask nobody: flags are the answers, and what is not given has its default")
	fs.BoolVar(&o.Force, "force", false, "with -yes: replace the files that are there")
	fs.BoolVar(&o.Untried, "untried", false, "try neither cameras nor broker")
	fs.BoolVar(&o.NoStart, "no-start", false, "write, import and check, but start nothing")
	fs.StringVar(&o.Name, "name", "", "`name` of the unit, unique in the fleet")
	fs.Var((*repeated)(&o.Cameras), "camera", "address, device or folder of a camera, or `name=source`; may be repeated")
	fs.Var((*repeated)(&o.CameraCredentials), "camera-credentials", "file with user:password of a camera, or `name=file`; may be repeated")
	fs.StringVar(&o.Picture, "picture", "", "keep the picture of the camera in this `file` (default: a place that goes away with the setup)")
	fs.StringVar(&o.Region, "region", "", regionUsage)
	fs.StringVar(&o.Broker, "broker", "", "`address` of the broker: mqtts://HOST:8883")
	fs.StringVar(&o.CA, "ca", "", "PEM `file` with the broker's authority (default: the system's)")
	fs.StringVar(&o.Cert, "cert", "", "PEM `file` with the unit's certificate")
	fs.StringVar(&o.Key, "key", "", "PEM `file` with the certificate's key")
	fs.StringVar(&o.User, "user", "", "user `name` at the broker")
	fs.StringVar(&o.PasswordFile, "password-file", "", "`file` with the password at the broker")
	fs.BoolVar(&o.Insecure, "insecure", false, "allow a broker on another machine without TLS")
	fs.Var((*repeated)(&o.Follow), "follow", "signed `list` to take from the broker; may be repeated")
	fs.Var((*repeated)(&o.Trust), "trust", "`file` with the public key of a signer; may be repeated")
	fs.Var((*repeated)(&o.Lists), "list", "file to import as a list, or `name=file`; may be repeated")
	if err := parse(fs, std, setupSynopsis, args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return usageError("setup takes no arguments", "give answers as flags: `platewatch setup -h`")
	}
	var err error
	if o.Program, err = os.Executable(); err != nil {
		return err
	}
	err = setup.Run(ctx, o)
	var refused *setup.Error
	if errors.As(err, &refused) && refused.Usage {
		return &failure{code: exitUsage, err: err, hint: refused.Hint()}
	}
	return err
}
