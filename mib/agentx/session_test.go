package agentx

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"lvs/mib/smi"
)

var testGrid = &grid{columns: 6, groups: 3, per: 2}

func TestSessionOpensAndRegisters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := smi.MustParseOID("1.3.6.1.4.1.99")
		r := newRig(t, testGrid, func(c *Config) { c.Registrations = append(c.Registrations, other) })
		m := r.accept()
		p := m.expect(Open)
		if p.SessionID != 0 || p.Timeout != 5 || p.Name.Compare(gridRoot) != 0 || string(p.Description) != "test" {
			t.Errorf("Open: %+v", p)
		}
		m.answer(p, NoError)
		var asked []*PDU
		for _, want := range []smi.OID{gridRoot, other} {
			if p = m.expect(Register); p.SessionID != 7 || p.Priority != 127 || p.RangeSubID != 0 || p.Name.Compare(want) != 0 {
				t.Errorf("Register: %+v", p)
			}
			asked = append(asked, p)
		}
		if p = m.expect(AddAgentCaps); p.Name.Compare(gridRoot) != 0 || string(p.Description) != "a table" {
			t.Errorf("AddAgentCaps: %+v", p)
		}
		m.answer(p, RequestDenied) // no reason to give up
		for _, p := range asked {
			synctest.Wait()
			if r.Stats().Connected {
				t.Error("connected before all was registered")
			}
			m.answer(p, NoError)
		}
		synctest.Wait()
		st := r.Stats()
		if !st.Connected || st.Reconnects != 0 || st.LastError != nil {
			t.Errorf("%+v", st)
		}
		if up := time.Since(st.MasterStart); up != 12340*time.Millisecond {
			t.Errorf("master is up for %v, want 12.34s", up)
		}
		if n := r.logged(); n != 1 {
			t.Errorf("%d log lines, want 1:\n%s", n, r.log)
		}
	})
}

func TestSessionClosesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testGrid)
		m := r.join()
		synctest.Wait()
		go r.stop()
		if p := m.expect(Close); p.Reason != ReasonShutdown || p.SessionID != 7 {
			t.Errorf("Close: %+v", p)
		}
		if p := m.receive(); p != nil {
			t.Errorf("%v after Close", p.Type)
		}
	})
}

func TestSessionEndsWhileWaiting(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(r *rig)
	}{
		{"for a connection", func(*rig) {}},
		{"for Open's answer", func(r *rig) { r.accept().expect(Open) }},
		{"between tries", func(r *rig) { r.accept().conn.Close(); synctest.Wait() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, testGrid)
				c.do(r)
				before := time.Now()
				r.stop()
				if d := time.Since(before); d != 0 {
					t.Errorf("Run took %v to end", d)
				}
			})
		})
	}
}

func TestSilentSessionIsPinged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testGrid)
		m := r.join()
		for range 3 {
			before := time.Now()
			p := m.expect(Ping)
			if d := time.Since(before); d != 15*time.Second {
				t.Errorf("ping after %v, want 15s", d)
			}
			m.answer(p, NoError)
		}
		for range 10 {
			time.Sleep(14 * time.Second)
			m.ask(&PDU{Type: Get, Ranges: []Range{{Start: gridRoot}}})
		}
		if st := r.Stats(); st.Pings != 3 || st.Reconnects != 0 {
			t.Errorf("%+v", st)
		}
	})
}

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

func TestDuplicateRegistrationIsAskedAgainWhileTheRestIsServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := smi.MustParseOID("1.3.6.1.4.1.99")
		r := newRig(t, testGrid, func(c *Config) { c.Registrations, c.SysORID = []smi.OID{other, gridRoot}, nil })
		m := r.accept()
		m.answer(m.expect(Open), NoError)
		first, second := m.expect(Register), m.expect(Register)
		m.answer(first, DuplicateRegistration)
		m.answer(second, NoError)
		began := time.Now()
		tries := 0
		for ; time.Since(began) < 30*time.Second; tries++ {
			m.ask(&PDU{Type: Get, Ranges: []Range{{Start: gridRoot}}})
			p := m.expect(Register)
			if p.Name.Compare(other) != 0 {
				t.Fatalf("registers %v again", p.Name)
			}
			m.answer(p, DuplicateRegistration)
		}
		if tries < 12 || tries > 35 {
			t.Errorf("%d tries in 30 s", tries)
		}
		synctest.Wait()
		if st := r.Stats(); st.Connected || st.DuplicateRegistrations != uint64(tries)+1 || st.Reconnects != 0 {
			t.Errorf("%+v", st)
		}
		m.answer(m.expect(Register), NoError)
		synctest.Wait()
		if !r.Stats().Connected {
			t.Error("not connected")
		}
		if n := r.logged(); n != 2 {
			t.Errorf("%d log lines, want 2:\n%s", n, r.log)
		}
	})
}

// TestBusySessionStillAsksForWhatItMisses: the clock is looked at though the
// master leaves no pause.
func TestBusySessionStillAsksForWhatItMisses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testGrid, func(c *Config) { c.SysORID = nil })
		m := r.accept()
		m.answer(m.expect(Open), NoError)
		m.answer(m.expect(Register), DuplicateRegistration)
		busy, asked, began := make(chan struct{}), 0, time.Now()
		go func() {
			defer close(busy)
			for range 100 {
				m.send(m.request(&PDU{Type: Get, Ranges: []Range{{Start: gridRoot}}}))
				time.Sleep(20 * time.Millisecond)
			}
		}()
		for range 101 {
			if p := m.receive(); p.Type == Register { // which gets no answer
				if asked++; time.Since(began) > 200*time.Millisecond {
					t.Errorf("asked after %v", time.Since(began))
				}
			}
		}
		<-busy
		if asked != 1 {
			t.Errorf("asked %d times in 2 s, want once and then to wait for the answer", asked)
		}
	})
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

func TestNewRefusesBadConfig(t *testing.T) {
	good := Config{Address: "unix:/run/agentx", Registrations: []smi.OID{gridRoot}}
	if _, err := New(good, nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		do   func(*Config)
	}{
		{"no address", func(c *Config) { c.Address = "" }},
		{"network", func(c *Config) { c.Address = "udp:localhost:705" }},
		{"no path", func(c *Config) { c.Address = "unix:" }},
		{"no port", func(c *Config) { c.Address = "tcp:localhost" }},
		{"no subtree", func(c *Config) { c.Registrations = nil }},
		{"long subtree", func(c *Config) { c.Registrations = []smi.OID{make(smi.OID, 129)} }},
		{"long description", func(c *Config) { c.Description = strings.Repeat("x", 65536) }},
		{"negative timeout", func(c *Config) { c.Timeout = -1 }},
	} {
		cfg := good
		c.do(&cfg)
		if _, err := New(cfg, nil); err == nil || !strings.HasPrefix(err.Error(), "agentx: ") {
			t.Errorf("%s: error %v", c.name, err)
		}
	}
}

func TestEveryConstantHasAName(t *testing.T) {
	for i := range 19 {
		if s := Type(i).String(); (i == 0) != (s == fmt.Sprintf("type %d", i)) {
			t.Errorf("type %d is %q", i, s)
		}
	}
	for i, want := range map[Error]string{0: "noError", 17: "notWritable", 256: "openFailed", 263: "duplicateRegistration", 268: "processingError", 269: "error 269", 3: "error 3"} {
		if i.Error() != want {
			t.Errorf("error %d is %q, want %q", uint16(i), i.Error(), want)
		}
	}
	for i, want := range map[CloseReason]string{0: "reason 0", 1: "other", 5: "shutdown", 6: "by manager", 7: "reason 7"} {
		if i.String() != want {
			t.Errorf("reason %d is %q, want %q", uint8(i), i, want)
		}
	}
}
