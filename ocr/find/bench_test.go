package find

import (
	"os"
	"path/filepath"
	"testing"

	"gocv.io/x/gocv"

	"platewatch/ocr/truth"
)

// BenchmarkFind searches a folder of pictures: the rendered scenes always, the
// labelled frames where they are.
func BenchmarkFind(b *testing.B) {
	for _, dir := range []string{"../render/testdata/plates", "../../../shared/data/frames/eu", "../../../shared/data/frames/us", "../../../shared/data/frames/br"} {
		b.Run(filepath.Base(dir), func(b *testing.B) {
			set, err := truth.Open(filepath.FromSlash(dir))
			if os.IsNotExist(err) {
				b.Skip("the labelled pictures are not here")
			}
			if err != nil {
				b.Fatal(err)
			}
			var frames []gocv.Mat
			for _, f := range set.Files {
				m := gocv.IMRead(filepath.Join(set.Dir, f.Name), gocv.IMReadGrayScale)
				defer m.Close()
				frames = append(frames, m)
			}
			f, err := New(DefaultParams())
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				for _, m := range frames {
					if _, err := f.Find(m, nil); err != nil {
						b.Fatal(err)
					}
					n++
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(n), "ms/frame")
		})
	}
}
