// Package uplink takes hits from the unit to the central server.
//
// A [Hit] goes into the [Outbox], a bbolt file, and is on disk (fsync) before
// [Outbox.Accept] returns. The [Client] publishes what the outbox holds over
// MQTT 3.1.1 with QoS 1 and removes an entry only after the broker's PUBACK on
// the same network connection. [Watch] is the other end: a subscriber that
// checks every message against the schema, tells each hit once and finds gaps.
//
// # Delivery
//
// A hit that the outbox accepted reaches the broker, in order and under one
// id, or is counted as dropped by the rule at the bound (see [OutboxOptions]).
// It may arrive more than once: whoever receives it tells repeats by id and
// revision. The wall clock decides nothing here; order is that of acceptance.
//
// paho's tokens are no proof of delivery across a reconnect, so every network
// connection gets a paho client of its own, with a clean session and without
// a store. A token that completes without error can then only mean a PUBACK
// that arrived on that connection. Whatever was in flight when a connection
// ended is published again on the next one.
//
// # Privacy
//
// Only hits pass through here. Nothing in this package logs a plate's text.
//
// The package is pure Go and needs no cgo.
package uplink
