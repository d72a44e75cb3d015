package outbox

import (
	"testing"

	"platewatch/uplink/internal/uplinktest"
)

// TestUnchangedPictures: a revision without better pictures is sent with those of the
// revision that it replaces, or says that they stay as they were sent, or that a
// bound removed them; it never calls pictures unchanged that no receiver has.
func TestUnchangedPictures(t *testing.T) {
	type told struct{ pictures, unchanged, dropped bool }
	for _, test := range []struct {
		name      string
		most      int  // bytes of a picture; 0: the default
		pictures  bool // the first revision has some
		delivered bool // before the second one comes
		evicted   bool // from the first revision, at the outbox's bound
		want      told
	}{
		{"the first one waits", 0, true, false, false, told{pictures: true}},
		{"the first one was delivered", 0, true, true, false, told{unchanged: true}},
		{"the first one waits, and lost its pictures at the outbox's bound", 0, true, false, true, told{dropped: true}},
		{"the first one waits, and its pictures were too large", 5, true, false, false, told{dropped: true}},
		{"the first one waits, and had none", 0, false, false, false, told{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			settings := Settings{MaxPlatePicture: test.most, MaxContextPicture: test.most}
			if test.evicted {
				settings.MaxBytes = 30_000
			}
			o := testOutbox(t, settings)
			first := uplinktest.WithPriority(uplinktest.Hit("A1"), 7)
			if test.pictures {
				first = uplinktest.WithPictures(first, 1000, 12_000)
			}
			id := uplinktest.MustAccept(t, o, first)
			if test.evicted {
				urgent := uplinktest.WithPriority(uplinktest.WithPictures(uplinktest.Hit("B1"), 1000, 20_000), 1)
				uplinktest.MustAccept(t, o, urgent)
			}
			if test.delivered {
				if err := o.Remove(next(t, o).Ref); err != nil {
					t.Fatal(err)
				}
			}
			second := uplinktest.WithPriority(uplinktest.Hit("A2"), 7)
			second.PicturesUnchanged = true
			if err := o.Update(id, second); err != nil {
				t.Fatal(err)
			}
			e, err := o.Next(func(r Ref) bool { return r.Number != 1 })
			if err != nil {
				t.Fatal(err)
			}
			got := told{e.Hit.PlatePicture != nil, e.Hit.PicturesUnchanged, e.Hit.PicturesDropped}
			if got != test.want || e.Hit.Text != "A2" {
				t.Errorf("%s: %+v, want %+v", e.Hit.Text, got, test.want)
			}
		})
	}
}
