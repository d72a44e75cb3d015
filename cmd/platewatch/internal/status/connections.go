package status

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// Bounds of connections.
const (
	maxConnections = 64
	maxEach        = 24 // from one address, where the page is not on loopback
)

// connections is the listener with its bounds. At a bound the connection that has
// been without an admitted request the longest is closed for the new one, so that
// connections that only wait, or send slowly, lock nobody out.
type connections struct {
	net.Listener
	all, each int

	mu   sync.Mutex
	open map[*connection]struct{}
}

// connection is an open connection. Its fields are guarded by the mutex of its
// listener.
type connection struct {
	net.Conn
	owner   *connections
	network string
	busy    int       // admitted requests that are being answered
	idle    time.Time // since when there is none
}

func limitConnections(l net.Listener, all, each int) *connections {
	return &connections{Listener: l, all: all, each: each, open: map[*connection]struct{}{}}
}

// Accept returns the next connection for which there is room.
func (l *connections) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		address, _, err := net.SplitHostPort(c.RemoteAddr().String())
		if err != nil {
			address = c.RemoteAddr().String()
		}
		n := &connection{Conn: c, owner: l, network: networkOf(address), idle: time.Now()}
		admitted, evicted := l.admit(n)
		if evicted != nil {
			evicted.Conn.Close() // outside the lock; its server notices
		}
		if admitted {
			return n, nil
		}
		c.Close()
	}
}

// admit finds room for a connection, and whose place it takes.
func (l *connections) admit(n *connection) (ok bool, evicted *connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	count := map[string]int{}
	for c := range l.open {
		count[c.network]++
	}
	if count[n.network] >= l.each || len(l.open) >= l.all {
		own := count[n.network] >= l.each
		for c := range l.open {
			if c.busy > 0 || own && c.network != n.network {
				continue
			}
			// Of the address with the most connections, the one idle the longest.
			if evicted == nil || count[c.network] > count[evicted.network] ||
				count[c.network] == count[evicted.network] && c.idle.Before(evicted.idle) {
				evicted = c
			}
		}
		if evicted == nil {
			return false, nil
		}
		delete(l.open, evicted)
	}
	l.open[n] = struct{}{}
	return true, evicted
}

// Close closes the connection and frees its place.
func (c *connection) Close() error {
	c.owner.mu.Lock()
	delete(c.owner.open, c)
	c.owner.mu.Unlock()
	return c.Conn.Close()
}

type connectionContext struct{}

// connectionOf is [http.Server.ConnContext]: it lets [keepConnection] find the
// connection of a request.
func connectionOf(ctx context.Context, c net.Conn) context.Context {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	return context.WithValue(ctx, connectionContext{}, c)
}

// keepConnection keeps the connection of a request while it is answered. Requests
// come here after they were admitted.
func keepConnection(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, ok := r.Context().Value(connectionContext{}).(*connection)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		c.count(1)
		defer c.count(-1)
		next.ServeHTTP(w, r)
	})
}

func (c *connection) count(n int) {
	c.owner.mu.Lock()
	defer c.owner.mu.Unlock()
	c.busy, c.idle = c.busy+n, time.Now()
}
