package capture

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"platewatch/capture/internal/capturetest"
	"platewatch/capture/rtsptest"
)

// One camera that takes connections and never answers does not delay the
// opening of another: each is a fault domain of its own.
func TestHungCameraDelaysNoOther(t *testing.T) {
	taken := make(chan struct{}, 8)
	address := capturetest.Accept(t, func(c net.Conn) {
		buf := make([]byte, 1)
		if n, _ := c.Read(buf); n > 0 { // the library, not the connection check before it
			taken <- struct{}{}
		}
		io.Copy(io.Discard, c)
	})
	s := capturetest.Serve(t, "127.0.0.1:0", rtsptest.Options{Loop: true}, capturetest.AnnexB(t, 160, 120, 25, 25))
	var hung sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	for range 3 {
		hung.Go(func() {
			_, err := Open(ctx, Config{Source: "rtsp://" + address + "/x", OpenTimeout: 30 * time.Second})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("the hung one: %v", err)
			}
		})
	}
	for range 3 {
		<-taken
	}
	defer hung.Wait()
	defer cancel()
	begin := time.Now()
	src, err := Open(t.Context(), patient(Config{Source: s.URL("gate")}))
	if err != nil {
		t.Fatal(err)
	}
	src.Close()
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("the other one took %v to open", took)
	}
}
