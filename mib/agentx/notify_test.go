package agentx

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"lvs/mib/smi"
)

var eventOID = gridRoot.Append(0, 1)

// event is the n-th notification of a test; its number is its only variable.
func event(n int) smi.Notification {
	return smi.Notification{OID: eventOID, Time: time.Now(), Vars: []smi.VarBind{
		bind(gridRoot.Append(9, 0), smi.Value{Type: smi.Counter32, Int: uint64(n)}),
	}}
}

// eventNumber is that of a Notify PDU.
func eventNumber(p *PDU) int { return int(p.VarBinds[len(p.VarBinds)-1].Value.Int) }

// notify starts s.Notify and returns where its error will be.
func notify(ctx context.Context, s *Subagent, n smi.Notification) <-chan error {
	c := make(chan error, 1)
	go func() { c <- s.Notify(ctx, n) }()
	return c
}

// is reports whether c has exactly the error want.
func is(t *testing.T, what string, c <-chan error, want ...error) {
	t.Helper()
	err := <-c
	if (err == nil) != (len(want) == 0) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
	for _, w := range want {
		if !errors.Is(err, w) {
			t.Errorf("%s: error %v, want %v", what, err, w)
		}
	}
	for _, w := range []error{ErrNoSession, ErrUnacknowledged} {
		if errors.Is(err, w) && !errors.Is(errors.Join(want...), w) {
			t.Errorf("%s: error %v, want %v only", what, err, want)
		}
	}
}

func TestNotificationIsSentAndAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testGrid)
		m := r.join() // at 12.34 s of the master's time
		time.Sleep(10 * time.Second)
		now := time.Now()
		for _, c := range []struct {
			at    time.Time
			ticks uint64
		}{
			{now, 2234}, {time.Time{}, 2234}, {now.Add(time.Hour), 2234}, {now.Add(-10 * time.Second), 1234},
			{now.Add(-22340 * time.Millisecond), 0}, {now.Add(-time.Hour), 0}, {time.Unix(0, 0), 0},
		} {
			n := event(5)
			n.Time = c.at
			got := notify(t.Context(), r.Subagent, n)
			p := m.expect(Notify)
			want := []smi.VarBind{
				bind(sysUpTime, smi.Value{Type: smi.TimeTicks, Int: c.ticks}),
				bind(snmpTrapOID, smi.Value{Type: smi.ObjectID, OID: eventOID}),
				n.Vars[0],
			}
			if diff := cmp.Diff(want, p.VarBinds); diff != "" || p.SessionID != 7 || p.Flags != NetworkByteOrder {
				t.Errorf("at %v: %+v (-want +got)\n%s", c.at, p, diff)
			}
			m.ask(&PDU{Type: Get, Ranges: []Range{{Start: gridRoot}}}) // requests go on
			m.answer(p, NoError)
			is(t, "notify", got)
		}
		if st := r.Stats(); st.Notifications != 7 || st.NotificationErrors != 0 {
			t.Errorf("%+v", st)
		}
	})
}

func TestRefusedNotificationIsTheMastersError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testGrid)
		m := r.join()
		got := notify(t.Context(), r.Subagent, event(1))
		m.answer(m.expect(Notify), ProcessingError)
		is(t, "refused", got, ProcessingError)
		long := event(2)
		long.Vars = append(long.Vars, bind(make(smi.OID, 129), smi.Value{}))
		if err := r.Notify(t.Context(), long); err == nil || errors.Is(err, ErrNoSession) || errors.Is(err, ErrUnacknowledged) {
			t.Errorf("what cannot be encoded: %v", err)
		}
		got = notify(t.Context(), r.Subagent, event(3))
		m.answer(m.expect(Notify), NoError)
		is(t, "the next", got)
		if st := r.Stats(); st.Notifications != 1 || st.NotificationErrors != 2 || st.Reconnects != 0 {
			t.Errorf("%+v", st)
		}
	})
}

func TestNotificationsNeedASession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestSubagent(t, "tcp:localhost:705", &syncBuffer{})
		is(t, "before Run", notify(t.Context(), s, event(1)), ErrNoSession)
		r := newRig(t, testGrid)
		is(t, "before the connection", notify(t.Context(), r.Subagent, event(1)), ErrNoSession)
		up := r.Up()
		m := r.accept()
		p := m.expect(Open)
		is(t, "before Open's answer", notify(t.Context(), r.Subagent, event(1)), ErrNoSession)
		select {
		case <-up:
			t.Error("up without a session")
		default:
		}
		m.answer(p, NoError)
		reg, caps := m.expect(Register), m.expect(AddAgentCaps)
		<-up
		got := notify(t.Context(), r.Subagent, event(2)) // registered or not
		m.answer(m.expect(Notify), NoError)
		is(t, "with a session", got)
		m.answer(reg, NoError)
		m.answer(caps, NoError)
		<-r.Up()
		go r.stop()
		m.expect(RemoveAgentCaps)
		m.expect(Close)
		r.stop()
		is(t, "after Run", notify(t.Context(), r.Subagent, event(3)), ErrNoSession)
		select {
		case <-r.Up():
			t.Error("up after Run")
		default:
		}
	})
}

// TestAnswersOutOfOrder: they find their notifications, and of a master that gives
// them that way nothing can be told by their order.
func TestAnswersOutOfOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testGrid)
		m := r.join()
		var got []<-chan error
		var asked []*PDU
		for i := range 5 {
			got = append(got, notify(t.Context(), r.Subagent, event(i)))
			asked = append(asked, m.expect(Notify))
		}
		m.answer(asked[3], ProcessingError)
		is(t, "the fourth", got[3], ProcessingError)
		m.answer(asked[1], NoError)
		is(t, "the second", got[1])
		m.answer(asked[1], NoError) // again, which is to be ignored
		m.conn.Close()
		for _, i := range []int{0, 2, 4} {
			is(t, fmt.Sprint("notification ", i), got[i], ErrUnacknowledged, errGone)
		}
	})
}

func TestNotificationMayBeGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testGrid)
		m := r.join()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		got := notify(ctx, r.Subagent, event(1))
		p := m.expect(Notify)
		is(t, "given up", got, ErrUnacknowledged, context.DeadlineExceeded)
		m.answer(p, NoError) // late
		if err := r.Notify(ctx, event(2)); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrUnacknowledged) {
			t.Errorf("with a context that ended: %v", err)
		}
		got = notify(t.Context(), r.Subagent, event(3))
		if p = m.expect(Notify); eventNumber(p) != 3 {
			t.Errorf("notification %d, want 3", eventNumber(p))
		}
		m.answer(p, NoError)
		is(t, "the next", got)
	})
}

// TestNotificationsQueueInOrder has far more callers than may wait for an answer.
func TestNotificationsQueueInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const all = 100
		r := newRig(t, testGrid)
		m := r.join()
		var got []<-chan error
		for i := range all {
			got = append(got, notify(t.Context(), r.Subagent, event(i)))
			if i == 0 {
				synctest.Wait() // it writes, and the others wait for that
			}
			time.Sleep(time.Millisecond)
		}
		var asked []*PDU
		for i := range all {
			p := m.expect(Notify)
			if eventNumber(p) != i {
				t.Errorf("notification %d in place %d", eventNumber(p), i)
			}
			if asked = append(asked, p); len(asked) == notesInFlight {
				synctest.Wait()
				m.ask(&PDU{Type: Ping}) // comes before the next notification, which has to wait
				m.answer(asked[0], NoError)
				asked = asked[1:]
			}
		}
		for _, p := range asked {
			m.answer(p, NoError)
		}
		for i, g := range got {
			is(t, fmt.Sprint("notification ", i), g)
		}
	})
}
