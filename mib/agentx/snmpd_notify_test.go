package agentx

import (
	"errors"
	"slices"
	"strconv"
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
	registered(t, s, 5*time.Second)
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
	eventually(t, 10*time.Second, "receive both", func() bool { return len(events(t, traps.Received())) == 2 })
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
	if !slices.Equal(got[0].Vars, want) || got[0].UpTime > up || got[0].UpTime < up-10*time.Second {
		t.Errorf("received %+v at %v, want %+v", got[0], up, want)
	}
	if got[1].UpTime != 0 {
		t.Errorf("what was before snmpd happened at %v of its time, want 0", got[1].UpTime)
	}
}

// TestSNMPDNotificationsSurviveItsEnds sends 500 notifications while snmpd ends
// again and again, and the caller does what the errors say: what certainly was
// not sent on is given again, what may have been is not. Of an end in order nothing
// remains unknown; of a kill at most one notification.
func TestSNMPDNotificationsSurviveItsEnds(t *testing.T) {
	const all, ends = 500, 4
	for _, c := range []struct {
		name    string
		network func(m *lab.MasterAgent) string
		end     func(m *lab.MasterAgent)
		unknown int // notifications per end, at most
	}{
		{"in order, unix", func(m *lab.MasterAgent) string { return m.Unix }, func(m *lab.MasterAgent) { m.Restart() }, 0},
		{"in order, tcp", func(m *lab.MasterAgent) string { return m.TCP }, func(m *lab.MasterAgent) { m.Restart() }, 0},
		{"killed, unix", func(m *lab.MasterAgent) string { return m.Unix }, func(m *lab.MasterAgent) { m.Kill(); m.Start() }, 1},
		{"killed, tcp", func(m *lab.MasterAgent) string { return m.TCP }, func(m *lab.MasterAgent) { m.Kill(); m.Start() }, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			traps := lab.SNMPTrapD(t)
			m := lab.SNMPD(t, "trap2sink "+traps.Addr+" "+lab.Community)
			s, _ := start(t, c.network(m), snmpGrid)
			registered(t, s, 5*time.Second)
			var sent atomic.Int64
			unknown := make(chan []int, 1)
			go func() {
				var lost []int
				for i := range all {
					if !give(t, s, i) {
						lost = append(lost, i)
					}
					if sent.Add(1)%25 == 0 { // snmptrapd's socket holds some two hundred
						time.Sleep(20 * time.Millisecond)
					}
				}
				unknown <- lost
			}()
			for i := range ends {
				eventually(t, 30*time.Second, "send a fifth", func() bool { return sent.Load() > int64(all*(i+1)/(ends+1)) })
				c.end(m)
			}
			lost := <-unknown
			if len(lost) > ends*c.unknown {
				t.Errorf("not known whether %v were sent on", lost)
			}
			eventually(t, 10*time.Second, "receive", func() bool { return len(events(t, traps.Received())) >= all-len(lost) })
			next := 0
			for _, n := range events(t, traps.Received()) {
				for ; next < n; next++ {
					if !slices.Contains(lost, next) {
						t.Errorf("notification %d is lost", next)
					}
				}
				if n != next {
					t.Errorf("notification %d came after %d", n, next-1)
				}
				next = n + 1
			}
			if st := s.Stats(); st.Reconnects < ends || st.Notifications != uint64(all-len(lost)) {
				t.Errorf("%+v", st)
			}
			t.Logf("%d unknown", len(lost))
		})
	}
}

// give has s send event n, again where it certainly was not sent on. It is false
// where that is not known.
func give(t *testing.T, s *Subagent, n int) bool {
	for {
		err := s.Notify(t.Context(), event(n))
		switch {
		case err == nil:
			return true
		case errors.Is(err, ErrNoSession):
			<-s.Up()
		case errors.Is(err, ErrUnacknowledged):
			return false
		default:
			t.Errorf("notify: %v", err)
			return false
		}
	}
}
