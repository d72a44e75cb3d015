package status

import (
	"encoding/json"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/procfs"
)

// snapshotAge is how long one document serves everybody who asks.
const snapshotAge = 200 * time.Millisecond

// snapshot asks the unit for its document, and keeps it and its JSON for a
// moment, so that many viewers cost the unit no more than one.
type snapshot struct {
	unit Unit

	mu    sync.Mutex
	taken time.Time
	doc   Document
	json  []byte // one line; shared: never changed after it was made
}

// get returns the document, not older than [snapshotAge]. Its slices are
// shared: read only.
func (s *snapshot) get() (Document, []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.json != nil && time.Since(s.taken) < snapshotAge {
		return s.doc, s.json
	}
	doc := s.unit.Status()
	doc.Process = fillProcess(doc.Process)
	// Empty lists are lists, for whoever reads the JSON.
	if doc.Cameras == nil {
		doc.Cameras = []Camera{}
	}
	if doc.LastHits == nil {
		doc.LastHits = []Hit{}
	}
	if doc.Hotlist.Lists == nil {
		doc.Hotlist.Lists = []List{}
	}
	b, err := json.Marshal(doc)
	if err != nil { // a number that JSON does not have, as a confidence of NaN
		b, _ = json.Marshal(map[string]string{"unit": doc.Unit, "error": "the document cannot be written: " + err.Error()})
	}
	s.doc, s.json, s.taken = doc, b, time.Now()
	return doc, b
}

// fillProcess completes what a unit need not know about its own process.
func fillProcess(p Process) Process {
	if p.Memory == 0 {
		p.Memory = residentMemory()
	}
	if p.Heap == 0 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		p.Heap = m.HeapAlloc
	}
	if p.Goroutines == 0 {
		p.Goroutines = runtime.NumGoroutine()
	}
	return p
}

// residentMemory is what this process has resident, in bytes; 0 where the kernel
// does not tell.
func residentMemory() uint64 {
	p, err := procfs.Self()
	if err != nil {
		return 0
	}
	s, err := p.NewStatus()
	if err != nil {
		return 0
	}
	return s.VmRSS
}
