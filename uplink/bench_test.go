package uplink

import (
	"context"
	"fmt"
	"testing"
	"time"

	"platewatch/uplink/broker"
	"platewatch/uplink/internal/uplinktest"
	"platewatch/uplink/outbox"
)

// BenchmarkDelivery is a backlog of 1,000 hits going to Mosquitto, with each
// removal on disk. It reports hits a second.
func BenchmarkDelivery(b *testing.B) {
	for _, pictures := range []bool{false, true} {
		b.Run(fmt.Sprintf("pictures=%t", pictures), func(b *testing.B) {
			const n = 1000
			broker := uplinktest.NewMosquitto(b, "allow_anonymous true\n")
			var busy time.Duration
			for range b.N {
				b.StopTimer()
				o, err := outbox.Open(b.TempDir()+"/outbox.db", "unit-7", outbox.Settings{}, uplinktest.Discard)
				if err != nil {
					b.Fatal(err)
				}
				for i := range n {
					h := uplinktest.Hit(fmt.Sprintf("P%d", i))
					if pictures {
						h = uplinktest.WithPictures(h, 4_000, 40_000)
					}
					if _, err := o.Accept(h); err != nil {
						b.Fatal(err)
					}
				}
				b.StartTimer()
				begin := time.Now()
				deliverAll(b, o, broker.Addr())
				busy += time.Since(begin)
				b.StopTimer()
				if err := o.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n*b.N)/busy.Seconds(), "hits/s")
		})
	}
}

func deliverAll(b *testing.B, o *outbox.Outbox, addr string) {
	c, err := NewClient(Settings{Brokers: []broker.Broker{{URL: "tcp://" + addr}}}, o, uplinktest.Discard)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for o.Stats().Entries > 0 {
		<-tick.C
	}
	cancel()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}
