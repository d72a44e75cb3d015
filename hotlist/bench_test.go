package hotlist

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

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

// BenchmarkMatch compares a lookup in the file with one in a map that holds
// the whole list in memory, and with a scan of the file.
func BenchmarkMatch(b *testing.B) {
	for _, n := range sizes(b) {
		db := benchDB(b, n)
		rng := rand.New(rand.NewPCG(1, uint64(n)))
		queries := make([]string, 4096)
		for i := range queries {
			queries[i] = plateAt(rng.IntN(n))
		}
		misses := make([]string, len(queries))
		for i := range misses {
			misses[i] = plateAt(n + rng.IntN(1000000))
		}
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		for _, c := range []struct {
			name string
			text []string
			want int
		}{{"hit", queries, 1}, {"miss", misses, 0}} {
			b.Run(fmt.Sprintf("%d/bbolt/%s", n, c.name), func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					m, err := db.Match(Query{Text: c.text[i%len(c.text)], At: at, ClockSynchronised: true})
					if err != nil || len(m) != c.want {
						b.Fatalf("%d matches, %v", len(m), err)
					}
				}
				reportP99(b, db, c.text, at)
			})
		}
		b.Run(fmt.Sprintf("%d/map/hit", n), func(b *testing.B) {
			before := heapBytes()
			m := make(map[string][]Entry, n)
			for e, err := range db.Entries(b.Context(), "bench") {
				if err != nil {
					b.Fatal(err)
				}
				m[Fold(e.Plate)] = append(m[Fold(e.Plate)], e)
			}
			b.ReportMetric(float64(heapBytes()-before)/1e6, "heap-MB")
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if len(m[Fold(queries[i%len(queries)])]) != 1 {
					b.Fatal("not found")
				}
			}
		})
		b.Run(fmt.Sprintf("%d/scan/hit", n), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				found := 0
				for e, err := range db.Entries(b.Context(), "bench") {
					if err != nil {
						b.Fatal(err)
					}
					if Fold(e.Plate) == Fold(queries[i%len(queries)]) {
						found++
					}
				}
				if found != 1 {
					b.Fatal("not found")
				}
			}
		})
	}
}

func heapBytes() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// reportP99 times single lookups, in a pass of its own.
func reportP99(b *testing.B, db *DB, texts []string, at time.Time) {
	b.Helper()
	took := make([]time.Duration, len(texts))
	for i, text := range texts {
		began := time.Now()
		if _, err := db.Match(Query{Text: text, At: at, ClockSynchronised: true}); err != nil {
			b.Fatal(err)
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "p99-ns")
	b.ReportMetric(residentMB(b), "anon-MB")
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
