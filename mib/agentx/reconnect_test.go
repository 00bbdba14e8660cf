package agentx

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestUnansweredPingReconnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testGrid)
		m := r.join()
		m.expect(Ping)
		before := time.Now()
		if p := m.expect(Close); p.Reason != ReasonTimeouts {
			t.Errorf("Close: %+v", p)
		}
		if d := time.Since(before); d < 5*time.Second || d > 5200*time.Millisecond {
			t.Errorf("gave up after %v, want 5s", d)
		}
		r.join()
		synctest.Wait()
		if st := r.Stats(); !st.Connected || st.PingTimeouts != 1 || st.Reconnects != 1 || !errors.Is(st.LastError, os.ErrDeadlineExceeded) {
			t.Errorf("%+v", st)
		}
		if n := r.logged(); n != 3 {
			t.Errorf("%d log lines, want up, down and up:\n%s", n, r.log)
		}
	})
}

func TestMasterThatForgotTheSessionReconnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testGrid)
		m := r.join()
		m.answer(m.expect(Ping), NotOpen)
		m.expect(Close)
		r.join()
		if err := r.Stats().LastError; !errors.Is(err, NotOpen) {
			t.Errorf("last error %v", err)
		}
	})
}

func TestMasterMayClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testGrid, func(c *Config) { c.PingInterval = 24 * time.Hour })
		m := r.join()
		for range 3 {
			m.ask(&PDU{Type: Get, Ranges: []Range{{Start: gridRoot}}}) // packet 1 in each session
			time.Sleep(time.Hour)
			before := time.Now()
			m.send(&PDU{Type: Close, SessionID: 7, Reason: ReasonShutdown})
			m.expect(Close)
			m = r.join()
			if d := time.Since(before); d > 200*time.Millisecond {
				t.Errorf("back after %v", d)
			}
		}
		st := r.Stats()
		if st.LastError == nil || !strings.Contains(st.LastError.Error(), "shutdown") || st.Reconnects != 3 || st.DuplicateRequests != 0 {
			t.Errorf("%+v", st)
		}
	})
}

// TestFlappingMasterIsNotHammered: a master that takes us in and drops us at
// once is an outage that goes on.
func TestFlappingMasterIsNotHammered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testGrid)
		sessions := 0
		for began := time.Now(); time.Since(began) < 10*time.Minute; sessions++ {
			m := r.join()
			synctest.Wait()
			m.conn.Close()
		}
		if sessions < 200 || sessions > 300 {
			t.Errorf("%d sessions in ten minutes, want one every 3 s", sessions)
		}
	})
}

func TestRefusalsAreTriedAgain(t *testing.T) {
	for _, c := range []struct {
		name   string
		refuse func(m *fakeMaster)
		want   error
	}{
		{"open", func(m *fakeMaster) { m.answer(m.expect(Open), OpenFailed) }, OpenFailed},
		{"register", func(m *fakeMaster) {
			m.answer(m.expect(Open), NoError)
			p := m.expect(Register)
			m.expect(AddAgentCaps)
			m.answer(p, RequestDenied)
			m.expect(Close)
		}, RequestDenied},
		{"hung", func(m *fakeMaster) { m.expect(Open) }, os.ErrDeadlineExceeded},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, testGrid)
				for range 20 {
					c.refuse(r.accept())
				}
				m := r.join()
				m.ask(&PDU{Type: Get, Ranges: []Range{{Start: gridRoot}}})
				if st := r.Stats(); !st.Connected || !errors.Is(st.LastError, c.want) {
					t.Errorf("%+v", st)
				}
				if n := r.logged(); n != 2 {
					t.Errorf("%d log lines, want down and up:\n%s", n, r.log)
				}
			})
		})
	}
}

func TestMasterThatDoesNotReadIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testGrid)
		m := r.join()
		m.send(m.request(&PDU{Type: Get, Ranges: []Range{{Start: gridRoot}}}))
		r.join()
		if err := r.Stats().LastError; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("last error %v", err)
		}
	})
}

func TestGarbledStreamEndsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testGrid)
		m := r.join()
		go m.conn.Write([]byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))
		if p := m.expect(Close); p.Reason != ReasonParseError {
			t.Errorf("Close: %+v", p)
		}
		r.join()
		if st := r.Stats(); st.Malformed != 1 || !strings.Contains(st.LastError.Error(), "version") {
			t.Errorf("%+v", st)
		}
	})
}

// dials runs a subagent that can never connect and returns when it tried.
func dials(t *testing.T, s *Subagent, d time.Duration, fail func() error) (at []time.Duration) {
	began := time.Now()
	s.dial = func(context.Context) (link, error) {
		at = append(at, time.Since(began))
		return nil, fail()
	}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := s.Run(ctx); err != nil {
		t.Error(err)
	}
	return at
}

func TestReconnectIsQuickThenSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &syncBuffer{}
		s := newTestSubagent(t, "tcp:localhost:705", r)
		at := dials(t, s, time.Hour, func() error { return syscall.ECONNREFUSED })
		for i := range len(at) - 1 {
			gap := at[i+1] - at[i]
			if limit := max(at[i]*15/100, 120*time.Millisecond); gap > limit || gap < 80*time.Millisecond || gap > 3400*time.Millisecond {
				t.Errorf("try %d at %v, the next %v later", i+1, at[i], gap)
			}
		}
		if len(at) < 1000 || len(at) > 1500 {
			t.Errorf("%d tries in an hour", len(at))
		}
		if n := strings.Count(r.String(), "\n"); n != 1 {
			t.Errorf("%d log lines, want 1:\n%s", n, r)
		}
	})
}

func TestNewSocketFileIsNoticed(t *testing.T) {
	path := t.TempDir() + "/agentx"
	synctest.Test(t, func(t *testing.T) {
		s := newTestSubagent(t, "unix:"+path, &syncBuffer{})
		var made time.Duration
		var after []time.Duration
		began := time.Now()
		for _, d := range dials(t, s, 5*time.Minute, func() error {
			if now := time.Since(began); now > 2*time.Minute && made == 0 {
				made = now
				if err := os.WriteFile(path, nil, 0o600); err != nil {
					t.Error(err)
				}
			}
			return fs.ErrNotExist
		}) {
			if made != 0 && d > made {
				after = append(after, d-made)
			}
		}
		if len(after) == 0 || after[0] > watchTick {
			t.Errorf("tried %v after the socket appeared", after)
		}
	})
}

func TestRefusedAccessIsExplainedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &syncBuffer{}
		s := newTestSubagent(t, "unix:/nowhere/agentx", log)
		dials(t, s, time.Minute, func() error { return &fs.PathError{Op: "dial", Path: "/nowhere/agentx", Err: syscall.EACCES} })
		if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "agentXPerms") {
			t.Errorf("%d log lines, want one that helps:\n%s", n, log)
		}
		if st := s.Stats(); st.Connected || !errors.Is(st.LastError, fs.ErrPermission) {
			t.Errorf("%+v", st)
		}
	})
}
