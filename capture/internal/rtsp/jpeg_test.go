package rtsp

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"image/png"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/pion/rtp"

	"platewatch/capture/source"
)

// jpegCamera is an RTSP camera that sends MJPEG (RFC 2435).
type jpegCamera struct {
	stream *gortsplib.ServerStream
}

func (c *jpegCamera) OnDescribe(*gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return &base.Response{StatusCode: base.StatusOK}, c.stream, nil
}

func (c *jpegCamera) OnSetup(*gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return &base.Response{StatusCode: base.StatusOK}, c.stream, nil
}

func (c *jpegCamera) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// serveJPEG sends packets of pictures, 25 a second, until the test ends.
func serveJPEG(t *testing.T, packets []*rtp.Packet) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &jpegCamera{}
	media := &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{&format.MJPEG{}}}
	server := &gortsplib.Server{Handler: c, RTSPAddress: l.Addr().String(), Listen: func(string, string) (net.Listener, error) { return l, nil }}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	c.stream = &gortsplib.ServerStream{Server: server, Desc: &description.Session{Medias: []*description.Media{media}}}
	if err := c.stream.Initialize(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var sending sync.WaitGroup
	sending.Go(func() {
		tick := time.NewTicker(40 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ; n++ {
			for _, p := range packets {
				q := *p
				q.SequenceNumber, q.Timestamp = uint16(n*len(packets))+p.SequenceNumber, uint32(n*clockRate/25)
				if c.stream.WritePacketRTP(media, &q) != nil {
					return
				}
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		sending.Wait()
		c.stream.Close()
		server.Close()
	})
	return "rtsp://" + l.Addr().String() + "/gate"
}

// packetsOf makes the packets of one picture.
func packetsOf(t *testing.T, picture []byte) []*rtp.Packet {
	t.Helper()
	e, err := (&format.MJPEG{}).CreateEncoder()
	if err != nil {
		t.Fatal(err)
	}
	packets, err := e.Encode(picture)
	if err != nil {
		t.Fatal(err)
	}
	first := packets[0].SequenceNumber
	for _, p := range packets {
		p.SequenceNumber -= first
	}
	return packets
}

// MJPEG over RTSP gives the camera's pictures.
func TestMJPEG(t *testing.T) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewYCbCr(image.Rect(0, 0, 320, 240), image.YCbCrSubsampleRatio420), nil); err != nil {
		t.Fatal(err)
	}
	frame(t, source.Config{Source: serveJPEG(t, packetsOf(t, b.Bytes()))}, 320, 240)
}

// A camera sends a PNG where MJPEG over RTSP has its JPEG data, and noise: no decoder of
// another format is reached, and no frame comes of it.
func TestAttackOtherFormatsOverRTSP(t *testing.T) {
	t.Parallel()
	var good, small bytes.Buffer
	if err := jpeg.Encode(&good, image.NewYCbCr(image.Rect(0, 0, 320, 240), image.YCbCrSubsampleRatio420), nil); err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(&small, image.NewGray(image.Rect(0, 0, 320, 240))); err != nil {
		t.Fatal(err)
	}
	packets := packetsOf(t, good.Bytes())
	const headers = 8 // bytes of RFC 2435, section 3.1, before tables and data
	for _, p := range packets {
		p.Payload = bytes.Clone(p.Payload)
		copy(p.Payload[min(headers, len(p.Payload)):], small.Bytes())
	}
	err := lost(t, source.Config{Source: serveJPEG(t, packets), OpenTimeout: 2 * time.Second, ReadTimeout: time.Second})
	if err == nil || strings.Contains(err.Error(), "crashed") {
		t.Errorf("%v", err)
	}
}
