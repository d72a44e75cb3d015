package uplink

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// BenchmarkDelivery is a backlog of 1,000 hits going to Mosquitto, with each
// removal on disk. It reports hits a second.
func BenchmarkDelivery(b *testing.B) {
	for _, pictures := range []bool{false, true} {
		b.Run(fmt.Sprintf("pictures=%t", pictures), func(b *testing.B) {
			const n = 1000
			broker := newMosquitto(b, "allow_anonymous true\n")
			var busy time.Duration
			for range b.N {
				b.StopTimer()
				o, err := OpenOutbox(b.TempDir()+"/outbox.db", "unit-7", OutboxOptions{}, discard)
				if err != nil {
					b.Fatal(err)
				}
				for i := range n {
					h := testHit(fmt.Sprintf("P%d", i))
					if pictures {
						h = withPictures(h, 4_000, 40_000)
					}
					if _, err := o.Accept(h); err != nil {
						b.Fatal(err)
					}
				}
				b.StartTimer()
				begin := time.Now()
				deliverAll(b, o, broker.addr())
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

func deliverAll(b *testing.B, o *Outbox, addr string) {
	c, err := NewClient(ClientConfig{Brokers: []Broker{{URL: "tcp://" + addr}}}, o, discard)
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
