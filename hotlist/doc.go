// Package hotlist keeps the lists of wanted plates on a unit and answers, in
// microseconds, whether a plate that was read is on one of them.
//
// # On disk
//
// A hotlist is a directory. Each list in it is one bbolt file that is never
// changed once it is complete:
//
//	NAME.hotlist            the list as it is matched
//	NAME.hotlist.previous   the version before; matched if the newer one is damaged
//	NAME.hotlist.corrupt    a damaged file, set aside (then NAME.hotlist.2.corrupt, ...)
//	NAME.trust              what was accepted of a signed list, and why the last update was refused
//	key                     the key that the lists are stored under, unless it lies elsewhere
//	audit/                  who did what, and which hits there were: see [Trail]
//	lock                    held by whoever changes the directory
//	import.tmp/             a list being built; left over only by a crash, removed by the next import
//
// [Import] builds the new version beside the old one, syncs it to disk, reads
// it back, and renames it over the old one. A rename is atomic, so a power cut
// leaves the old list or the new one, whole. There is no pointer file that
// could itself be damaged.
//
// Readers open list files read-only and take no lock that an import would wait
// for. `platewatch hotlist import` therefore works while the daemon runs; the
// daemon looks at the directory once a second ([DB.Watch]), verifies the new
// file, and swaps it in between two lookups. The file it had open stays
// readable for it until then, although its name is gone.
//
// # What a thief finds
//
// Records lie under HMAC-SHA-256 of their plates, payloads are AES-256-GCM,
// all under keys derived from the hotlist's [Key] and a salt of each file.
// Without the key the files show the names of the lists, how many entries each
// has and when it came; no plate, no category, no vehicle, and not whether two
// versions, or two units, have an entry in common. The key is worth as much as
// its place: in a systemd credential that is bound to the board's TPM it stays
// behind; beside the lists, where it is by default, it protects nothing from
// whoever takes the disk. A unit that runs has the key in memory, whatever
// holds it at rest.
//
// # Signed lists
//
// Where [Options.Trust] names keys, only lists signed by one of them are
// matched (but for those named as local). [DB.Sign] writes a version: a
// [Manifest], signed with minisign, and its parts, for the whole list and for
// the way from the version before. [DB.Apply] takes one over; whoever delivers
// updates needs these three:
//
//	u, err := db.Examine(list, manifest)              // which parts are needed; err says why it is refused
//	report, err := db.Apply(ctx, list, manifest, get) // get hands out the parts that Examine named
//	states, err := db.States(now, clockSynchronised)  // for the server: version, expiry, overdue, last refusal
//
// manifest is the payload of platewatch/v1/hotlists/{list}/manifest and the
// parts those of platewatch/v1/hotlists/{list}/{version}/{n}. Apply is safe
// against everything that comes over a network: the signature is verified
// before a byte is parsed, each part by its hash before it is unpacked, the
// built list by its digest before it is swapped in; a version lower than one
// that was ever accepted is refused, also after removal and damage. A part that
// is missing is [fs.ErrNotExist] and not a refusal.
//
// # Damage
//
// bbolt has no page checksums. Because a list file never changes, all of its
// bytes are covered by checksums written behind the last bbolt page (CRC-32C
// per 64 KiB); they are verified before bbolt sees the file, in one sequential
// pass whose length is the file's. Every record carries a CRC-32C over its key
// and value as well, verified at each lookup, because a page can go bad after
// the file was opened. A page fault in the mapped file is turned into an error.
//
// A damaged file is renamed to *.corrupt, never over an earlier one, and the
// version before takes its place until the list is imported again; where there
// is none the list is empty. Either way it is reported: [DB.Damage].
//
// What this does not catch: a branch page that goes bad while the file is open
// can make a lookup miss an entry until [DB.Check], or a restart, reads the
// file again.
//
// # Matching
//
// A match is a probability: [Match].Probability is that of the entry's plate
// given what the reader said of each character ([Query].Characters): its own
// confidence, its alternatives, and, for what it left over, look-alikes by a
// table ([Confusions]). O and 0 count for each other, and so do I and 1,
// because plates and lists write them alike. [Matching] says, for each list,
// which kinds of difference match and from which probability on;
// [DefaultMatching] follows the list's size, because the longer a list, the
// more plates of vehicles nobody looks for resemble one of its entries.
//
// The index folds all look-alikes together, so one seek finds the entries that
// differ in them; what else the reader wavered between is looked up by itself,
// likeliest first, and one character changed, missed or added, where a list
// allows that in full, by trying them all against a filter in memory. Patterns
// are in memory too.
package hotlist
