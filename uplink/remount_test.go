package uplink

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"platewatch/uplink/broker"
	"platewatch/uplink/faulttest"
	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/outbox"
)

// The kernel turns the file system read-only while the unit runs, after an
// error of the disk: hits are accepted and delivered, and are on disk once it
// is mounted again, without a restart.
func TestReadOnlyRemountWhileRunning(t *testing.T) {
	disk := uplinktest.NewSmallDisk(t)
	path := filepath.Join(disk.Dir, "outbox.db")
	o := openTestOutbox(t, path, outbox.Settings{MaintainEvery: 50 * time.Millisecond})
	ids := []string{uplinktest.MustAccept(t, o, uplinktest.WithPictures(uplinktest.Hit("A"), 4_000, 40_000))}
	disk.Fail()
	for i := range 20 {
		ids = append(ids, uplinktest.MustAccept(t, o, uplinktest.WithPictures(uplinktest.Hit(fmt.Sprintf("B%d", i)), 4_000, 40_000)))
	}
	if s := o.Stats(); s.Unsaved != 20 || s.DiskProblem == "" || s.Entries != 21 {
		t.Errorf("stats: %+v", s)
	}
	p := uplinktest.NewProxy(t, uplinktest.NewMosquitto(t, "allow_anonymous true\n").Addr())
	c, stop := startClient(t, o, Settings{Brokers: []broker.Broker{{URL: p.URL()}}})
	waitEmpty(t, c, o)
	stop()
	wantDelivered(t, p, ids)
	var want []string
	for i := range 20 {
		want = append(want, uplinktest.MustAccept(t, o, uplinktest.Hit(fmt.Sprintf("C%d", i)))+"/1")
	}
	disk.Mend()
	for limit := uplinktest.Timeout(t); ; {
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
	want = append(want, uplinktest.MustAccept(t, o, uplinktest.Hit("D"))+"/1")
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	o = openTestOutbox(t, path, outbox.Settings{})
	if diff := cmp.Diff(want, pendingIDs(o)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	faulttest.Row(t, "read-only remount", "ext4 after an error: 40 hits accepted in memory and 21 delivered meanwhile, the rest on disk once it is mounted again, without a restart; none lost, none twice")
}
