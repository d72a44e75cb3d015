package status

import (
	"encoding/json"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/procfs"

	"platewatch/cmd/platewatch/internal/access"
	"platewatch/cmd/platewatch/internal/testdrive"
)

// snapshotAge is the time for which a document is reused.
const snapshotAge = 200 * time.Millisecond

// snapshot caches the unit's document and its JSON for [snapshotAge], so that many
// viewers cost the unit no more than one.
type snapshot struct {
	unit  Unit
	drive *testdrive.Drive // may be nil
	page  func() *Page

	mu    sync.Mutex
	taken time.Time
	doc   Document
	json  []byte // one line; shared, never modified
	less  []byte // the same without hits
}

// forRoles returns the document as some roles may see it, and its JSON.
func (s *snapshot) forRoles(roles access.Roles) (Document, []byte) {
	doc, text := s.get()
	if roles.Has(access.Hits) {
		return doc, text
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	doc.LastHits = []Hit{}
	if s.less == nil {
		s.less = encode(doc)
	}
	return doc, s.less
}

// get returns the document, not older than [snapshotAge]. Its slices are shared
// and must not be modified.
func (s *snapshot) get() (Document, []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.json != nil && time.Since(s.taken) < snapshotAge {
		return s.doc, s.json
	}
	doc := s.unit.Status()
	doc.Process = fillProcess(doc.Process)
	// Empty lists are [] in JSON, not null.
	if doc.Cameras == nil {
		doc.Cameras = []Camera{}
	}
	if doc.LastHits == nil {
		doc.LastHits = []Hit{}
	}
	if doc.Hotlist.Lists == nil {
		doc.Hotlist.Lists = []List{}
	}
	doc.TestDrive, doc.Page = testDrive(s.drive), s.page()
	doc.Condition = Judge(&doc)
	s.doc, s.json, s.less, s.taken = doc, encode(doc), nil, time.Now()
	return doc, s.json
}

func encode(doc Document) []byte {
	b, err := json.Marshal(doc)
	if err != nil { // a number that JSON cannot express, such as a confidence of NaN
		b, _ = json.Marshal(map[string]string{"unit": doc.Unit, "error": "the document cannot be encoded: " + err.Error()})
	}
	return b
}

// fillProcess fills in what the unit left zero.
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

// residentMemory is the resident memory of this process in bytes; 0 if it cannot
// be read.
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
