// Command deb makes the Debian packages of platewatch: one for each release of
// Debian and each processor, cross-built against a folder of that release's
// libraries, which deploy/package/sysroot makes, and with the part of OpenCV that is
// needed inside, which deploy/package/opencv builds.
//
//	go run ./deploy/tools/deb                              the usual ones: see targets
//	go run ./deploy/tools/deb bookworm/arm64 trixie/amd64  some of them
//	go run ./deploy/tools/deb -build PACKAGE -to FOLDER bookworm/arm64
//	                                                       only cross-builds another program
//
// The packages lie in build/deb. The same commit gives the same bytes: times in
// the package are the commit's, or SOURCE_DATE_EPOCH. What the package holds
// stands in deploy/package/platewatch.yaml, its version in deploy/CHANGELOG.md, and
// which packages it depends on follows from the libraries that the programs are
// linked with.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"platewatch/deploy"
)

// nfpm writes the packages. It runs as a command of its own, because its
// modules would be more than all of this project's.
const nfpm = "github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.0"

// release is a release of Debian.
type release struct {
	suffix     string // of the version: an update of Debian brings a higher one
	unitFolder string // where packages of this release have their service files
	linker     string // further options of the linker
}

var releases = map[string]release{
	"bookworm": {suffix: "+deb12", unitFolder: "/lib/systemd/system"},
	// Its libraries name symbols of others that lie in no folder of the search.
	"trixie": {suffix: "+deb13", unitFolder: "/usr/lib/systemd/system", linker: " -Wl,--allow-shlib-undefined"},
}

// processor is one that packages are made for.
type processor struct {
	triplet string   // of Debian's cross compiler and library folder
	env     []string // for the go command
}

var processors = map[string]processor{
	"amd64": {"x86_64-linux-gnu", []string{"GOARCH=amd64"}},
	"arm64": {"aarch64-linux-gnu", []string{"GOARCH=arm64"}},
	"armhf": {"arm-linux-gnueabihf", []string{"GOARCH=arm", "GOARM=7"}},
}

// targets are made when none is named.
var targets = []string{"bookworm/arm64", "bookworm/amd64", "bookworm/armhf", "trixie/arm64", "trixie/amd64", "trixie/armhf"}

func main() {
	program := flag.String("build", "", "cross-build this `package`, a command, and make no Debian package")
	to := flag.String("to", "build/deb", "with -build, the `folder` of the program")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, flag.Args(), *program, *to)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "deb:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, wanted []string, program, to string) error {
	root, err := output(ctx, "go", "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return err
	}
	if err := os.Chdir(root); err != nil {
		return err
	}
	if len(wanted) == 0 {
		wanted = targets
	}
	for _, target := range wanted {
		r, p, _ := strings.Cut(target, "/")
		if releases[r].suffix == "" || processors[p].triplet == "" {
			return fmt.Errorf("there is no package %q; there are %s", target, strings.Join(targets, ", "))
		}
	}
	if program != "" {
		for _, target := range wanted {
			sysroot, err := librariesOf(ctx, target)
			if err == nil {
				_, err = crossBuild(ctx, target, sysroot, to, nil, program)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", target, err)
			}
		}
		return nil
	}
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		if epoch, err = output(ctx, "git", "log", "-1", "--format=%ct"); err != nil {
			return err
		}
	}
	made, err := documents(ctx)
	if err != nil {
		return err
	}
	var all error
	for _, target := range wanted {
		file, err := makePackage(ctx, target, made, epoch)
		if err != nil {
			all = errors.Join(all, fmt.Errorf("%s: %w", target, err))
			continue
		}
		fmt.Println(file)
	}
	return all
}

// description is what deploy/package/platewatch.yaml is filled in with.
type description struct {
	Architecture, Version, UnitFolder string
	Made                              string // folder of what documents made
	OpenCV, OpenCVCopyright           string // version of the source inside, and its file
	Programs, Depends                 []string
}

// makePackage builds the programs for one target and packs them.
func makePackage(ctx context.Context, target, made, epoch string) (string, error) {
	packages, err := filepath.Glob("cmd/platewatch*")
	if err != nil {
		return "", err
	}
	for i, p := range packages {
		packages[i] = "./" + p
	}
	r, arch, _ := strings.Cut(target, "/")
	release := releases[r]
	d := description{Architecture: arch, Version: debianVersion(deploy.Version()) + release.suffix, UnitFolder: release.unitFolder, Made: made}
	sysroot, err := librariesOf(ctx, target)
	if err != nil {
		return "", err
	}
	env, err := ownOpenCV(ctx, target, sysroot, &d)
	if err != nil {
		return "", err
	}
	if d.Programs, err = crossBuild(ctx, target, sysroot, filepath.Join("build", "deb", r+"-"+arch), env, packages...); err != nil {
		return "", err
	}
	if d.Depends, err = dependencies(d.Programs, filepath.Join(sysroot, "shlibs")); err != nil {
		return "", err
	}
	return pack(ctx, d, epoch)
}

// debianVersion orders "0.4.0-dev" before "0.4.0", as Debian compares versions.
func debianVersion(version string) string { return strings.Replace(version, "-", "~", 1) }

// ownOpenCV builds the part of OpenCV that goes into the programs, where it is missing,
// tells the description of it, and gives the environment that crossBuild links it with.
func ownOpenCV(ctx context.Context, target, sysroot string, d *description) ([]string, error) {
	name, arch, _ := strings.Cut(target, "/")
	if err := command(ctx, nil, filepath.Join("deploy", "package", "opencv"), name, arch, sysroot).Run(); err != nil {
		return nil, fmt.Errorf("OpenCV: %w", err)
	}
	folder := filepath.Join(sysroot, "opencv")
	made, err := os.ReadFile(filepath.Join(folder, "complete"))
	if err != nil {
		return nil, err
	}
	version, err := os.ReadFile(filepath.Join(folder, "version"))
	if err != nil {
		return nil, err
	}
	d.OpenCV, d.OpenCVCopyright = strings.TrimSpace(string(version)), filepath.Join(folder, "copyright")
	libraries, linker := searched(target, sysroot)
	return []string{
		"PKG_CONFIG_LIBDIR=" + folder + ":" + libraries,
		// gocv binds modules of OpenCV that nobody calls and that were not built: the
		// linker leaves those functions out, and asks for nothing that only they need.
		// The name is for Go's cache, which does not notice that a library has changed.
		fmt.Sprintf("CGO_CXXFLAGS=-O2 -g -ffunction-sections -fdata-sections -DOPENCV_BUILD_%.16s", made),
		"CGO_LDFLAGS=-L" + folder + " " + linker + " -Wl,--gc-sections", // before Debian's OpenCV
	}, nil
}

// librariesOf makes the libraries of the target where they are missing, and gives their
// folder.
func librariesOf(ctx context.Context, target string) (string, error) {
	name, arch, _ := strings.Cut(target, "/")
	sysroot, err := filepath.Abs(filepath.Join("build", "sysroot", name+"-"+arch))
	if err != nil {
		return "", err
	}
	if err := command(ctx, nil, filepath.Join("deploy", "package", "sysroot"), name, arch, sysroot).Run(); err != nil {
		return "", fmt.Errorf("the libraries: %w", err)
	}
	return sysroot, nil
}

// searched is where pkg-config looks for libraries, and the options of the linker.
func searched(target, sysroot string) (libraries, linker string) {
	name, arch, _ := strings.Cut(target, "/")
	folder := filepath.Join(sysroot, "usr", "lib", processors[arch].triplet)
	// OpenCV needs BLAS and LAPACK, which lie in folders of their own.
	return folder + "/pkgconfig:" + sysroot + "/usr/share/pkgconfig",
		// -L, because a compiler for this machine's own processor looks for the C library on
		// this machine first.
		fmt.Sprintf("-O2 -L%s -Wl,-rpath-link,%[1]s:%[1]s/blas:%[1]s/lapack%s", folder, releases[name].linker)
}

// crossBuild builds commands into the folder, against the libraries of the target and
// with more in the environment, and gives the programs.
func crossBuild(ctx context.Context, target, sysroot, folder string, more []string, packages ...string) (programs []string, err error) {
	_, arch, _ := strings.Cut(target, "/")
	p := processors[arch]
	libraries, linker := searched(target, sysroot)
	env := slices.Concat([]string{
		"CGO_ENABLED=1", "GOOS=linux", "GOFLAGS=",
		fmt.Sprintf("CC=%s-gcc --sysroot=%s", p.triplet, sysroot),
		fmt.Sprintf("CXX=%s-g++ --sysroot=%s", p.triplet, sysroot),
		"PKG_CONFIG_SYSROOT_DIR=" + sysroot,
		"PKG_CONFIG_LIBDIR=" + libraries,
		"CGO_LDFLAGS=" + linker,
	}, p.env, more)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	args := []string{"build", "-trimpath", "-ldflags=-s -w -buildid=", "-o", folder + "/"}
	for _, pkg := range packages {
		args = append(args, pkg)
		programs = append(programs, filepath.Join(folder, filepath.Base(pkg)))
	}
	if err := command(ctx, env, "go", args...).Run(); err != nil {
		return nil, fmt.Errorf("go build: %w", err)
	}
	return programs, nil
}

// pack has nfpm write the package that deploy/package/platewatch.yaml describes, and
// gives its path.
func pack(ctx context.Context, d description, epoch string) (string, error) {
	text, err := template.ParseFiles(filepath.Join("deploy", "package", "platewatch.yaml"))
	if err != nil {
		return "", err
	}
	var filled bytes.Buffer
	if err := text.Execute(&filled, d); err != nil {
		return "", err
	}
	file := filepath.Join("build", "deb", fmt.Sprintf("platewatch_%s_%s.deb", d.Version, d.Architecture))
	listing := strings.TrimSuffix(file, ".deb") + ".yaml"
	if err := os.WriteFile(listing, filled.Bytes(), 0o644); err != nil {
		return "", err
	}
	c := command(ctx, []string{"SOURCE_DATE_EPOCH=" + epoch}, "go", "run", nfpm, "package", "--config", listing, "--packager", "deb", "--target", file)
	c.Stdout = nil
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("nfpm: %w", err)
	}
	return file, nil
}

// command runs a program whose output people see, with more in its environment.
func command(ctx context.Context, env []string, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, name, args...)
	c.Env = slices.Concat(os.Environ(), env)
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	return c
}

// output is what a program prints, without the last line's end.
func output(ctx context.Context, name string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}
