package ocr

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"gocv.io/x/gocv"

	"platewatch/ocr/find"
	"platewatch/ocr/read"
	"platewatch/ocr/rectify"
	"platewatch/ocr/truth"
)

// benchSets are the folders that the benchmarks run over: the rendered scenes
// always, the labelled frames where they are.
var benchSets = []struct{ name, dir string }{
	{"rendered", "render/testdata/plates"},
	{"eu", "../../shared/data/frames/eu"},
	{"us", "../../shared/data/frames/us"},
	{"br", "../../shared/data/frames/br"},
}

// eachFrame calls use with every picture of a folder, decoded. The benchmark's
// clock stands still while it decodes.
func eachFrame(b *testing.B, dir string, use func(bgr gocv.Mat)) {
	b.Helper()
	set, err := truth.Open(filepath.FromSlash(dir))
	if os.IsNotExist(err) {
		b.Skip("the labelled pictures are not here")
	}
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, f := range set.Files {
			b.StopTimer()
			m := gocv.IMRead(filepath.Join(set.Dir, f.Name), gocv.IMReadColor)
			b.StartTimer()
			use(m)
			m.Close()
		}
	}
}

// processCPU is the processor time of the whole process so far: what a frame
// costs, however busy the machine is.
func processCPU(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func inMS(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// quantile sorts took.
func quantile(took []time.Duration, q float64) float64 {
	slices.Sort(took)
	return inMS(took[min(len(took)-1, int(q*float64(len(took))))])
}

// BenchmarkRecognise is a frame's way from pixels to text: one operation is
// one pass over a folder.
func BenchmarkRecognise(b *testing.B) {
	for _, set := range benchSets {
		b.Run(set.name, func(b *testing.B) {
			r := open(b)
			var wall, cpu []time.Duration
			var finding, reading time.Duration
			candidates := 0
			eachFrame(b, set.dir, func(bgr gocv.Mat) {
				before, start := processCPU(b), time.Now()
				res, err := r.Recognise(b.Context(), bgr)
				if err != nil {
					b.Fatal(err)
				}
				wall = append(wall, time.Since(start))
				cpu = append(cpu, processCPU(b)-before)
				finding += res.Find
				reading += res.Read
				candidates += res.Candidates
			})
			n := float64(len(wall))
			b.ReportMetric(inMS(finding)/n, "find-ms/frame")
			b.ReportMetric(inMS(reading)/n, "read-ms/frame")
			b.ReportMetric(float64(candidates)/n, "candidates/frame")
			b.ReportMetric(quantile(wall, 0.5), "median-ms")
			b.ReportMetric(quantile(wall, 0.95), "p95-ms")
			b.ReportMetric(quantile(cpu, 0.5), "median-cpu-ms")
			b.ReportMetric(quantile(cpu, 0.95), "p95-cpu-ms")
		})
	}
}

// BenchmarkStages takes the frames' first candidates through one stage after
// the other, and says what each costs a candidate.
func BenchmarkStages(b *testing.B) {
	for _, set := range benchSets {
		b.Run(set.name, func(b *testing.B) {
			r := open(b)
			var frames, candidates, looks float64
			var finding, level, lines, reading time.Duration
			grey := gocv.NewMat()
			defer grey.Close()
			eachFrame(b, set.dir, func(bgr gocv.Mat) {
				frames++
				gocv.CvtColor(bgr, &grey, gocv.ColorBGRToGray)
				start := time.Now()
				found, err := r.finder.Find(grey, nil)
				if err != nil {
					b.Fatal(err)
				}
				finding += time.Since(start)
				for _, c := range found[:min(len(found), 2)] {
					candidates++
					n, took := stagesOf(b, r, grey, c)
					looks += float64(n)
					level += took[0]
					lines += took[1]
					reading += took[2]
				}
			})
			b.ReportMetric(inMS(finding)/frames, "find-ms/frame")
			b.ReportMetric(inMS(level)/candidates, "level-ms/candidate")
			b.ReportMetric(inMS(lines)/candidates, "lines-ms/candidate")
			b.ReportMetric(inMS(reading-lines)/max(1, looks), "look-ms/look")
			b.ReportMetric(looks/candidates, "looks/candidate")
		})
	}
}

// stagesOf times levelling a candidate, finding its lines, and reading it
// (which finds the lines once more).
func stagesOf(b *testing.B, r *Recogniser, grey gocv.Mat, c find.Candidate) (looks int, took [3]time.Duration) {
	start := time.Now()
	level, err := rectify.Level(grey, c)
	if err != nil {
		return 0, took
	}
	defer level.Close()
	levelled := time.Now()
	lines, err := level.Lines()
	if err != nil {
		b.Fatal(err)
	}
	lined := time.Now()
	result, ok, err := r.reader.Read(b.Context(), level, lines, read.Effort{Least: read.LeastAlone}, nil)
	if err != nil {
		b.Fatal(err)
	}
	if !ok {
		result.Looks = 3
	}
	return result.Looks, [3]time.Duration{levelled.Sub(start), lined.Sub(levelled), time.Since(lined)}
}
