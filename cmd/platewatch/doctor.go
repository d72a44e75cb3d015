package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"platewatch/cmd/platewatch/internal/config"
	"platewatch/cmd/platewatch/internal/doctor"
	"platewatch/cmd/platewatch/internal/optics"
)

const doctorSynopsis = `[-config FILE] [-json] [-watch TIME]
       platewatch doctor -qr [-token FILE]
       platewatch doctor -optics [flags]

Checks a unit from its configuration to its server: each thing with what was
measured, what it should be, and what to do. While the daemon runs it is asked, and
no camera is opened. Run it as root, or as the service's user.

-qr prints where a phone finds the status page, the fingerprint of its certificate to
compare, and both as a QR code; with -token the code lets the phone in without typing.

-optics needs no unit: it computes what a camera will see of plates from its sensor,
its lens and its place, as a table and a drawing.

The exit code is 0 if nothing failed, 1 if something did, 3 if the configuration was
refused.
`

// runDoctor checks a unit.
func runDoctor(ctx context.Context, std stdio, args []string) error {
	fs := flag.NewFlagSet("doctor", flag.ContinueOnError)
	file := fs.String("config", config.DefaultFile, "configuration `file`")
	asJSON := fs.Bool("json", false, "print JSON")
	watch := fs.Duration("watch", 20*time.Second, "watch the cameras for this `time`")
	token := fs.String("token", "", "`file` with a token of the status page, where the configuration has only hashes")
	qr := fs.Bool("qr", false, "print the page's address and certificate, and a QR code that lets a phone in")
	lens := optics.AddFlags(fs)
	if err := parse(fs, std, doctorSynopsis, args); err != nil {
		return err
	}
	switch {
	case fs.NArg() > 0:
		return usageError("doctor takes no arguments", "name the configuration with -config FILE")
	case *watch < time.Second || *watch > 10*time.Minute:
		return usageError(fmt.Sprintf("-watch %s is out of range", *watch), "write a time from 1s to 10m")
	case *lens.Wanted:
		err := lens.Run(std.out, *asJSON)
		var bad *optics.Error
		if errors.As(err, &bad) {
			return usageError(bad.Text, bad.Advice)
		}
		return err
	case lens.Given(fs) != "":
		return usageError("-"+lens.Given(fs)+" is for -optics", "add -optics")
	}
	c, err := config.Load(*file, serviceEnvironment)
	var refused *config.Error
	if errors.As(err, &refused) {
		return &failure{code: exitConfig, err: err}
	}
	if err != nil {
		return err
	}
	if *qr {
		return doctor.WritePageCode(std.out, c, *token)
	}
	o := doctor.Options{Config: c, File: *file, Watch: *watch, TokenFile: *token}
	if !*asJSON {
		o.Begin, o.Found = doctorProgress(std)
	}
	report := doctor.Run(ctx, o)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if *asJSON {
		err = printJSON(std.out, report)
	} else {
		_, err = fmt.Fprintln(std.out)
		err = errors.Join(err, report.WriteSummary(std.out))
	}
	if err == nil && report.Level == doctor.Fail {
		err = &failure{code: exitFailed, err: fmt.Errorf("%d checks failed", report.Count(doctor.Fail)), hint: "each says what to do"}
	}
	return err
}

// doctorProgress prints findings as they come, and to a terminal what is being
// checked meanwhile.
func doctorProgress(std stdio) (begin func(string, time.Duration), found func(doctor.Finding)) {
	const width = 60
	erase := func() {}
	begin = func(string, time.Duration) {}
	if isTerminal(std.err) {
		erase = func() { fmt.Fprintf(std.err, "\r%s\r", strings.Repeat(" ", width)) }
		begin = func(about string, limit time.Duration) {
			fmt.Fprintf(std.err, "\r%-*.*s", width, width, fmt.Sprintf("checking %s (at most %s)", about, limit))
		}
	}
	return begin, func(f doctor.Finding) {
		erase()
		_ = f.Write(std.out) // a full disk shows again at the end
	}
}

// serviceEnvironment is the environment, with the folder of the running service's
// credentials where there is none: root, who runs a command, means those.
func serviceEnvironment(name string) string {
	const credentials = "/run/credentials/platewatch.service"
	value := os.Getenv(name)
	if value != "" || name != "CREDENTIALS_DIRECTORY" || os.Geteuid() != 0 {
		return value
	}
	if info, err := os.Stat(credentials); err == nil && info.IsDir() {
		return credentials
	}
	return ""
}
