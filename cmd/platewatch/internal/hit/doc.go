// Package hit is the one place that knows what a hit is made of. It turns a
// passage and the hotlist entries that it matches into the message that leaves
// the unit, and that message into what people read: the row of the status page
// and the lines of `platewatch watch` and `platewatch hotlist check`.
//
//	match.go       an entry → the message, and the message → words, field by field
//	passage.go     a passage and its matches → the message, and the message → words
//	page.go        the message → the row of the status page
//	characters.go  the reader's characters → the types of hotlist and uplink
//
// A new field of an entry or of a match is added to match.go and to the types of
// hotlist and uplink. TestEveryField fails for each place where it is missing.
package hit
