package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"platewatch/uplink/broker"
	"platewatch/uplink/message"
	"platewatch/uplink/watch"
)

// server is the other end: Debian's Mosquitto, set up as deploy/broker says, and
// the central server, which acknowledges every hit.
type server struct {
	dir   string // certificates, configuration, log
	port  int
	mosq  *exec.Cmd
	ended chan struct{}

	mu      sync.Mutex
	hits    map[string]int    // by id: how often each was handed over with its first revision
	texts   map[string]string // by id: the plate
	clocks  map[string]message.ClockState
	gaps    []watch.Gap
	changed chan struct{} // closed at the next hit
}

// address is the broker's as the board sees it: qemu's user network maps it to
// this machine's loopback.
func (s *server) address() string { return fmt.Sprintf("10.0.2.2:%d", s.port) }

// newServer makes certificates in dir and starts both.
func newServer(ctx context.Context, dir string) (*server, error) {
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	for _, args := range [][]string{{"authority"}, {"broker", "127.0.0.1", "10.0.2.2"}, {"client", unitName}, {"client", "server"}} {
		out, err := exec.CommandContext(ctx, "deploy/broker/certificates", append([]string{dir}, args...)...).CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("certificates: %w: %s", err, out)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir, port: l.Addr().(*net.TCPAddr).Port, hits: map[string]int{}, texts: map[string]string{},
		clocks: map[string]message.ClockState{}, changed: make(chan struct{})}
	l.Close()
	if err := s.configure(); err != nil {
		return nil, err
	}
	if err := s.up(); err != nil {
		return nil, err
	}
	go s.watch(ctx)
	return s, nil
}

// configure writes Mosquitto's configuration: the committed one, with other places.
func (s *server) configure() error {
	text, err := os.ReadFile("deploy/broker/mosquitto/mosquitto.conf")
	if err != nil {
		return err
	}
	acl, err := os.ReadFile("deploy/broker/mosquitto/acl")
	if err != nil {
		return err
	}
	conf := strings.NewReplacer("/etc/mosquitto/platewatch/", s.dir+"/",
		"\nlistener 8883\n", "\nlistener "+strconv.Itoa(s.port)+" 127.0.0.1\n").Replace(string(text))
	conf = "user root\npersistence true\npersistence_location " + s.dir + "/\nlog_dest file " + s.dir + "/mosquitto.log\n" + conf
	return errors.Join(os.WriteFile(filepath.Join(s.dir, "acl"), acl, 0o600),
		os.WriteFile(filepath.Join(s.dir, "mosquitto.conf"), []byte(conf), 0o600))
}

// up starts Mosquitto and returns when it accepts connections.
func (s *server) up() error {
	s.mosq = exec.Command("/usr/sbin/mosquitto", "-c", filepath.Join(s.dir, "mosquitto.conf"))
	s.mosq.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var said bytes.Buffer
	s.mosq.Stdout, s.mosq.Stderr = &said, &said
	if err := s.mosq.Start(); err != nil {
		return fmt.Errorf("mosquitto: %w (apt install mosquitto)", err)
	}
	ended := make(chan struct{})
	s.ended = ended
	go func() {
		_ = s.mosq.Wait()
		close(ended)
	}()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		select {
		case <-ended:
			return fmt.Errorf("mosquitto: %s", said.String())
		default:
		}
		if c, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(s.port)); err == nil {
			c.Close()
			return nil
		}
	}
	return errors.New("mosquitto accepts no connection")
}

// down ends Mosquitto: the board's uplink is cut.
func (s *server) down() {
	_ = s.mosq.Process.Signal(syscall.SIGTERM)
	<-s.ended
}

// watch is the central server.
func (s *server) watch(ctx context.Context) {
	file := func(name string) string { return filepath.Join(s.dir, name) }
	_ = watch.Run(ctx, watch.Settings{Ack: true, Unit: unitName, MaxBackoff: 2 * time.Second, Brokers: []broker.Broker{{
		URL: "mqtts://127.0.0.1:" + strconv.Itoa(s.port), CAFile: file("ca.crt"), CertFile: file("server.crt"), KeyFile: file("server.key"),
	}}}, watch.Handler{
		Hit: func(h *message.Hit, _ []byte) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			if h.Revision == 1 && !h.PicturesFollow {
				s.hits[h.ID]++
			} else if s.hits[h.ID] == 0 {
				s.hits[h.ID] = 1
			}
			if !h.Withdrawn {
				s.texts[h.ID] = h.Text
			}
			s.clocks[h.ID] = h.Clock
			close(s.changed)
			s.changed = make(chan struct{})
			return nil
		},
		Gap: func(g *watch.Gap) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.gaps = append(s.gaps, *g)
			return nil
		},
	}, slog.New(slog.DiscardHandler))
}

// wait waits until the condition holds of the hits that arrived.
func (s *server) wait(ctx context.Context, what string, condition func() bool) error {
	for {
		s.mu.Lock()
		ok, changed := condition(), s.changed
		s.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%s did not arrive at the server: %w", what, ctx.Err())
		}
	}
}

// count is how many ids have arrived with this plate. The caller holds mu, or is
// a condition of wait.
func (s *server) count(plate string) (n int) {
	for _, text := range s.texts {
		if text == plate {
			n++
		}
	}
	return n
}

// countNow is count for who does not hold mu.
func (s *server) countNow(plate string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count(plate)
}

// total is the number of hits that have arrived.
func (s *server) total() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.hits)
}
