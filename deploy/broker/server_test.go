package broker_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"platewatch/uplink"
	"platewatch/uplink/broker"
)

// TestFieldServers: two servers of deploy/server share the hits of two units, one of
// them and one NATS node are killed half-way, and each hit is one row, in time.
func TestFieldServers(t *testing.T) {
	together(t)
	dsn := startPostgres(t)
	users, err := os.ReadFile("nats/users.conf")
	if err != nil {
		t.Fatal(err)
	}
	// The example names one unit; a second is given the same rights.
	one := string(users)
	begin, end := strings.Index(one, "        # A unit writes"), strings.Index(one, "        # The central server")
	text := one[:end] + strings.ReplaceAll(one[begin:end], "unit-1", "unit-2") + one[end:]
	certs := certificates(t, "unit-1", "unit-2", "server", "storage")
	c := startCluster(t, certs, text)
	program := filepath.Join(t.TempDir(), "server")
	if out, err := exec.Command("go", "build", "-o", program, "../server").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var nodes []string
	for _, address := range c.clients {
		nodes = append(nodes, "tls://"+address)
	}
	var kill []func()
	for _, name := range []string{"a", "b"} {
		kill = append(kill, start(t, exec.Command(program, "-nats", strings.Join(nodes, ","), "-ca", filepath.Join(certs, "ca.crt"), "-cert", filepath.Join(certs, "storage.crt"), "-key", filepath.Join(certs, "storage.key"),
			"-postgres", dsn, "-name", name, "-wait", "3s"), name+": ready"))
	}
	half := 100 // of each unit
	if os.Getenv("PLATEWATCH_FIELD") != "" {
		half = 1000
	}
	began := time.Now()
	var units []*testUnit
	for i, name := range []string{"unit-1", "unit-2"} {
		u, err := newUnit(t.TempDir(), name, uplink.Settings{Ack: uplink.AckServer, ServerAckTimeout: 3 * time.Second,
			Brokers: []broker.Broker{tlsBroker(certs, name, c.addresses[i]), tlsBroker(certs, name, c.addresses[2])}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = u.stop() })
		units = append(units, u)
	}
	ids := map[string]bool{}
	accept := func() {
		for i := range half {
			for _, u := range units {
				h, err := u.outbox.Accept(hit(fmt.Sprintf("P%d", i)))
				if err != nil {
					t.Fatal(err)
				}
				ids[h] = true
			}
		}
	}
	db, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.Background())
	count := func(where string) (n int) {
		if err := db.QueryRow(t.Context(), "SELECT count(*) FROM hits "+where).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	accept()
	waitFor(t, "both servers to work", patience, func() bool { return count("WHERE stored_by = 'a'") > 0 && count("WHERE stored_by = 'b'") > 0 }, func() string { return fmt.Sprint(count("")) })
	kill[0]()
	c.kill[0]()
	accept()
	waitFor(t, "the units' outboxes to be empty", 2*patience, func() bool { return units[0].outbox.Stats().Entries+units[1].outbox.Stats().Entries == 0 },
		func() string {
			return fmt.Sprintf("%d rows; %+v %+v", count(""), units[0].client.Stats(), units[1].client.Stats())
		})
	took := time.Since(began).Round(100 * time.Millisecond)
	rows, err := db.Query(t.Context(), "SELECT id FROM hits")
	if err != nil {
		t.Fatal(err)
	}
	stored, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range stored {
		if !ids[id] {
			t.Errorf("the row %s is not a hit", id)
		}
		delete(ids, id)
	}
	if len(ids) > 0 {
		t.Errorf("%d hits are in no row", len(ids))
	}
	t.Attr("outcome", fmt.Sprintf("%d hits of two units in %v, %d rows: %d by the server that was killed, %d by the other; none lost, none twice", 4*half, took, len(stored),
		count("WHERE stored_by = 'a'"), count("WHERE stored_by = 'b'")))
}

// startPostgres runs Debian's PostgreSQL, and returns how to reach it.
func startPostgres(t *testing.T) (dsn string) {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is well-formed
	if len(found) == 0 {
		t.Skip("PostgreSQL is not installed (apt install postgresql)")
	}
	bin := filepath.Dir(found[len(found)-1])
	dir := filepath.Join(t.TempDir(), "pg")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	var who *syscall.Credential // nil: this user
	if os.Getuid() == 0 {       // PostgreSQL does not run as root
		u, err := user.Lookup("postgres")
		if err != nil {
			t.Skip(err)
		}
		uid, _ := strconv.Atoi(u.Uid) // numbers on every Unix
		gid, _ := strconv.Atoi(u.Gid)
		who = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
		for d := filepath.Dir(dir); d != os.TempDir() && len(d) > 1; d = filepath.Dir(d) {
			if err := os.Chmod(d, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = &syscall.SysProcAttr{Credential: who}, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v: %s", err, out)
	}
	server := exec.Command(filepath.Join(bin, "postgres"), "-D", filepath.Join(dir, "data"), "-k", dir, "-h", "")
	server.Dir = dir
	server.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	start(t, server, "ready to accept connections")
	return "host=" + dir + " user=postgres dbname=postgres"
}
