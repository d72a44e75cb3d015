package uplink

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"platewatch/uplink/faults"
)

// The kernel turns the file system read-only while the unit runs, after an
// error of the disk: hits are accepted and delivered, and are on disk once it
// is mounted again, without a restart.
func TestReadOnlyRemountWhileRunning(t *testing.T) {
	disk := newSmallDisk(t)
	path := filepath.Join(disk.dir, "outbox.db")
	o := openTestOutbox(t, path, OutboxOptions{MaintainEvery: 50 * time.Millisecond})
	ids := []string{mustAccept(t, o, withPictures(testHit("A"), 4_000, 40_000))}
	disk.fail()
	for i := range 20 {
		ids = append(ids, mustAccept(t, o, withPictures(testHit(fmt.Sprintf("B%d", i)), 4_000, 40_000)))
	}
	if s := o.Stats(); s.Unsaved != 20 || s.DiskProblem == "" || s.Entries != 21 {
		t.Errorf("stats: %+v", s)
	}
	p := newProxy(t, newMosquitto(t, "allow_anonymous true\n").addr())
	c, stop := startClient(t, o, ClientConfig{Brokers: []Broker{{URL: p.url()}}})
	waitEmpty(t, c, o)
	stop()
	wantDelivered(t, p, ids)
	var want []string
	for i := range 20 {
		want = append(want, mustAccept(t, o, testHit(fmt.Sprintf("C%d", i)))+"/1")
	}
	disk.mend()
	for limit := testTimeout(t); ; {
		s := o.Stats()
		if s.Unsaved == 0 && s.DiskProblem == "" && s.Entries == 20 {
			break
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-limit:
			t.Fatalf("stats: %+v", s)
		}
	}
	want = append(want, mustAccept(t, o, testHit("D"))+"/1")
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	o = openTestOutbox(t, path, OutboxOptions{})
	if diff := cmp.Diff(want, pendingIDs(o)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	faults.Row(t, "read-only remount", "ext4 after an error: 40 hits accepted in memory and 21 delivered meanwhile, the rest on disk once it is mounted again, without a restart; none lost, none twice")
}
