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
// Keys are plates normalised to A-Z and 0-9 ([Normalize]) and folded ([Fold]),
// so that one seek per list finds both exact matches and those that differ by
// O/Q/0 or I/1. See [DB.Match].
package hotlist
