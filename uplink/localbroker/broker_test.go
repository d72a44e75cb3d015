package localbroker

import (
	"sync"
	"testing"
)

// A broker ends while clients leave: the server's own way to end waited for ever.
func TestCloseWhileClientsLeave(t *testing.T) {
	for range 100 {
		b, err := Start("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		var leaving sync.WaitGroup
		for range 2 {
			leaving.Go(func() {
				for {
					select {
					case <-ended:
						return
					default:
						b.server.Clients.Delete("nobody") // what a client does last
					}
				}
			})
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		close(ended)
		leaving.Wait()
	}
}
