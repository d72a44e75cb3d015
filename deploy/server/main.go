// Command server stores the hits of a fleet in PostgreSQL: an example of the other
// end, for the NATS cluster of deploy/broker. Several of them share the work, and any
// may fail. A unit with uplink.ack = "server" forgets a hit only when one of them has
// committed it.
//
//	server -nats tls://n1.example.org:4222,tls://n2.example.org:4222 \
//	    -ca ca.crt -cert storage.crt -key storage.key -postgres 'host=/run/postgresql dbname=hits'
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"platewatch/uplink/message"
)

const schema = `CREATE TABLE IF NOT EXISTS hits (
	id text PRIMARY KEY, revision integer NOT NULL, unit text NOT NULL, withdrawn boolean NOT NULL, pictures_follow boolean NOT NULL,
	hit json, plate_picture json, context_picture json, stored_by text NOT NULL, stored_at timestamptz NOT NULL DEFAULT now())`

// Each id is one row. A later revision replaces an earlier one, or the same one whose
// pictures were to follow; whatever else comes is a repeat. A unit writes its own only.
const insert = `INSERT INTO hits VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO UPDATE SET
	revision = excluded.revision, withdrawn = excluded.withdrawn, pictures_follow = excluded.pictures_follow, hit = excluded.hit,
	plate_picture = CASE WHEN $10 THEN hits.plate_picture ELSE excluded.plate_picture END,
	context_picture = CASE WHEN $10 THEN hits.context_picture ELSE excluded.context_picture END,
	stored_by = excluded.stored_by, stored_at = now()
	WHERE hits.unit = excluded.unit AND (excluded.revision > hits.revision OR excluded.revision = hits.revision AND hits.pictures_follow)`

// hit is what the server looks at; the rest is stored as it came.
type hit struct {
	ID                string          `json:"id"`
	Revision          int             `json:"revision"`
	Unit              string          `json:"unit"`
	Withdrawn         bool            `json:"withdrawn"`
	PicturesFollow    bool            `json:"pictures_follow"`
	PicturesUnchanged bool            `json:"pictures_unchanged"`
	PlatePicture      json.RawMessage `json:"plate_picture"`
	ContextPicture    json.RawMessage `json:"context_picture"`
}

func main() {
	urls := flag.String("nats", nats.DefaultURL, "addresses of the nodes, with commas between them")
	ca, cert, key := flag.String("ca", "", "PEM file of the authority"), flag.String("cert", "", "PEM file of the certificate"), flag.String("key", "", "PEM file of its key")
	database := flag.String("postgres", "", "how to reach the database, as libpq reads it")
	name := flag.String("name", fmt.Sprintf("%d", os.Getpid()), "name of this server")
	replicas := flag.Int("replicas", 3, "nodes that keep a hit until it is stored")
	wait := flag.Duration("wait", 30*time.Second, "after this, what a server took and did not store goes to another")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	options := []nats.Option{nats.Name(*name), nats.MaxReconnects(-1)}
	if *ca != "" {
		options = append(options, nats.RootCAs(*ca), nats.ClientCert(*cert, *key))
	}
	if err := run(ctx, *urls, options, *database, *name, *replicas, *wait); err != nil && ctx.Err() == nil {
		log.Fatal(err) // systemd starts it anew; nothing is lost
	}
}

func run(ctx context.Context, urls string, options []nats.Option, database, name string, replicas int, wait time.Duration) error {
	db, err := pgx.Connect(ctx, database)
	if err != nil {
		return err
	}
	defer db.Close(context.WithoutCancel(ctx))
	if _, err := db.Exec(ctx, `SELECT pg_advisory_lock(1); `+schema+`; SELECT pg_advisory_unlock(1)`); err != nil {
		return err // without the lock, two servers that start together make the table twice
	}
	nc, err := nats.Connect(urls, options...)
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	stream, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: "HITS", Subjects: []string{"platewatch.v1.units.*.hits"},
		Retention: jetstream.WorkQueuePolicy, Replicas: replicas, MaxBytes: 8 << 30}) // what is stored leaves the stream
	if err != nil {
		return err
	}
	group, err := stream.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{Durable: "servers", AckPolicy: jetstream.AckExplicitPolicy, AckWait: wait, MaxAckPending: 1000})
	if err != nil {
		return err
	}
	log.Printf("%s: ready", name)
	for ctx.Err() == nil {
		var taken []jetstream.Msg
		first, err := group.Fetch(1, jetstream.FetchMaxWait(5*time.Second))
		if err != nil {
			return err
		}
		for m := range first.Messages() {
			taken = append(taken, m)
		}
		if len(taken) == 0 {
			continue
		}
		if more, err := group.FetchNoWait(99); err == nil { // one commit for all that is there
			for m := range more.Messages() {
				taken = append(taken, m)
			}
		}
		if err := store(ctx, db, nc, name, taken); err != nil {
			return err
		}
	}
	return nil
}

// isOf tells whether a hit says that it is of the unit that published it.
func isOf(h hit, unit string) bool {
	origin, _, err := message.ParseID(h.ID)
	return err == nil && origin == unit && h.Unit == unit
}

// store commits what was taken, then acknowledges it to the units, then to the stream.
// Whatever ends it in between: the hit comes again, and its row is there already.
func store(ctx context.Context, db *pgx.Conn, nc *nats.Conn, name string, taken []jetstream.Msg) error {
	var batch pgx.Batch
	stored := map[string]*message.Acks{}
	answer := func(unit string) *message.Acks {
		if stored[unit] == nil {
			stored[unit] = &message.Acks{Unit: unit, Stored: []message.Ack{}}
		}
		return stored[unit]
	}
	for _, m := range taken {
		unit := strings.Split(m.Subject(), ".")[3] // who may publish here; what the message says must be the same
		if p, ok := message.ParseProbe(m.Data()); ok && p.Unit == unit {
			answer(unit).Probe = p.Probe // a check of the unit's rights
			continue
		}
		var h hit
		var rest map[string]json.RawMessage
		if err := message.Validate(message.KindHits, m.Data()); err != nil || !utf8.Valid(m.Data()) || json.Unmarshal(m.Data(), &h) != nil || json.Unmarshal(m.Data(), &rest) != nil || !isOf(h, unit) {
			log.Printf("%s: no hit of %s, left out: %v", name, unit, err)
			continue
		}
		delete(rest, "plate_picture")
		delete(rest, "context_picture")
		body, err := json.Marshal(rest)
		if err != nil {
			return err
		}
		if h.Withdrawn { // nothing of the plate stays
			body, h.PlatePicture, h.ContextPicture, h.PicturesUnchanged = nil, nil, nil, false
		}
		batch.Queue(insert, h.ID, h.Revision, unit, h.Withdrawn, h.PicturesFollow, body, h.PlatePicture, h.ContextPicture, name, h.PicturesUnchanged)
		a := answer(unit)
		a.Stored = append(a.Stored, message.Ack{ID: h.ID, Revision: h.Revision})
	}
	if err := db.SendBatch(ctx, &batch).Close(); err != nil { // one transaction
		return err
	}
	for unit, acks := range stored {
		text, err := json.Marshal(acks)
		if err != nil {
			return err
		}
		if err := nc.Publish("platewatch.v1.units."+unit+".acks", text); err != nil {
			return err
		}
	}
	for _, m := range taken {
		if err := m.Ack(); err != nil {
			return err
		}
	}
	return nil
}
