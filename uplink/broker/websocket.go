package broker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"platewatch/uplink/failure"
)

// webSocket is a connection that carries MQTT in binary messages, whose bounds mean
// nothing to MQTT.
type webSocket struct {
	*websocket.Conn
	under net.Conn

	write sync.Mutex
	read  sync.Mutex
	in    io.Reader // rest of the message being read; nil: none
}

// overWebSocket asks the server on a connection, which has TLS already, for MQTT over
// WebSockets.
func overWebSocket(ctx context.Context, nc net.Conn, u *url.URL) (net.Conn, error) {
	dialer := websocket.Dialer{
		NetDialContext:    func(context.Context, string, string) (net.Conn, error) { return nc, nil },
		NetDialTLSContext: func(context.Context, string, string) (net.Conn, error) { return nc, nil },
		Subprotocols:      []string{"mqtt"},
	}
	ws, answer, err := dialer.DialContext(ctx, u.String(), nil)
	switch {
	case errors.Is(err, websocket.ErrBadHandshake) && answer != nil:
		answer.Body.Close()
		nc.Close()
		return nil, &failure.Error{Op: "use the broker", Path: Redact(u.String()), Err: fmt.Errorf("the server answers HTTP %d instead of MQTT over WebSockets", answer.StatusCode),
			Advice: "check the path after the host, often /mqtt, and that this port is for WebSockets"}
	case err != nil:
		nc.Close()
		return nil, fmt.Errorf("WebSockets: %w", err)
	}
	return &webSocket{Conn: ws, under: nc}, nil
}

// NetConn returns the connection below, which shows its TLS state.
func (w *webSocket) NetConn() net.Conn { return w.under }

func (w *webSocket) Read(p []byte) (int, error) {
	w.read.Lock()
	defer w.read.Unlock()
	for {
		if w.in == nil {
			_, r, err := w.NextReader()
			if err != nil {
				return 0, closed(err)
			}
			w.in = r
		}
		n, err := w.in.Read(p)
		if errors.Is(err, io.EOF) {
			w.in, err = nil, nil
		}
		if n > 0 || err != nil || len(p) == 0 {
			return n, closed(err)
		}
	}
}

func (w *webSocket) Write(p []byte) (int, error) {
	w.write.Lock()
	defer w.write.Unlock()
	if err := w.WriteMessage(websocket.BinaryMessage, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// SetDeadline implements [net.Conn].
func (w *webSocket) SetDeadline(t time.Time) error {
	return errors.Join(w.SetReadDeadline(t), w.SetWriteDeadline(t))
}

// closed is [io.EOF] where the server has closed the connection, as without
// WebSockets.
func closed(err error) error {
	var c *websocket.CloseError
	if errors.As(err, &c) {
		return io.EOF
	}
	return err
}
