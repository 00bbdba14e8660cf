package notify

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"lvs/internal/lab"
	"lvs/mib/notify/notifytest"
	"lvs/mib/smi"
)

// flapping is the hour that managers have to be told of: 20 real servers of five
// virtual services.
func flapping() *notifytest.Script { return notifytest.Flapping(1, 5, 4, time.Hour, time.Second) }

// notifications are the i-th events of a script, numbered from i; their variables
// say what they are about.
func notifications(events []notifytest.Event, i int) (all []smi.Notification) {
	for j, e := range events {
		n := event(i + j)
		n.OID, n.Subject = smi.OID{1, 3, uint32(i + j)}, e.Subject()
		n.Vars = []smi.VarBind{
			{Name: smi.OID{1, 3, 1}, Value: smi.Value{Type: smi.Gauge32, Int: uint64(e.Kind)}},
			{Name: smi.OID{1, 3, 2}, Value: smi.Value{Type: smi.OctetString, Bytes: []byte(e.Subject())}},
		}
		all = append(all, n)
	}
	return all
}

// TestQueueDeliversAnHourOfFlapping lives through the hour with a target that is
// away for two minutes of every ten.
func TestQueueDeliversAnHourOfFlapping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script := flapping()
		f := newFake(func(_ int, at time.Duration) error {
			if at%(10*time.Minute) > 8*time.Minute {
				return ErrLater
			}
			return nil
		})
		q, _ := running(t, one(f))
		for i, n := range notifications(script.Events, 0) {
			time.Sleep(script.Events[i].At - time.Since(f.start))
			q.Enqueue([]smi.Notification{n})
		}
		time.Sleep(10 * time.Minute)
		if got := f.taken(); !slices.Equal(got, upTo(0, len(script.Events))) {
			t.Errorf("taken %v", got)
		}
		for _, try := range f.all() {
			at := script.Events[try.number].At
			if since := at % (10 * time.Minute); since < 30*time.Second || since > 8*time.Minute {
				continue // away, or just back
			}
			if try.at != at {
				t.Errorf("number %d was %v late", try.number, try.at-at)
			}
		}
		s := q.Stats()["m"]
		balanced(t, s)
		if s.Sent != s.Enqueued || s.Retries < 50 {
			t.Errorf("%+v", s)
		}
	})
}

// TestSNMPTrapDReceivesAnHourOfFlapping has the hour pass in a moment, with
// snmptrapd restarted twice meanwhile.
func TestSNMPTrapDReceivesAnHourOfFlapping(t *testing.T) {
	script := flapping()
	r := lab.SNMPTrapD(t)
	m := manager(t, ManagerConfig{Address: r.Addr6, User: authPriv(), Inform: true, Timeout: 20 * time.Second})
	q, _ := running(t, Config{Targets: map[string]Target{"m": m}, Rate: -1, Limit: 4 * len(script.Events)})
	part := len(script.Events)/3 + 1
	for i := 0; i < len(script.Events); i += part {
		q.Enqueue(notifications(script.Events[i:min(i+part, len(script.Events))], i))
		lab.Wait(t, "some are received", func() bool { return len(r.Received()) > i+part/2 })
		r.Terminate()
		r.Start()
	}
	got := r.WaitReceived(len(script.Events))
	if len(got) != len(script.Events) {
		t.Errorf("received %d, want %d", len(got), len(script.Events))
	}
	for i, want := range notifications(script.Events, 0) {
		if got[i].OID != want.OID.String() || got[i].Vars[1].Value != want.Subject {
			t.Fatalf("the %dth that was received is %+v, want %+v", i, got[i], want)
		}
	}
}
