package agentx

import (
	"errors"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lvs/internal/lab"
	"lvs/mib/smi"
)

// events are the numbers of those notifications that are a test's own, in the
// order they came: snmpd tells of its own start as well.
func events(t *testing.T, received []lab.Received) (numbers []int) {
	t.Helper()
	for _, r := range received {
		if r.OID != eventOID.String() {
			continue
		}
		if len(r.Vars) == 0 || r.Vars[0].Name != gridRoot.Append(9, 0).String() || r.Vars[0].Type != "Counter32" {
			t.Fatalf("received %+v", r)
		}
		n, err := strconv.Atoi(r.Vars[0].Value)
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, n)
	}
	return numbers
}

func TestSNMPDSendsNotificationsOn(t *testing.T) {
	traps := lab.SNMPTrapD(t)
	m := lab.SNMPD(t, "trap2sink "+traps.Addr+" "+lab.Community)
	s, _ := start(t, m.Unix, snmpGrid)
	registered(t, s)
	earlier := time.Since(s.Stats().MasterStart)
	n := event(1)
	n.Vars = append(n.Vars, bind(gridRoot.Append(9, 1), octets("real server 10.0.0.1 is down")), bind(gridRoot.Append(9, 2), smi.Value{Type: smi.Counter64, Int: 1 << 40}))
	if err := s.Notify(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	old := event(2)
	old.Time = time.Now().Add(-time.Hour)
	if err := s.Notify(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	if err := s.Notify(t.Context(), smi.Notification{OID: eventOID, Vars: []smi.VarBind{bind(make(smi.OID, 200), number(1))}}); err == nil {
		t.Error("a name of 200 sub-identifiers was taken")
	}
	up := time.Since(s.Stats().MasterStart)
	eventually(t, "receive both", func() bool { return len(events(t, traps.Received())) == 2 })
	var got []lab.Received
	for _, r := range traps.Received() {
		if r.OID == eventOID.String() {
			got = append(got, r)
		}
	}
	want := []lab.ReceivedVar{
		{Name: gridRoot.Append(9, 0).String(), Type: "Counter32", Value: "1"},
		{Name: gridRoot.Append(9, 1).String(), Type: "STRING", Value: "real server 10.0.0.1 is down"},
		{Name: gridRoot.Append(9, 2).String(), Type: "Counter64", Value: "1099511627776"},
	}
	if !slices.Equal(got[0].Vars, want) || got[0].UpTime > up || got[0].UpTime < earlier.Truncate(10*time.Millisecond) {
		t.Errorf("received %+v, want %+v between %v and %v", got[0], want, earlier, up)
	}
	if got[1].UpTime != 0 {
		t.Errorf("what was before snmpd happened at %v of its time, want 0", got[1].UpTime)
	}
}

// TestSNMPDNotificationsSurviveItsEnds sends 500 notifications while snmpd ends
// again and again, and the callers do what the errors say: what was not sent on
// is given again, what may have been is not. Where one notification is under
// way at a time nothing remains unknown of an end in order; otherwise at most
// one for each end.
func TestSNMPDNotificationsSurviveItsEnds(t *testing.T) {
	const all, ends = 500, 4
	restart := func(m *lab.MasterAgent) { m.Restart() }
	kill := func(m *lab.MasterAgent) { m.Kill(); m.Start() }
	unix := func(m *lab.MasterAgent) string { return m.Unix }
	tcp := func(m *lab.MasterAgent) string { return m.TCP }
	for _, c := range []struct {
		name    string
		address func(m *lab.MasterAgent) string
		end     func(m *lab.MasterAgent)
		callers int
		unknown int // at most
		walks   bool
	}{
		{"in order, unix", unix, restart, 1, 0, false},
		{"in order, tcp", tcp, restart, 1, 0, false},
		{"in order, during walks", unix, restart, 1, 0, true},
		{"in order, many callers", unix, restart, 16, ends, false},
		{"killed, unix", unix, kill, 1, ends, false},
		{"killed, tcp", tcp, kill, 1, ends, false},
		{"killed, many callers", unix, kill, 16, ends, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			traps := lab.SNMPTrapD(t)
			m := lab.SNMPD(t, "trap2sink "+traps.Addr+" "+lab.Community)
			s, _ := start(t, c.address(m), snmpGrid)
			registered(t, s)
			if c.walks {
				walkAll(t, m)
			}
			g := giveAll(t, s, traps, all, c.callers)
			for i := range ends {
				eventually(t, "send a fifth", func() bool { return g.given.Load() > int64(all*(i+1)/(ends+1)) })
				c.end(m)
			}
			g.callers.Wait()
			if len(g.unknown) > c.unknown {
				t.Errorf("not known whether %v were sent on", g.unknown)
			}
			sent := all - len(g.unknown)
			eventually(t, "receive", func() bool { return len(events(t, traps.Received())) >= sent })
			times := make([]int, all)
			last := -1
			for _, n := range events(t, traps.Received()) {
				times[n]++
				if c.callers == 1 && n < last {
					t.Errorf("notification %d came after %d", n, last)
				}
				last = n
			}
			for n, k := range times {
				if k > 1 || k == 0 && !slices.Contains(g.unknown, n) {
					t.Errorf("notification %d came %d times", n, k)
				}
			}
			eventually(t, "begin a session after each end", func() bool { return s.Stats().Reconnects >= ends })
			if st := s.Stats(); st.Notifications != uint64(sent) {
				t.Errorf("%+v", st)
			}
		})
	}
}

// walkAll walks the table again and again until the test ends.
func walkAll(t *testing.T, m *lab.MasterAgent) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default: // it fails while snmpd is away
				m.Ask("snmpbulkwalk", "2c", []string{"-On", "-t", "0.2", "-r", "0"}, gridRoot.String())
			}
		}
	})
	t.Cleanup(func() { close(done); wg.Wait() })
}

// A giving is some goroutines that give a subagent notifications.
type giving struct {
	callers sync.WaitGroup
	given   atomic.Int64 // begun
	came    atomic.Int64 // at least so many were received, or may never be
	traps   *lab.Receiver

	mu      sync.Mutex
	unknown []int // those that may have been sent on
}

// giveAll has so many callers give events 0 to all-1 to s. They never are far ahead
// of what traps received: its socket holds no more than two hundred.
func giveAll(t *testing.T, s *Subagent, traps *lab.Receiver, all, callers int) *giving {
	g := &giving{traps: traps}
	for range callers {
		g.callers.Go(func() {
			for {
				n := int(g.given.Add(1)) - 1
				if n >= all {
					return
				}
				if ahead := int64(n) - 100; ahead > g.came.Load() {
					g.await(t, ahead)
				}
				g.give(t, s, n)
				if n%(1+24/callers) == 0 {
					time.Sleep(20 * time.Millisecond) // for them to last until snmpd has ended
				}
			}
		})
	}
	return g
}

// await returns when n were received, or may never be.
func (g *giving) await(t *testing.T, n int64) {
	eventually(t, "be received", func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.came.Store(int64(len(events(t, g.traps.Received())) + len(g.unknown)))
		return g.came.Load() >= n
	})
}

// give has s send event n, again where it was not sent on.
func (g *giving) give(t *testing.T, s *Subagent, n int) {
	for {
		err := s.Notify(t.Context(), event(n))
		switch {
		case err == nil:
			return
		case errors.Is(err, ErrNoSession):
			<-s.Up()
		case errors.Is(err, ErrUnacknowledged):
			g.mu.Lock()
			defer g.mu.Unlock()
			g.unknown = append(g.unknown, n)
			return
		default:
			t.Errorf("notify: %v", err)
			return
		}
	}
}
