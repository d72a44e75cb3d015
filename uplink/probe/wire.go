package probe

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/mochi-mqtt/server/v2/packets"
)

// wire speaks MQTT on one connection, one packet at a time. The unit's own client
// speaks MQTT 3.1.1, in which a broker does not say that it refused a message;
// MQTT 5 has a reason code in each acknowledgement.
type wire struct {
	conn    net.Conn
	in      *bufio.Reader
	version byte // 5, or 4 for MQTT 3.1.1
	last    uint16
}

const (
	mqtt5   = 5
	mqtt311 = 4

	// maxPacket bounds what is received: retained messages of other units, and
	// manifests.
	maxPacket = 1 << 20
	keepAlive = 60 // seconds
)

func newWire(conn net.Conn, version byte) *wire {
	return &wire{conn: conn, in: bufio.NewReader(conn), version: version}
}

// errVersion: the broker does not speak this version.
var errVersion = errors.New("the broker does not speak MQTT 5")

// refusedError is a broker's reason not to let a client in.
type refusedError struct{ code packets.Code }

func (e *refusedError) Error() string { return "the broker refuses the login: " + e.code.Reason }

// connect logs in with a clean session and no last will.
func (w *wire) connect(id, user, password string) error {
	pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Connect}, ProtocolVersion: w.version,
		Connect: packets.ConnectParams{ProtocolName: []byte("MQTT"), Clean: true, Keepalive: keepAlive, ClientIdentifier: id,
			UsernameFlag: user != "", Username: []byte(user), PasswordFlag: password != "", Password: []byte(password)}}
	if err := w.send(&pk, pk.ConnectEncode); err != nil {
		return err
	}
	header, body, err := w.read()
	switch {
	case err != nil && w.version == mqtt5 && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
		return errors.Join(errVersion, err) // or it refuses the login so: the older version tells
	case err != nil:
		return err
	case header.Type != packets.Connack || len(body) < 2:
		return fmt.Errorf("the broker answers the login with a packet of type %d", header.Type)
	}
	code := body[1] // before any properties
	switch {
	case code == 0:
		return nil
	case code == packets.ErrUnsupportedProtocolVersion.Code || w.version == mqtt5 && code == packets.Err3UnsupportedProtocolVersion.Code:
		return errVersion
	}
	return &refusedError{codeOf(code)}
}

// codeOf names a reason code of either version.
func codeOf(code byte) packets.Code {
	for _, c := range []packets.Code{
		packets.Err3UnsupportedProtocolVersion, packets.Err3ClientIdentifierNotValid, packets.Err3ServerUnavailable,
		packets.Err3NotAuthorized, packets.ErrMalformedUsernameOrPassword,
		packets.ErrBadUsernameOrPassword, packets.ErrNotAuthorized, packets.ErrClientIdentifierNotValid, packets.ErrServerUnavailable,
		packets.ErrServerBusy, packets.ErrBanned, packets.ErrQuotaExceeded,
	} {
		if c.Code == code {
			return c
		}
	}
	return packets.Code{Code: code, Reason: fmt.Sprintf("reason code 0x%02x", code)}
}

// subscribe asks for topics; the answer comes with that packet id.
func (w *wire) subscribe(filters ...string) (id uint16, err error) {
	w.last++
	pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, ProtocolVersion: w.version, PacketID: w.last}
	for _, f := range filters {
		pk.Filters = append(pk.Filters, packets.Subscription{Filter: f})
	}
	return w.last, w.send(&pk, pk.SubscribeEncode)
}

// publish sends a message with QoS 1; its acknowledgement has that packet id.
func (w *wire) publish(topic string, payload []byte) (id uint16, err error) {
	w.last++
	pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1}, ProtocolVersion: w.version,
		PacketID: w.last, TopicName: topic, Payload: payload}
	return w.last, w.send(&pk, pk.PublishEncode)
}

// leave says that the client goes.
func (w *wire) leave() error {
	pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Disconnect}, ProtocolVersion: w.version}
	return w.send(&pk, pk.DisconnectEncode)
}

func (w *wire) send(pk *packets.Packet, encode func(*bytes.Buffer) error) error {
	pk.ProtocolVersion = w.version
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		return err
	}
	_, err := w.conn.Write(b.Bytes())
	return err
}

// read reads one packet.
func (w *wire) read() (packets.FixedHeader, []byte, error) {
	var h packets.FixedHeader
	first, err := w.in.ReadByte()
	if err != nil {
		return h, nil, err
	}
	if err := h.Decode(first); err != nil {
		return h, nil, err
	}
	if h.Remaining, _, err = packets.DecodeLength(w.in); err != nil {
		return h, nil, err
	}
	if h.Remaining > maxPacket {
		return h, nil, fmt.Errorf("the broker sends a packet of %d bytes", h.Remaining)
	}
	body := make([]byte, h.Remaining)
	_, err = io.ReadFull(w.in, body)
	return h, body, err
}

// next reads packets until one of those that a client gets, decoded.
func (w *wire) next() (*packets.Packet, error) {
	for {
		h, body, err := w.read()
		if err != nil {
			return nil, err
		}
		pk := &packets.Packet{FixedHeader: h, ProtocolVersion: w.version}
		switch h.Type {
		case packets.Publish:
			err = pk.PublishDecode(body)
		case packets.Puback:
			err = pk.PubackDecode(body)
		case packets.Suback:
			err = pk.SubackDecode(body)
		case packets.Disconnect:
			_ = pk.DisconnectDecode(body) // only its reason is wanted
			return nil, fmt.Errorf("the broker ends the connection: %s", codeOf(pk.ReasonCode).Reason)
		default:
			continue
		}
		return pk, err
	}
}
