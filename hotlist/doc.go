// Package hotlist keeps the lists of wanted plates on a unit and finds, in
// microseconds, the entries that a plate matches. What an entry is, is in package
// entry; how matching works, in package match.
//
// # On disk
//
// A hotlist is a directory. Each list is one bbolt file that never changes once it is
// complete:
//
//	NAME.hotlist            the current version of a list
//	NAME.hotlist.previous   the previous version; matched if the current one is damaged
//	NAME.hotlist.corrupt    a damaged file, set aside (then NAME.hotlist.2.corrupt, ...)
//	NAME.trust              the newest signed version accepted, and why the last update was refused
//	key                     the key that the lists are stored under, unless Options.KeyFile names another
//	audit/, audit.head      the audit trail: see package audit
//	lock                    held by the process that changes the directory
//	import.tmp/             a list being built; after a crash, the next import removes it
//
// [Import] builds the new version beside the current one, syncs it, verifies it, and
// renames it over the current one. A rename is atomic: a power cut leaves either
// version whole. There is no pointer file that could itself be damaged.
//
// Readers open list files read-only and take no lock that an import waits for, so that
// `platewatch hotlist import` works while the daemon runs. The daemon checks the
// directory every two seconds ([DB.Watch]), verifies a new file, and switches to it
// between two lookups. The old file stays readable until then, although its name is
// gone.
//
// # Encryption
//
// Records are stored under the HMAC-SHA-256 of their plates; payloads are encrypted
// with AES-256-GCM. All keys are derived from the hotlist's key and a salt of each file.
// Without the key the files reveal the names of the lists, roughly how many entries
// they have, and their times: no plate, no category, no vehicle, and not whether two
// versions, or two units, have an entry in common. In a systemd credential bound to the
// board's TPM the key stays behind when the disk is stolen; beside the lists, the
// default, it protects nothing from a thief of the disk. A running unit has the key
// in memory.
//
// # Signed lists
//
// Where [Options.Trust] names keys, only lists signed by one of them are matched,
// except for those in [Options.Local]. [DB.Sign] writes a signed version, [DB.Apply]
// installs one. A program that delivers updates needs three methods:
//
//	u, err := db.Examine(list, manifest)              // the parts needed; err tells why the update is refused
//	report, err := db.Apply(ctx, list, manifest, get) // get opens the parts that Examine named
//	states, err := db.States(now, clockSynchronised)  // for the server: version, expiry, overdue, last refusal
//
// manifest is the payload of platewatch/v1/hotlists/{list}/manifest, and the parts are
// those of platewatch/v1/hotlists/{list}/{version}/{n}. Apply may be given anything that
// a network delivers: it verifies the signature before it parses a byte, each part by
// its hash before it unpacks it, and the built list by its digest before it installs
// it. It refuses a version lower than the highest ever accepted, also after removal and
// damage. A part that has not arrived is [fs.ErrNotExist], not a refusal.
//
// # Damage
//
// bbolt has no page checksums. Because a list file never changes, checksums of all its
// bytes (CRC-32C per 64 KiB) follow the last bbolt page. They are verified before bbolt
// sees the file, in one sequential pass. Each record has a CRC-32C of its own, verified
// at each lookup, because a page can go bad after the file was opened. A page fault in
// the mapped file becomes an error.
//
// A damaged file is renamed to *.corrupt, never over an earlier one, and the previous
// version is used until the list is imported again; without one, the list is empty.
// [DB.Damage] reports both.
//
// Not detected: a branch page that goes bad while the file is open can make a lookup
// miss an entry until the daily check of [DB.Watch], or a restart, reads the file again.
package hotlist
