package notify_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"lvs/mib/notify"
	"lvs/mib/smi"
)

// A printer is a target that has to be asked twice.
type printer struct{ asked bool }

func (p *printer) Notify(_ context.Context, n smi.Notification) error {
	if !p.asked {
		p.asked = true
		return fmt.Errorf("out of paper: %w", notify.ErrLater)
	}
	fmt.Println(n.OID, n.Subject)
	return nil
}

func Example() {
	q := notify.New(notify.Config{Targets: map[string]notify.Target{"printer": &printer{}}})
	q.Enqueue([]smi.Notification{
		{OID: smi.OID{1, 3, 6, 1, 4, 1, 8225, 4711, 100, 0, 3}, Time: time.Now(), Subject: "10.0.0.1:80"},
		{OID: smi.OID{1, 3, 6, 1, 4, 1, 8225, 4711, 100, 0, 2}, Time: time.Now(), Subject: "10.0.0.1:80"},
	})
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { q.Run(ctx) })
	stop() // what waits is still delivered
	wg.Wait()
	s := q.Stats()["printer"]
	fmt.Println(s.Sent, "sent,", s.Retries, "retry,", s.Dropped(), "dropped")
	// Output:
	// 1.3.6.1.4.1.8225.4711.100.0.3 10.0.0.1:80
	// 1.3.6.1.4.1.8225.4711.100.0.2 10.0.0.1:80
	// 2 sent, 1 retry, 0 dropped
}
