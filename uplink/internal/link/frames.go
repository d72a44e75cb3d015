package link

import "fmt"

// frames follows the packets in one direction of an MQTT connection without
// keeping them. Inbound it bounds what the peer can make paho allocate, which
// would otherwise be 256 MiB for five bytes; outbound it reports when a PUBLISH
// was written completely.
type frames struct {
	limit    int // bytes a packet may have after its header; 0 is no limit
	onPacket func(kind byte)

	state     int // 0: at a packet's first byte; 1: in its length; 2: in its body
	kind      byte
	remaining int
	shift     uint
}

const (
	packetPublish = 3
	// maxLengthShift: the length has at most four bytes of seven bits.
	maxLengthShift = 21
)

// feed takes the next bytes of the stream.
func (f *frames) feed(b []byte) error {
	for len(b) > 0 {
		switch f.state {
		case 0:
			f.kind, f.remaining, f.shift, f.state = b[0]>>4, 0, 0, 1
			b = b[1:]
		case 1:
			f.remaining |= int(b[0]&0x7f) << f.shift
			more := b[0]&0x80 != 0
			b = b[1:]
			if more {
				if f.shift += 7; f.shift > maxLengthShift {
					return fmt.Errorf("the other side does not speak MQTT: malformed packet length")
				}
				continue
			}
			if f.limit > 0 && f.remaining > f.limit {
				return fmt.Errorf("the other side sent a packet of %d bytes, more than %d", f.remaining, f.limit)
			}
			f.state = 2
		}
		if f.state == 2 {
			n := min(f.remaining, len(b))
			f.remaining -= n
			b = b[n:]
			if f.remaining == 0 {
				f.state = 0
				if f.onPacket != nil {
					f.onPacket(f.kind)
				}
			}
		}
	}
	return nil
}
