package agent

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"lvs/mib/ber"
	"lvs/mib/smi"
)

// start is a running agent that ends with the test.
func start(t testing.TB, tree smi.Tree, cfg Config) *Agent {
	t.Helper()
	cfg.Roots = []smi.OID{root}
	cfg.System.Descr = "a director"
	a, err := New(cfg, tree)
	if err != nil {
		t.Fatal(err)
	}
	run(t, a)
	return a
}

// run has a answer until the test ends, or stop is called.
func run(t testing.TB, a *Agent) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := a.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	stop = func() { cancel(); wg.Wait() }
	t.Cleanup(stop)
	return stop
}

// exchange sends a datagram from a socket that hears the asked address alone.
func exchange(t testing.TB, to string, datagram []byte, wait time.Duration) []byte {
	t.Helper()
	c, err := net.Dial("udp", to)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write(datagram); err != nil {
		t.Fatal(err)
	}
	c.SetReadDeadline(time.Now().Add(wait))
	buf := make([]byte, 1<<16)
	n, err := c.Read(buf)
	if err != nil {
		return nil
	}
	return buf[:n]
}

// TestAnswersLeaveFromTheAddressAsked: on sockets for every address, and those
// for one.
func TestAnswersLeaveFromTheAddressAsked(t *testing.T) {
	a := start(t, table(1, 10, 1), Config{Listen: []string{":0", "0.0.0.0:0", "[::]:0", "127.0.0.3:0", "[::1]:0"}})
	datagram := question{version: ber.V2cVersion, typ: ber.GetNext, names: []smi.OID{root}}.datagram(t)
	for i, hosts := range [][]string{{"127.0.0.1", "127.0.0.2", "127.9.8.7", "[::1]"}, {"127.0.0.1", "127.0.0.2"}, {"[::1]"}, {"127.0.0.3"}, {"[::1]"}} {
		_, port, _ := strings.Cut(strings.ReplaceAll(a.Addrs()[i].String(), "::", ""), ":")
		for _, host := range hosts {
			if exchange(t, host+":"+strings.TrimPrefix(port, "]:"), datagram, time.Minute) == nil {
				t.Errorf("%v asked as %s: no answer", a.Addrs()[i], host)
			}
		}
	}
	if st := a.Stats(); st.Answers != 9 || st.SendErrors+st.Misdirected != 0 {
		t.Errorf("%+v", st)
	}
}

// TestCrowdsAreNotAnswered: what is sent to all machines has an answer from none,
// and none does it.
func TestCrowdsAreNotAnswered(t *testing.T) {
	s := &switches{}
	a := start(t, table(1, 10, 1), Config{Listen: []string{"0.0.0.0:0", ":0"}, Setter: s, Communities: []Community{{Name: "private", Write: true}}})
	c, err := net.ListenUDP("udp4", nil) // Go's sockets may broadcast
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	datagram := question{version: ber.V2cVersion, community: "private", typ: ber.SetRequest,
		vars: []smi.VarBind{{Name: root.Append(3, 0), Value: smi.Value{Type: smi.Integer, Int: 1}}}}.datagram(t)
	for i, addr := range a.Addrs() {
		to := netip.AddrPortFrom(netip.MustParseAddr("127.255.255.255"), addr.Port())
		if _, err := c.WriteToUDPAddrPort(datagram, to); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(time.Minute); a.Stats().Misdirected == uint64(i); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%v: %+v", addr, a.Stats())
			}
		}
	}
	if st := a.Stats(); st.Answers != 0 || len(s.written()) != 0 {
		t.Errorf("%+v, written %v", st, s.written())
	}
}

func TestListenExplains(t *testing.T) {
	a := start(t, table(1, 10, 1), Config{Listen: []string{"127.0.0.1:0"}})
	addr := a.Addrs()[0].String()
	_, err := New(Config{Listen: []string{"127.0.0.1:0", addr}, Roots: []smi.OID{root}}, table(1, 1, 1))
	if err == nil || !strings.Contains(err.Error(), addr) || !strings.Contains(err.Error(), "address already in use") || !strings.Contains(err.Error(), "snmpd") {
		t.Errorf("%v", err)
	}
	if err := explain(":161", &net.OpError{Op: "listen", Err: syscall.EACCES}); !strings.Contains(err.Error(), "CAP_NET_BIND_SERVICE") {
		t.Errorf("%v", err)
	}
}

// again is New on a port that was free a moment ago: somebody's client may have it
// for another.
func again(t testing.TB, cfg Config, tree smi.Tree) *Agent {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		a, err := New(cfg, tree)
		if err == nil {
			return a
		}
		if !errors.Is(err, syscall.EADDRINUSE) || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// TestRunEnds: the port is free again when Run has returned.
func TestRunEnds(t *testing.T) {
	a, err := New(Config{Listen: []string{"127.0.0.1:0"}, Roots: []smi.OID{root}}, table(1, 1, 1))
	if err != nil {
		t.Fatal(err)
	}
	run(t, a)()
	run(t, again(t, Config{Listen: []string{a.Addrs()[0].String()}, Roots: []smi.OID{root}}, table(1, 1, 1)))
}

// A broken socket has no datagrams but errors, a hundred of each.
type broken struct {
	socket
	errs []error
	n    int
}

func (b *broken) receive([]byte) (n int, from netip.AddrPort, to bool, err error) {
	if b.n == 100*len(b.errs) {
		return 0, from, false, net.ErrClosed
	}
	b.n++
	return 0, from, false, b.errs[(b.n-1)/100]
}

// TestBrokenSocket: an error that lasts is logged once, and costs no CPU.
func TestBrokenSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		a, err := newAgent(Config{Listen: []string{":0"}, Roots: []smi.OID{root}, Logger: slog.New(slog.NewTextHandler(&log, nil))}, nil)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		a.serve(&listener{socket: &broken{errs: []error{syscall.ENOBUFS, syscall.ENETDOWN}}})
		if d := time.Since(began); d != 20*time.Second {
			t.Errorf("200 failures took %v, want 20s", d)
		}
		if n := strings.Count(log.String(), "\n"); n != 2 {
			t.Errorf("%d lines, want one for each error:\n%s", n, log.String())
		}
	})
}
