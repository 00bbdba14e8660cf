package agentx

import (
	"fmt"
	"strings"
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
		if p := m.expect(RemoveAgentCaps); p.SessionID != 7 || p.Name.Compare(gridRoot) != 0 {
			t.Errorf("RemoveAgentCaps: %+v", p)
		}
		if p := m.expect(Close); p.Reason != ReasonShutdown || p.SessionID != 7 {
			t.Errorf("Close: %+v", p)
		}
		if p := m.receive(); p != nil {
			t.Errorf("%v after Close", p.Type)
		}
		r.stop()
		if st := r.Stats(); st.Connected || st.LastError != nil || r.logged() != 1 {
			t.Errorf("%+v, log:\n%s", st, r.log)
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

func TestDuplicateRegistrationIsAskedAgainWhileTheRestIsServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := smi.MustParseOID("1.3.6.1.4.1.99")
		r := newRig(t, testGrid, func(c *Config) { c.Registrations, c.Capabilities = []smi.OID{other, gridRoot}, nil })
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
		r := newRig(t, testGrid, func(c *Config) { c.Capabilities = nil })
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

func TestNewRefusesBadConfig(t *testing.T) {
	good := Config{Address: "unix:/run/agentx", Registrations: []smi.OID{gridRoot}}
	for _, address := range []string{"unix:/var/agentx/master", "unix:relative", "tcp:localhost:705", "tcp:192.0.2.1:agentx", "tcp:[2001:db8::1]:705", "tcp::705"} {
		cfg := good
		cfg.Address = address
		if _, err := New(cfg, nil); err != nil {
			t.Errorf("%s: %v", address, err)
		}
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
		{"long identity", func(c *Config) { c.ID = make(smi.OID, 129) }},
		{"no capability's name", func(c *Config) { c.Capabilities = []Capability{{Description: "x"}} }},
		{"long capability", func(c *Config) { c.Capabilities = []Capability{{OID: make(smi.OID, 129)}} }},
		{"long capability's description", func(c *Config) { c.Capabilities = []Capability{{gridRoot, strings.Repeat("x", 65536)}} }},
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
	for i, want := range map[Error]string{0: "noError", 17: "notWritable", 256: "openFailed", 263: "duplicateRegistration", 268: "processingError", 269: "error 269", 3: "badValue", 19: "error 19"} {
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
