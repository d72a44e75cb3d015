package hotlist

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"platewatch/hotlist/entry"
	"platewatch/hotlist/match"
)

const plateCharacters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// plateAt returns the i-th plate of a plausible list: two to three letters,
// three to four digits, all different.
func plateAt(i int) string {
	r := uint64(i) * 7_368_787 % (26 * 26 * 26 * 10000) // a permutation: the factor is a prime
	letters, digits := r/10000, r%10000
	return fmt.Sprintf("%c%c%c%04d", 'A'+letters/676, 'A'+letters/26%26, 'A'+letters%26, digits)
}

// listText returns a list of n entries as CSV.
func listText(n int) io.Reader {
	r, w := io.Pipe()
	go func() {
		fmt.Fprintln(w, "plate,state,category,expires,make,model,year,color,record,ori")
		for i := range n {
			_, err := fmt.Fprintf(w, "%s,CA,stolen vehicle,%s,FORD,MOD%d,%d,RED,V%09d,CA%07d\n",
				plateAt(i), []string{"", "", "2030-01-01"}[i%3], i%50, 1990+i%35, i, i%3000)
			if err != nil {
				return
			}
		}
		w.Close()
	}()
	return r
}

func sizes(b *testing.B) []int {
	if testing.Short() {
		return []int{10_000}
	}
	return []int{100_000, 1_000_000}
}

func benchDB(b *testing.B, n int) *DB {
	b.Helper()
	dir := b.TempDir()
	if _, err := Import(b.Context(), dir, listText(n), ImportOptions{List: "bench"}); err != nil {
		b.Fatal(err)
	}
	return openDB(b, dir)
}

func BenchmarkImport(b *testing.B) {
	for _, n := range sizes(b) {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if _, err := Import(b.Context(), b.TempDir(), listText(n), ImportOptions{List: "bench"}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, n := range sizes(b) {
		db := benchDB(b, n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				db, err := OpenReadOnly(db.dir, Options{})
				if err != nil {
					b.Fatal(err)
				}
				db.Close()
			}
		})
	}
}

// benchKinds are the ways to match that are timed, with the matching that
// makes all of each necessary: one character in full tries every change of the
// reading.
var benchKinds = []struct {
	name string
	how  match.Rules
	read func(text string, rng *rand.Rand) []match.Character
}{
	{"exact", match.Rules{}, readSurely},
	{"confusable", match.Rules{Confusable: true, MinProbability: 0.001}, readDoubtfully},
	{"one_character", match.Rules{Confusable: true, OneCharacter: true}, readDoubtfully},
}

func readSurely(text string, _ *rand.Rand) []match.Character {
	out := make([]match.Character, len(text))
	for i := range text {
		out[i] = match.Character{Text: text[i : i+1], Confidence: 0.999}
	}
	return out
}

// readDoubtfully reads two places with alternatives, as one plate in five is.
func readDoubtfully(text string, rng *rand.Rand) []match.Character {
	out := readSurely(text, rng)
	for range 2 {
		i := rng.IntN(len(text))
		out[i].Confidence = 0.8
		out[i].Alternatives = []match.Alternative{{Text: string(plateCharacters[rng.IntN(len(plateCharacters))]), Confidence: 0.1}, {Text: string(plateCharacters[rng.IntN(len(plateCharacters))]), Confidence: 0.02}}
	}
	return out
}

// BenchmarkMatch times look-ups in the file, beside a map that holds the whole
// list in memory and a scan of the file. Nine of ten plates are not listed.
func BenchmarkMatch(b *testing.B) {
	for _, n := range sizes(b) {
		dir := benchDB(b, n).dir
		rng := rand.New(rand.NewPCG(1, uint64(n)))
		texts := make([]string, 8192)
		for i := range texts {
			texts[i] = plateAt(n + rng.IntN(1000000))
			if i%10 == 0 {
				texts[i] = plateAt(rng.IntN(n))
			}
		}
		for _, kind := range benchKinds {
			db, err := Open(dir, matching(kind.how))
			if err != nil {
				b.Fatal(err)
			}
			queries := make([]match.Query, len(texts))
			for i, text := range texts {
				queries[i] = match.Query{Characters: kind.read(text, rng), At: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), ClockSynchronised: true}
			}
			b.Run(fmt.Sprintf("%d/bbolt/%s", n, kind.name), func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					k := i % len(queries)
					m, err := db.Match(queries[k])
					if err != nil || k%10 == 0 && len(m) == 0 {
						b.Fatalf("%d matches, %v", len(m), err)
					}
				}
				reportP99(b, db, queries)
			})
			db.Close()
		}
		db, err := Open(dir, strictly)
		if err != nil {
			b.Fatal(err)
		}
		benchNaive(b, db, n, texts)
		db.Close()
	}
}

// benchNaive times the obvious ways to do it: a map of the whole list in memory,
// which is asked for every text that the reading could stand for, and a scan of all
// entries. Both compare texts, and know no probability.
func benchNaive(b *testing.B, db *DB, n int, texts []string) {
	before := heapBytes()
	all := make(map[string][]entry.Entry, n)
	for e, err := range db.Entries(b.Context(), "bench") {
		if err != nil {
			b.Fatal(err)
		}
		all[entry.Fold(e.Plate)] = append(all[entry.Fold(e.Plate)], e)
	}
	heap := float64(heapBytes()-before) / 1e6
	for _, kind := range benchKinds {
		b.Run(fmt.Sprintf("%d/map/%s", n, kind.name), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				k := i % len(texts)
				found := 0
				variants(kind.how, entry.Fold(texts[k]), func(text []byte) { found += len(all[string(text)]) })
				if found == 0 && k%10 == 0 {
					b.Fatal("not found")
				}
			}
			b.ReportMetric(heap, "heap-MB")
		})
		b.Run(fmt.Sprintf("%d/scan/%s", n, kind.name), func(b *testing.B) {
			wanted := map[string]bool{}
			variants(kind.how, entry.Fold(texts[0]), func(text []byte) { wanted[string(text)] = true })
			for b.Loop() {
				found := 0
				err := db.lists[0].Each(b.Context(), func(e entry.Entry, _ []byte) bool {
					if wanted[entry.Fold(e.Plate)] {
						found++
					}
					return true
				})
				if err != nil || found == 0 {
					b.Fatal("not found", err)
				}
			}
		})
	}
	runtime.KeepAlive(all)
}

// variants calls use with a text and with what else it could be: one character
// taken for one that looks like it, or any one character wrong.
func variants(how match.Rules, text string, use func([]byte)) {
	use([]byte(text))
	b := []byte(text)
	for i, was := range b {
		for _, c := range []byte(plateCharacters) {
			if c != was && entry.FoldByte(c) == c && (how.OneCharacter || how.Confusable && match.DefaultConfusions().Confusable(was, c)) {
				b[i] = c
				use(b)
			}
		}
		b[i] = was
	}
}

// BenchmarkMatchWildcards times ten thousand patterns, beside asking each of them.
func BenchmarkMatchWildcards(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	var text strings.Builder
	text.WriteString("plate\n")
	var patterns []string
	for len(patterns) < 10_000 {
		p := []byte(plateAt(rng.IntN(1e6)))
		p[rng.IntN(len(p))] = '?'
		if rng.IntN(2) == 0 {
			p = append(p[:5], '*')
		}
		if rng.IntN(4) == 0 {
			p[0] = '?'
		}
		patterns = append(patterns, string(p))
		text.WriteString(string(p) + "\n")
	}
	dir := b.TempDir()
	if _, err := Import(b.Context(), dir, strings.NewReader(text.String()), ImportOptions{List: "bench"}); err != nil {
		b.Fatal(err)
	}
	db, err := Open(dir, matching(match.Rules{Confusable: true, Wildcards: true, MinProbability: 0.01}))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	queries := make([]match.Query, 4096)
	for i := range queries {
		queries[i] = match.Query{Characters: readDoubtfully(plateAt(rng.IntN(2e6)), rng), ClockSynchronised: true}
	}
	b.Run("10000/grouped", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := db.Match(queries[i%len(queries)]); err != nil {
				b.Fatal(err)
			}
		}
		reportP99(b, db, queries)
	})
	b.Run("10000/each", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			plate := plateAt(i)
			for _, p := range patterns {
				_, _ = path.Match(p, plate)
			}
		}
	})
}

func heapBytes() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// reportP99 times single lookups, in a pass of its own: by the clock, and by the
// processor time they took, which is the same on an idle machine as on a busy one.
func reportP99(b *testing.B, db *DB, queries []match.Query) {
	b.Helper()
	debug.FreeOSMemory() // what the import used
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	took, used := make([]time.Duration, len(queries)), make([]time.Duration, len(queries))
	for i := range queries {
		began, cpu := time.Now(), threadTime(b)
		if _, err := db.Match(queries[i]); err != nil {
			b.Fatal(err)
		}
		took[i], used[i] = time.Since(began), threadTime(b)-cpu
	}
	slices.Sort(took)
	slices.Sort(used)
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "p99-ns")
	b.ReportMetric(float64(used[len(used)*99/100].Nanoseconds()), "p99-cpu-ns")
	b.ReportMetric(residentMB(b), "anon-MB")
}

// threadTime is the processor time that this thread has used.
func threadTime(b *testing.B) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return time.Duration(t.Nano())
}

// residentMB returns the process's resident memory without mapped files.
func residentMB(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip(err)
	}
	for line := range strings.Lines(string(status)) {
		var kb float64
		if _, err := fmt.Sscanf(line, "RssAnon: %f kB", &kb); err == nil {
			return kb / 1024
		}
	}
	return 0
}
