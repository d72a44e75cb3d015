// Package uplink takes hits from the unit to the central server.
//
// A [message.Hit] goes into the [outbox.Outbox], a bbolt file, and is on disk (fsync) before
// [outbox.Outbox.Accept] returns. The [Client] publishes what the outbox holds over
// MQTT 3.1.1 with QoS 1 and removes an entry only after the broker's PUBACK on
// the same network connection. [watch.Run] is the other end: a subscriber that
// checks every message against the schema, tells each hit once and finds gaps.
//
// # Delivery
//
// A hit that the outbox accepted reaches the broker, or in server mode the
// server, under one id, or is counted as dropped by the rule at the bound (see
// [outbox.Settings]). Hits that are live (at most 30 s old) go first, in order;
// then the backlog, in order and marked historical. A hit may arrive more than
// once: whoever receives it tells repeats by id and revision. The wall clock
// decides nothing here; order is that of acceptance.
//
// paho's tokens are no proof of delivery across a reconnect, so every network
// connection gets a paho client of its own, with a clean session and without
// a store. A token that completes without error can then only mean a PUBACK
// that arrived on that connection. Whatever was in flight when a connection
// ended is published again on the next one.
//
// What a broker acknowledged it can still lose, and Mosquitto acknowledges even
// what its access rules drop. With [Settings.ServerAck] a hit stays until
// the server says on the unit's acks topic that it has it.
//
// # When things fail
//
//	the disk is full, read-only or broken   hits go on in memory, bounded; on disk once it works again,
//	                                        or is mounted anew under the running unit
//	the file is damaged                     set aside, what is readable is carried over
//	the power goes                          nothing that was accepted on disk is lost; no number is used twice
//	the link is dead                        noticed within 2.5 keep-alives, and the time that what is on its way takes
//	the link is slow                        hits first, their pictures follow
//	a broker does not answer                the next one is tried; back to the preferred one when it answers
//	certificates are renewed                a new connection with them
//
// `make faults` shows each of them.
//
// # Privacy
//
// Only hits pass through here. Nothing in this package logs a plate's text.
//
// The package is pure Go and needs no cgo.
package uplink
