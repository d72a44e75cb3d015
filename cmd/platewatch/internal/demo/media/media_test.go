package media

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"platewatch/ocr/render"
	"platewatch/ocr/rendertest"
	"platewatch/ocr/scenes"
)

// The truth beside the clip is that of the specification it was made from.
func TestTruth(t *testing.T) {
	spec, hot := scenes.Road()
	truths := rendertest.Truths(t, spec)
	if d := cmp.Diff(string(scenes.RoadTruth(spec, hot, truths)), string(Truth)); d != "" {
		t.Errorf("road.tsv is stale, run go generate (-specified +committed):\n%s", d)
	}
	if spec.FPS != RoadFPS {
		t.Errorf("RoadFPS is %d, the clip's rate %g", RoadFPS, spec.FPS)
	}
}

// Exactly the hot plates are on the hotlist, one of them only when O and 0
// count as the same.
func TestHotlist(t *testing.T) {
	rows, err := csv.NewReader(bytes.NewReader(Hotlist)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff("plate,state,type,category,priority,make,model,colour,handling,record,agency", strings.Join(rows[0], ",")); d != "" {
		t.Error(d)
	}
	if len(rows) != 41 {
		t.Errorf("%d entries, want 40", len(rows)-1)
	}
	fold := strings.NewReplacer("O", "0", "I", "1").Replace
	exact, folded := map[string]bool{}, map[string]bool{}
	for _, r := range rows[1:] {
		if exact[r[0]] {
			t.Errorf("%s is listed twice", r[0])
		}
		exact[r[0]], folded[fold(r[0])] = true, true
	}
	onlyFolded := 0
	for _, line := range strings.Split(strings.TrimSpace(string(Truth)), "\n")[1:] {
		f := strings.Split(line, "\t")
		if got := folded[fold(f[1])]; got != (f[4] == "yes") {
			t.Errorf("%s: on the list %t, the truth says hot: %s", f[1], got, f[4])
		}
		if folded[fold(f[1])] && !exact[f[1]] {
			onlyFolded++
		}
	}
	if onlyFolded != 1 {
		t.Errorf("%d plates match only folded, want 1", onlyFolded)
	}
}

// The clip is what the RTSP server needs: Annex-B, main profile or simpler, an
// access unit delimiter before each of the 700 pictures, a key frame a second.
func TestRoadStream(t *testing.T) {
	if len(Road) > 2_500_000 {
		t.Errorf("the clip has %d bytes, want at most 2500000", len(Road))
	}
	count := map[byte]int{}
	for i := 0; i+4 < len(Road); i++ {
		if Road[i] == 0 && Road[i+1] == 0 && Road[i+2] == 1 {
			typ := Road[i+3] & 31
			count[typ]++
			if typ == 7 && Road[i+4] != 77 && Road[i+4] != 66 {
				t.Fatalf("profile %d, want 77 (main) or 66 (baseline)", Road[i+4])
			}
			i += 3
		}
	}
	const aud, idr, slice = 9, 5, 1
	if n := len(truthFrames(t)); count[aud] != n || count[idr]+count[slice] != n || count[idr] != n/RoadFPS {
		t.Errorf("%d delimiters, %d key and %d other slices for %d frames", count[aud], count[idr], count[slice], n)
	}
}

func truthFrames(t *testing.T) []render.FrameTruth {
	spec, _ := scenes.Road()
	f := rendertest.Truths(t, spec)
	return f
}
