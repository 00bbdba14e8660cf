package agentx

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestSessionsEndTellsWhatIsKnown has three notifications wait for an answer when
// the session ends, each of its ways.
func TestSessionsEndTellsWhatIsKnown(t *testing.T) {
	for _, c := range []struct {
		name         string
		end          func(r *rig, m *fakeMaster)
		first, later error
		cause        error
	}{
		{"closed in order", func(r *rig, m *fakeMaster) {
			m.send(&PDU{Type: Close, SessionID: 7, Reason: ReasonShutdown})
			m.expect(Close)
		}, ErrNoSession, ErrNoSession, errClosed},
		{"died", func(r *rig, m *fakeMaster) { m.conn.Close() }, ErrUnacknowledged, ErrNoSession, errGone},
		{"hung", func(r *rig, m *fakeMaster) {
			before := time.Now()
			m.expect(Close)
			if d := time.Since(before); d != 5*time.Second {
				t.Errorf("left after %v, want 5s", d)
			}
		}, ErrUnacknowledged, ErrUnacknowledged, os.ErrDeadlineExceeded},
		{"stopped", func(r *rig, m *fakeMaster) {
			go r.stop()
			m.expect(RemoveAgentCaps)
			m.expect(Close)
		}, ErrUnacknowledged, ErrUnacknowledged, errInterrupted},
		{"garbage", func(r *rig, m *fakeMaster) {
			m.conn.Write(make([]byte, headerSize))
			m.expect(Close)
		}, ErrUnacknowledged, ErrUnacknowledged, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, testGrid)
				m := r.join()
				var got []<-chan error
				for i := range 3 {
					got = append(got, notify(t.Context(), r.Subagent, event(i)))
					m.expect(Notify)
				}
				c.end(r, m)
				for i, g := range got {
					want := []error{c.first, c.cause}
					if i > 0 {
						want[0] = c.later
					}
					if c.cause == nil {
						want = want[:1]
					}
					is(t, fmt.Sprint("notification ", i), g, want...)
				}
			})
		})
	}
}

// TestAnswerOverridesTheEnd: what the master answered before it went counts, also
// where the subagent learns of its end first, by writing.
func TestAnswerOverridesTheEnd(t *testing.T) {
	s := newTestSubagent(t, "tcp:localhost:705", &syncBuffer{})
	m := newFakeMaster(t, nil)
	w := []*note{{packetID: 1, done: make(chan error, 1)}, {packetID: 2, done: make(chan error, 1)}}
	stream := m.encode(&PDU{Type: Response, PacketID: 1})
	stream = append(stream, m.encode(&PDU{Type: Get, PacketID: 9, Ranges: []Range{{Start: gridRoot}}})...)
	stream = append(stream, m.encode(&PDU{Type: Close, Reason: ReasonShutdown})...)
	ss := newSession(s, &chunks{b: stream, size: 7}, &handler{counters: &s.counters})
	ss.notes = append(ss.notes, w...)
	ss.slots <- struct{}{}
	ss.slots <- struct{}{}
	ss.end(ss.drain(errors.New("the answer could not be written")))
	is(t, "answered", w[0].done)
	is(t, "not answered", w[1].done, ErrNoSession, errClosed)
}

// TestMasterThatDidNotReadDidNotSend tells a master that goes before it has read
// a notification from one that goes after, over the kernel's sockets.
func TestMasterThatDidNotReadDidNotSend(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		server := listen(t, network)
		s, _ := start(t, network+":"+server.Addr().String(), testGrid)
		for _, c := range []struct {
			name string
			read func(m *fakeMaster)
			want error
		}{
			{"part of it", func(m *fakeMaster) { m.conn.Read(make([]byte, 1)) }, ErrNoSession},
			{"all of it", func(m *fakeMaster) { m.expect(Notify) }, ErrUnacknowledged},
		} {
			conn, err := server.Accept()
			if err != nil {
				t.Fatal(err)
			}
			m := newFakeMaster(t, conn)
			m.welcome()
			<-s.Up()
			got := notify(t.Context(), s, event(1))
			c.read(m)
			conn.Close()
			is(t, network+", "+c.name, got, c.want)
		}
	}
}

func TestForgottenSessionTakesNoNotifications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testGrid)
		m := r.join()
		got := notify(t.Context(), r.Subagent, event(1))
		m.answer(m.expect(Notify), NotOpen)
		is(t, "forgotten", got, ErrNoSession, NotOpen)
		select {
		case <-r.Up():
			t.Error("still up")
		default:
		}
		m.expect(Close)
		m = r.join()
		<-r.Up()
		got = notify(t.Context(), r.Subagent, event(1))
		m.answer(m.expect(Notify), NoError)
		is(t, "again", got)
	})
}

// TestNotificationsWaitNoLongerThanTheSession: those whose turn has not come
// are told at once, too.
func TestNotificationsWaitNoLongerThanTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testGrid)
		m := r.join()
		var got []<-chan error
		for i := range 2 * notesInFlight {
			got = append(got, notify(t.Context(), r.Subagent, event(i)))
		}
		for range notesInFlight {
			m.expect(Notify)
		}
		synctest.Wait()
		m.conn.Close()
		unknown := 0
		for _, g := range got {
			if err := <-g; errors.Is(err, ErrUnacknowledged) {
				unknown++
			} else if !errors.Is(err, ErrNoSession) {
				t.Errorf("error %v", err)
			}
		}
		if unknown != 1 {
			t.Errorf("%d may have been sent on, want the first", unknown)
		}
	})
}

// TestNotifyDuringWalks is for the race detector: real connections, walks,
// trees replaced, and notifications from many goroutines while sessions end.
func TestNotifyDuringWalks(t *testing.T) {
	server := listen(t, "tcp")
	s, stop := start(t, "tcp:"+server.Addr().String(), testGrid)
	const callers, each = 8, 40
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := range each {
				for {
					err := s.Notify(t.Context(), event(c*each+i))
					if err == nil {
						break
					}
					if errors.Is(err, ErrUnacknowledged) {
						break
					}
					if !errors.Is(err, ErrNoSession) {
						t.Errorf("notify: %v", err)
						return
					}
					<-s.Up()
				}
				s.Swap(testGrid)
				s.Stats()
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	seen := map[int]bool{}
	sessions := 0
	for ; ; sessions++ {
		conn, err := server.Accept()
		if err != nil {
			t.Fatal(err)
		}
		m := newFakeMaster(t, conn)
		if m.serveNotifications(seen, 100, done) {
			break
		}
	}
	stop()
	if len(seen) != callers*each {
		t.Errorf("%d of %d notifications came, in %d sessions", len(seen), callers*each, sessions+1)
	}
	if sessions < 2 {
		t.Errorf("%d sessions, want some", sessions+1)
	}
}

// serveNotifications takes up to most notifications and asks for a variable
// after each; then it hangs up, having answered all it took. It reports whether
// done was closed.
func (m *fakeMaster) serveNotifications(seen map[int]bool, most int, done <-chan struct{}) bool {
	defer m.conn.Close()
	p := new(PDU)
	for taken := 0; taken < most; {
		b, err := m.in.next(20 * time.Millisecond)
		if err == nil {
			err = p.Decode(b)
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			select {
			case <-done:
				return true
			default:
			}
		case err != nil:
			m.t.Errorf("from the subagent: %v", err)
			return true
		case p.Type == Notify:
			if n := eventNumber(p); seen[n] {
				m.t.Errorf("notification %d came twice", n)
			} else {
				seen[n] = true
			}
			taken++
			m.answer(p, NoError)
			m.send(m.request(&PDU{Type: GetNext, Ranges: []Range{{Start: gridRoot}}}))
		case p.Type != Response && p.Type != Close:
			m.answer(p, NoError)
		}
	}
	m.send(&PDU{Type: Close, SessionID: m.session, Reason: ReasonShutdown})
	return false
}
