#!/usr/bin/env python3
"""Keeps the hits of a fleet in an SQLite file, and acknowledges what is stored.

    receive.py BROKER PORT FILE [CA CERT KEY]

Needs python3-paho-mqtt. The table hits has the last revision of each hit; of one that
was withdrawn only its id stays. Units with uplink.ack = "server" keep a hit until it
is acknowledged here; only one program may acknowledge.
"""
import json
import sqlite3
import sys

import paho.mqtt.client as mqtt

TOPIC = "platewatch/v1/units/+/hits"


def open_store(path):
    store = sqlite3.connect(path)
    store.execute("PRAGMA synchronous = FULL")  # stored means: survives a power cut
    store.execute("""CREATE TABLE IF NOT EXISTS hits (id TEXT PRIMARY KEY, revision INTEGER NOT NULL,
        withdrawn INTEGER NOT NULL, unit TEXT NOT NULL, captured_at TEXT, text TEXT, hit TEXT)""")
    store.commit()
    return store


def keep(store, hit):
    """Stores a revision, unless it is there, or a later one. Pictures can follow it."""
    withdrawn = bool(hit.get("withdrawn"))
    row = (hit["id"], hit["revision"], withdrawn, hit["unit"])
    if withdrawn:  # nothing of the plate may stay
        row += (None, None, None)
    else:
        row += (hit["captured_at"], hit["text"], json.dumps(hit))
        # The pictures of an earlier revision still belong to it.
        if hit.get("pictures_unchanged"):
            old = store.execute("SELECT hit FROM hits WHERE id = ?", (hit["id"],)).fetchone()
            if old and old[0]:
                pictures = {k: v for k, v in json.loads(old[0]).items() if k.endswith("_picture")}
                row = row[:-1] + (json.dumps({**pictures, **hit}),)
    store.execute("""INSERT INTO hits VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
        revision = excluded.revision, withdrawn = excluded.withdrawn, captured_at = excluded.captured_at,
        text = excluded.text, hit = excluded.hit WHERE excluded.revision > hits.revision
        OR excluded.revision = hits.revision AND json_extract(hits.hit, '$.pictures_follow')""", row)
    store.commit()


def main():
    host, port, path, *tls = sys.argv[1:]
    store = open_store(path)
    # paho 1 (Debian 12) and 2 (Debian 13) differ in how a client is made.
    version = getattr(mqtt, "CallbackAPIVersion", None)
    first = (version.VERSION1,) if version else ()
    client = mqtt.Client(*first, client_id="receive-py", clean_session=False)

    def on_connect(client, userdata, flags, code):
        client.subscribe(TOPIC, qos=1)  # 1: what comes while this is away is kept

    def on_message(client, userdata, message):
        try:
            hit = json.loads(message.payload)
            hit["id"], hit["revision"], hit["unit"]
        except (ValueError, KeyError, TypeError):
            return  # a check of the unit's rights, or a later version of the message
        keep(store, hit)
        stored = {"version": 1, "unit": hit["unit"], "stored": [{"id": hit["id"], "revision": hit["revision"]}]}
        client.publish("platewatch/v1/units/%s/acks" % hit["unit"], json.dumps(stored), qos=1)

    client.on_connect, client.on_message = on_connect, on_message
    if tls:
        client.tls_set(*tls)
    client.connect(host, int(port))
    client.loop_forever()


if __name__ == "__main__":
    main()
