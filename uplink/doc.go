// Package uplink takes hits from the unit to the central server.
//
// A [message.Hit] goes into the [outbox.Outbox], a bbolt file, and is on disk
// (fsync) before [outbox.Outbox.Accept] returns. The [Client] publishes what the
// outbox holds over MQTT 3.1.1 with QoS 1 and removes an entry only after the
// broker's PUBACK on the same network connection. [ListUpdates] fetches signed
// hotlists the other way. Package watch is the server's end.
//
// # Delivery
//
// A hit that the outbox accepted reaches the broker, or with [AckServer] the
// server, under one id, or is counted as dropped at a bound (see
// [outbox.Settings]). Hits that are live (at most 30 s old) go first, in order;
// then the backlog, in order and marked historical. A hit may arrive more than
// once: receivers recognise repeats by id and revision. Order is that of
// acceptance; the wall clock does not matter.
//
// paho's tokens do not prove delivery across a reconnect, so every network
// connection gets a paho client of its own, with a clean session and without a
// store. A token that completes without error can then only mean a PUBACK that
// arrived on that connection. Messages in flight when a connection ends are
// published again on the next one.
//
// A broker can lose what it acknowledged, and Mosquitto acknowledges even what its
// access rules drop. With [AckServer] a hit stays until the server acknowledges it
// on the unit's acks topic.
//
// # Privacy
//
// Only hits pass through here. Nothing in this package logs a plate's text.
//
// README.md lists what happens when disk, link or broker fail, and the measured
// speeds. The package is pure Go and needs no cgo.
package uplink
