// Command cost counts the instructions that pictures cost, to decode, to find the
// plates and to read them, on amd64 (callgrind) and arm64 (qemu with the plugin of
// this folder). The counts do not depend on the load of the machine, and are the
// same to 1 % in each run. They are compared with those in a table.
//
//	go run ./ocr/cmd/cost                         the fixed pictures against ocr/cost.tsv
//	go run ./ocr/cmd/cost -update                 writes the table anew
//	go run ./ocr/cmd/cost [-region eu] PICTURE …  pictures of your own; nothing is compared
//	go run ./ocr/cmd/cost -on amd64               only there: no cross compiler is needed
//
// It runs in the root of the repository, and needs valgrind, and for arm64
// qemu-user and what `make deb` needs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	table  = "ocr/cost.tsv"
	folder = "build/cost"
	stills = "ocr/render/testdata/plates"
	// tolerance is how far a count may rise above the table.
	tolerance = 0.01
)

// fixed are the pictures that are compared: rendered, near and far, by day and at
// night, of three sizes, and one without a plate.
var fixed = []string{"eu-nl-day", "eu-se-night", "uk-rear", "us-ca", "us-co-far", "br-mercosul", "none-street"}

// row is what a picture costs on a processor, in instructions by part.
type row struct {
	processor, picture string
	parts              map[string]float64
}

// columns of the table, in millions of instructions. What reading costs is the
// whole without finding; describe is done twice a passage at most, on its best views.
var columns = []string{"decode", "find", "read", "whole", "describe"}

func (r row) value(column string) float64 {
	if column == "read" {
		return r.parts["whole"] - r.parts["find"]
	}
	return r.parts[column]
}

func main() {
	update := flag.Bool("update", false, "write "+table+" anew")
	on := flag.String("on", "amd64,arm64", "the `processors`")
	region := flag.String("region", "", "whose plates to expect, as in the configuration")
	inside := flag.Bool("steps", false, "do the work that is counted, and nothing else")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	var err error
	if *inside {
		err = steps(*region, flag.Args())
	} else {
		err = run(ctx, strings.Split(*on, ","), *region, flag.Args(), *update)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cost:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, processors []string, region string, pictures []string, update bool) error {
	compared := len(pictures) == 0 && region == ""
	if len(pictures) == 0 {
		for _, name := range fixed {
			pictures = append(pictures, filepath.Join(stills, name+".jpg"))
		}
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	var rows []row
	for _, p := range processors {
		counts, err := count(ctx, p, region, pictures)
		if err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		for i, picture := range pictures {
			r := row{p, strings.TrimSuffix(filepath.Base(picture), ".jpg"), map[string]float64{}}
			for j, part := range parts {
				r.parts[part] = counts[i*len(parts)+j] / 1e6
			}
			rows = append(rows, r)
		}
	}
	text := format(rows)
	fmt.Print(text)
	switch {
	case !compared:
		return nil
	case update:
		return os.WriteFile(table, []byte(text), 0o644)
	}
	committed, err := os.ReadFile(table)
	if err != nil {
		return err
	}
	return compare(string(committed), text)
}

// format is the table: tab separated, a row for each processor and picture.
func format(rows []row) string {
	var b strings.Builder
	b.WriteString("processor\tpicture\t" + strings.Join(columns, "\t") + "\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "%s\t%s", r.processor, r.picture)
		for _, c := range columns {
			fmt.Fprintf(&b, "\t%.1f", r.value(c))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// compare says what costs more than in the table that is committed. Below a million
// instructions a difference says nothing.
func compare(committed, now string) error {
	was := map[string][]string{}
	for line := range strings.Lines(committed) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		was[strings.Join(f[:min(2, len(f))], "\t")] = f
	}
	var risen []error
	var less int
	for line := range strings.Lines(now) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		old := was[f[0]+"\t"+f[1]]
		if len(old) != len(f) {
			risen = append(risen, fmt.Errorf("%s %s is not in %s", f[0], f[1], table))
			continue
		}
		for i, column := range columns {
			a, errA := strconv.ParseFloat(old[2+i], 64)
			b, errB := strconv.ParseFloat(f[2+i], 64)
			if errA != nil || errB != nil {
				continue // the head
			}
			switch {
			case b > a*(1+tolerance)+1:
				risen = append(risen, fmt.Errorf("%s: %s costs %.1f million instructions to %s, %.1f %% more than the %.1f of the table",
					f[0], f[1], b, column, 100*(b/a-1), a))
			case b < a*(1-tolerance)-1:
				less++
			}
		}
	}
	if less > 0 {
		fmt.Printf("%d counts are more than 1 %% below %s: go run ./ocr/cmd/cost -update keeps the gain\n", less, table)
	}
	if len(risen) > 0 {
		risen = append(risen, errors.New("if that is meant to be so, go run ./ocr/cmd/cost -update"))
		return errors.Join(risen...)
	}
	fmt.Printf("no count is more than 1 %% above %s\n", table)
	return nil
}

// count runs the steps on a processor and gives the instructions of each part of
// each picture.
func count(ctx context.Context, processor, region string, pictures []string) ([]float64, error) {
	args := append([]string{"-steps", "-region", region}, pictures...)
	var counts []float64
	var err error
	switch processor {
	case "amd64":
		counts, err = countAMD64(ctx, args)
	case "arm64":
		counts, err = countARM64(ctx, args)
	default:
		return nil, errors.New("only amd64 and arm64 can be counted")
	}
	if err == nil && len(counts) != len(parts)*len(pictures) {
		err = fmt.Errorf("%d counts for %d pictures, want %d each", len(counts), len(pictures), len(parts))
	}
	return counts, err
}

// quiet keeps everything on one thread that could depend on time or on the
// number of cores.
var quiet = []string{"GOGC=off", "GOMAXPROCS=1", "GODEBUG=asyncpreemptoff=1,cpu.rdtscp=off", "OPENCV_FOR_THREADS_NUM=1", "OMP_THREAD_LIMIT=1"}

func command(ctx context.Context, env []string, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	c.Env = slices.Concat(os.Environ(), env)
	out, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

// countAMD64 has callgrind write a file at each mark.
func countAMD64(ctx context.Context, args []string) ([]float64, error) {
	program := filepath.Join(folder, "amd64", "cost")
	if err := command(ctx, []string{"GOARCH=amd64"}, "go", "build", "-o", program, "./ocr/cmd/cost"); err != nil {
		return nil, err
	}
	out := filepath.Join(folder, "callgrind")
	old, _ := filepath.Glob(out + "*")
	for _, f := range old {
		if err := os.Remove(f); err != nil {
			return nil, err
		}
	}
	if err := command(ctx, quiet, "valgrind", append([]string{"--tool=callgrind", "--callgrind-out-file=" + out,
		"--dump-before=main.mark", program}, args...)...); err != nil {
		return nil, err
	}
	var counts []float64
	for n := 1; ; n++ {
		text, err := os.ReadFile(fmt.Sprintf("%s.%d", out, n))
		if errors.Is(err, os.ErrNotExist) {
			return counts, nil
		}
		if err != nil {
			return nil, err
		}
		_, total, _ := strings.Cut(string(text), "\ntotals: ")
		total, _, _ = strings.Cut(total, "\n")
		v, err := strconv.ParseFloat(total, 64)
		if err != nil {
			return nil, fmt.Errorf("callgrind's file has no total: %w", err)
		}
		counts = append(counts, v)
	}
}

// countARM64 runs the steps under qemu with the plugin.
func countARM64(ctx context.Context, args []string) ([]float64, error) {
	if err := command(ctx, nil, "go", "run", "./deploy/tools/deb", "-build", "./ocr/cmd/cost", "-to", filepath.Join(folder, "arm64"), "bookworm/arm64"); err != nil {
		return nil, err
	}
	plugin, err := filepath.Abs(filepath.Join(folder, "count.so"))
	if err != nil {
		return nil, err
	}
	if err := command(ctx, nil, "cc", "-O2", "-shared", "-fPIC", "-o", plugin, "ocr/cmd/cost/plugin/count.c"); err != nil {
		return nil, err
	}
	file := filepath.Join(folder, "counts")
	const sysroot = "build/sysroot/bookworm-arm64"
	const libraries = "/usr/lib/aarch64-linux-gnu"
	env := append([]string{"PLATEWATCH_COUNTS=" + file, "QEMU_LD_PREFIX=" + sysroot, "QEMU_PLUGIN=" + plugin,
		"QEMU_SET_ENV=LD_LIBRARY_PATH=" + libraries + "/blas:" + libraries + "/lapack"}, quiet...)
	if err := command(ctx, env, "qemu-aarch64", append([]string{filepath.Join(folder, "arm64", "cost")}, args...)...); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var counts []float64
	for _, f := range strings.Fields(string(text)) {
		v, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return nil, err
		}
		counts = append(counts, v)
	}
	return counts, nil
}
