package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"platewatch/hotlist"
)

// lists looks at each list that the unit holds or follows.
func (x *examination) lists(ctx context.Context, found sink) {
	if key := x.c.Hotlist.KeyFile; key != "" && sealed(key) && readable(key) != nil {
		found.skip("lists", "", "their key is sealed to this board: check while the service runs")
		return
	}
	o, err := x.c.Hotlist.Options()
	if err != nil {
		found.fail("lists", "keys", err.Error(), "the signers' keys", hint(err, "see hotlist.trust"))
		return
	}
	db, err := hotlist.OpenReadOnly(x.c.Hotlist.Path, o)
	if errors.Is(err, fs.ErrNotExist) {
		found.fail("lists", "", x.c.Hotlist.Path+" does not exist: nothing can match", "a hotlist", listAdvice)
		return
	}
	if err != nil {
		found.fail("lists", "", err.Error(), "a hotlist that can be opened", hint(err, "run this as root, or as the service's user"))
		return
	}
	defer db.Close()
	states, err := db.States(time.Now(), x.o.Board.Clock().Synchronised)
	if err != nil {
		found.fail("lists", "", err.Error(), "a hotlist", hint(err, "see the storage"))
		return
	}
	for _, d := range db.Damage() {
		found.fail("list "+d.List, "file", d.Reason, "whole", hint(d.Err, "import the list again; if it happens again, replace the storage"))
	}
	total := 0
	for _, s := range states {
		x.list(ctx, found, db, s)
		total += s.Entries
	}
	for _, name := range x.c.Uplink.Lists.Lists {
		if !slices.ContainsFunc(states, func(s hotlist.ListState) bool { return s.Name == name }) {
			found.warn("list "+name, "", "followed, and never arrived", "arrived", "publish it, and let this unit read its topics at the broker")
		}
	}
	if total == 0 {
		found.fail("lists", "", "no entry: nothing can match", "at least one", listAdvice)
	}
}

const listAdvice = "platewatch hotlist import -list NAME FILE, or name lists to follow in uplink.hotlists"

func (x *examination) list(ctx context.Context, found sink, db *hotlist.DB, s hotlist.ListState) {
	about := "list " + s.Name
	if s.Missing || s.Version == "" {
		text := "missing, although a version of it was accepted"
		if s.Refused != nil {
			text = "its update was refused: " + s.Refused.Reason
		}
		found.fail(about, "", text, "there", "publish it again")
		return
	}
	signature := "imported here, without a signature"
	if s.Signed != nil {
		signature = "signed by " + s.Signed.Signer + " " + s.Signed.Key
	}
	measured := fmt.Sprintf("version %s, %s, %s old, %s", s.Version, entries(s.Entries), days(time.Since(s.Imported)), signature)
	switch {
	case s.Fallback:
		found.warn(about, "", measured+"; it is the previous one, because the newest is damaged", "the newest", "import or publish the list again")
	case s.Accepted > 0:
		found.fail(about, "", measured+fmt.Sprintf("; version %d was accepted before", s.Accepted), "the newest", "somebody put older files back: find out who, and publish the list again")
	case s.Overdue:
		found.warn(about, "", measured+"; a newer one was due on "+s.Signed.Expires.UTC().Format("2006-01-02 15:04 UTC"), "not overdue", "publish it; see who signs it")
	default:
		found.ok(about, "", measured, "there and not overdue")
	}
	if len(s.Forbidden) > 0 {
		found.warn(about, "purpose", "it has entries of "+strings.Join(s.Forbidden, ", ")+", which are not matched", "only categories that this unit may be used for",
			"publish it without them, or see hotlist.allow and hotlist.deny")
	}
	if s.Refused != nil {
		found.warn(about, "update", "refused: "+s.Refused.Reason, "accepted", "see who published it")
	}
	x.unreadable(ctx, found, db, s)
}

func entries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

// unreadable counts the entries whose plates the reader never reports.
func (x *examination) unreadable(ctx context.Context, found sink, db *hotlist.DB, s hotlist.ListState) {
	about := "list " + s.Name
	n, total := 0, 0
	example := ""
	for e, err := range db.Entries(ctx, s.Name) {
		if err != nil {
			if ctx.Err() == nil {
				found.fail(about, "entries", err.Error(), "whole", hint(err, "import the list again"))
			}
			return
		}
		total++
		if e.Policy == "wildcard" || x.c.OCR.Readable(e.Plate) {
			continue
		}
		if n++; example == "" && e.Record != "" {
			example = ", for example record " + e.Record
		}
	}
	found.grade(n == 0, Warn, about, "readable", fmt.Sprintf("%d of %d cannot be read by this unit%s", n, total, example), "all",
		"their plates are shorter than ocr.min_characters, too long, or rows of strokes: tell whoever makes the list that no camera finds them")
}

// auditTrail verifies the trail.
func (x *examination) auditTrail(_ context.Context, found sink) {
	const about = "audit trail"
	o, err := x.c.Hotlist.Options()
	if err != nil {
		return // reported above
	}
	db, err := hotlist.OpenReadOnly(x.c.Hotlist.Path, o)
	if err != nil {
		found.skip(about, "", "there is none without a hotlist")
		return
	}
	defer db.Close()
	trail, err := db.Trail()
	if err != nil && sealed(x.c.Hotlist.KeyFile) {
		found.skip(about, "", "its key is sealed to this board: check while the service runs")
		return
	}
	if err != nil {
		found.fail(about, "", err.Error(), "an unbroken chain", hint(err, "see hotlist.key_file"))
		return
	}
	r, err := trail.Verify()
	if err != nil {
		found.fail(about, "", err.Error(), "an unbroken chain", hint(err, "find out who changed it"))
		return
	}
	found.ok(about, "", fmt.Sprintf("%s, an unbroken chain", count(r.Records, "record")), "an unbroken chain")
}
