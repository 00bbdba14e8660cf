//go:build lab && linux

package ipvs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lvs/dataplane"
)

// These tests change the kernel's table, and belong into a guest: see
// internal/lab. They are run by
//
//	CGO_ENABLED=0 go test -tags lab -exec "$PWD/internal/lab/uml --" -run '^TestLab' ./dataplane/ipvs

// labClient is a Client of the guest's empty table.
func labClient(t *testing.T, cfg Config) *Client {
	t.Helper()
	if os.Getenv("UML_GUEST") != "1" {
		t.Fatal("not inside the lab's guest: this test would change the host's table")
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = patience
	}
	c, err := Dial(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	must(t, c.Flush(t.Context()))
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// run runs a command line and gives what it prints.
func run(t *testing.T, line string) string {
	t.Helper()
	return runWith(t, "", line)
}

func runWith(t *testing.T, stdin, line string) string {
	t.Helper()
	cmd := exec.Command("sh", "-c", line)
	cmd.Stdin = strings.NewReader(stdin)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", line, err, stderr.String())
	}
	return string(out)
}

func TestLabEmptyTable(t *testing.T) {
	c := labClient(t, Config{})
	s := snapshot(t, c)
	if len(s.Services) != 0 || s.Director.Version != "1.2.1" || s.Director.ConnTableSize != 4096 {
		t.Errorf("%d services, %+v", len(s.Services), s.Director)
	}
	if list, err := c.Services(t.Context()); err != nil || list != nil {
		t.Errorf("services %v, %v", list, err)
	}
	if _, err := c.RealServers(t.Context(), testKey(1)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("real servers of no service: %v", err)
	}
}

// The rich configuration of the fixtures with some traffic: what a snapshot has is
// what ipvsadm shows, in all its listings.
func TestLabSnapshotsAreWhatIpvsadmShows(t *testing.T) {
	c := labClient(t, Config{})
	runWith(t, readText(t, filepath.Join(fixtures, "rich/S-n.txt")), "ipvsadm -R")
	run(t, "ipvsadm -e -t 10.1.0.100:80 -r 10.2.0.11:80 -m -w 100 -x 200 -y 100")
	traffic(t, c)
	s := snapshot(t, c)
	if len(s.Services) != 45 || s.RealServers() != 128 {
		t.Errorf("%d services, %d real servers", len(s.Services), s.RealServers())
	}
	busy := s.Services[slices.IndexFunc(s.Services, func(s dataplane.ServiceState) bool { return s.Key == trafficKey })]
	if busy.Kernel.Connections != 5 || busy.Kernel.InBytes < 5*100 || busy.Reals[0].Kernel != busy.Kernel {
		t.Errorf("the service with traffic counts %+v, its real server %+v", busy.Kernel, busy.Reals[0].Kernel)
	}
	for _, l := range listings {
		// The kernel's rates move every two seconds, so a difference is tried again.
		for try := 0; ; try++ {
			got := l.lines(snapshot(t, c))
			want := l.parse(run(t, "ipvsadm "+l.args))
			if slices.Equal(want, got) {
				break
			}
			if try == 30 {
				sameLines(t, "ipvsadm "+l.args, want, got)
				break
			}
		}
	}
}

var trafficKey = mustKey("tcp/10.77.0.1:80")

// traffic makes five connections to a service of its own, and waits until the
// kernel's counters show them.
func traffic(t *testing.T, c *Client) {
	t.Helper()
	run(t, "ip link add lab77 type dummy && ip addr add 10.77.0.1/24 dev lab77 && ip addr add 10.77.0.2/24 dev lab77 && ip link set lab77 up && ip link set lo up")
	t.Cleanup(func() { run(t, "ip link del lab77") })
	real := dataplane.RealServer{RIP: rip("10.77.0.2:8080"), Weight: 1}
	must(t, c.AddService(t.Context(), dataplane.Service{Key: trafficKey, Scheduler: "rr"}))
	must(t, c.AddRealServer(t.Context(), trafficKey, real))
	l, err := net.Listen("tcp", real.RIP.String())
	must(t, err)
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			io.Copy(conn, conn)
			conn.Close()
		}
	}()
	for range 5 {
		conn, err := net.DialTimeout("tcp", trafficKey.VIP.String(), time.Minute)
		must(t, err)
		fmt.Fprint(conn, "hello")
		conn.(*net.TCPConn).CloseWrite()
		if b, err := io.ReadAll(conn); string(b) != "hello" || err != nil {
			t.Fatalf("answer %q, %v", b, err)
		}
		conn.Close()
	}
	waitFor(t, func() bool {
		s, err := c.Service(t.Context(), trafficKey)
		must(t, err)
		return s.Kernel.Connections == 5
	})
	time.Sleep(2100 * time.Millisecond) // one more update brings the last packets
}

// patience is for a busy machine, whose guest may stand still for seconds.
const patience = 3 * time.Minute

func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it did not come about within %v", patience)
		}
	}
}

// What is written with every command is what the next snapshot has.
func TestLabEveryCommand(t *testing.T) {
	c := labClient(t, Config{})
	ctx := t.Context()
	want := dataplane.Service{Key: mustKey("tcp/192.0.2.10:443"), Scheduler: "wlc", Flags: dataplane.FlagPersistent,
		Timeout: 90 * time.Second, Netmask: dataplane.Mask4(0xffff0000)}
	must(t, c.AddService(ctx, want))
	real := dataplane.RealServer{RIP: rip("10.2.0.11:443"), Method: dataplane.Tunnel, Weight: 1<<31 - 1, UpperThreshold: 9, LowerThreshold: 3,
		Encap: dataplane.Encap{Type: dataplane.GUE, Port: 6080, Flags: dataplane.EncapChecksum}}
	mixed := dataplane.RealServer{RIP: rip("[2001:db8::11]:443"), Method: dataplane.Tunnel, Weight: 70000}
	must(t, c.AddRealServer(ctx, want.Key, real))
	must(t, c.AddRealServer(ctx, want.Key, mixed))
	check := func(what string, reals ...dataplane.RealServer) {
		t.Helper()
		s := snapshot(t, c)
		if len(s.Services) != 1 {
			t.Fatalf("%s: %d services", what, len(s.Services))
		}
		got := s.Services[0].Service
		got.Flags = got.Flags.Configured()
		if got != want {
			t.Errorf("%s: service %+v\nwant %+v", what, got, want)
		}
		if len(s.Services[0].Reals) != len(reals) {
			t.Fatalf("%s: %d real servers", what, len(s.Services[0].Reals))
		}
		for i, r := range reals {
			if s.Services[0].Reals[i].RealServer != r {
				t.Errorf("%s: real server %+v\nwant %+v", what, s.Services[0].Reals[i].RealServer, r)
			}
		}
	}
	check("added", mixed, real)

	want.Scheduler, want.Flags, want.Timeout, want.Netmask = "mh", dataplane.FlagSched1|dataplane.FlagSched2, 0, dataplane.FullMask(dataplane.INET)
	must(t, c.EditService(ctx, want))
	real.Weight, real.UpperThreshold, real.LowerThreshold = 0, 0, 0
	real.Encap = dataplane.Encap{Type: dataplane.GRE}
	must(t, c.EditRealServer(ctx, want.Key, real))
	check("edited", mixed, real)
	must(t, c.ZeroService(ctx, want.Key))
	must(t, c.Zero(ctx))
	must(t, c.DeleteRealServer(ctx, want.Key, mixed))
	check("deleted", real)

	for _, k := range []string{"fwm4/7", "fwm6/7", "fwm4/4294967295", "sctp/[2001:db8::1]:132", "udp/192.0.2.10:53"} {
		must(t, c.AddService(ctx, dataplane.Service{Key: mustKey(k), Scheduler: "rr"}))
		must(t, c.DeleteService(ctx, mustKey(k)))
	}
	check("others added and deleted", real)
	must(t, c.Flush(ctx))
	if s := snapshot(t, c); len(s.Services) != 0 {
		t.Errorf("%d services after a flush", len(s.Services))
	}

	before, err := c.Timeouts(ctx)
	must(t, err)
	must(t, c.SetTimeouts(ctx, dataplane.Timeouts{TCP: 700 * time.Second, UDP: 77 * time.Second}))
	if got := run(t, "ipvsadm -L --timeout"); got != fmt.Sprintf("Timeout (tcp tcpfin udp): 700 %d 77\n", int(before.TCPFin.Seconds())) {
		t.Error(got)
	}
	must(t, c.SetTimeouts(ctx, before))
	if after, err := c.Timeouts(ctx); err != nil || after != before {
		t.Errorf("timeouts %+v, %v; want %+v", after, err, before)
	}
}

func TestLabSyncDaemons(t *testing.T) {
	c := labClient(t, Config{})
	ctx := t.Context()
	run(t, "ip link add lab88 type dummy && ip addr add 10.88.0.1/24 dev lab88 && ip link set lab88 up")
	t.Cleanup(func() { run(t, "ip link del lab88") })
	master := dataplane.SyncDaemon{Role: dataplane.Master, Interface: "lab88", SyncID: 7, MaxLen: 1400, Group: netip.MustParseAddr("224.0.0.99"), Port: 9999, TTL: 2}
	must(t, c.StartDaemon(ctx, master))
	must(t, c.StartDaemon(ctx, dataplane.SyncDaemon{Role: dataplane.Backup, Interface: "lab88", SyncID: 9}))
	if err := c.StartDaemon(ctx, master); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the second master: %v", err)
	}
	want := []dataplane.SyncDaemon{master, {Role: dataplane.Backup, Interface: "lab88", SyncID: 9, MaxLen: 1472,
		Group: netip.MustParseAddr("224.0.0.81"), Port: 8848, TTL: 1}}
	if got := snapshot(t, c).Director.Daemons; !slices.Equal(got, want) {
		t.Errorf("daemons %+v\nwant %+v", got, want)
	}
	must(t, c.StopDaemon(ctx, dataplane.Master))
	must(t, c.StopDaemon(ctx, dataplane.Backup))
	if err := c.StopDaemon(ctx, dataplane.Backup); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stopping what does not run: %v", err)
	}
	if got, err := c.Daemons(ctx); err != nil || got != nil {
		t.Errorf("daemons %v, %v; want none", got, err)
	}
}

// How the kernel cuts dumps is what fill.atomic stands on.
func TestLabShortListsComeInOneDatagram(t *testing.T) {
	c := labClient(t, Config{})
	must(t, c.AddService(t.Context(), dataplane.Service{Key: testKey(1), Scheduler: "rr"}))
	added := 0
	for _, tt := range []struct {
		reals  int
		atomic bool
	}{{1, true}, {10, true}, {60, true}, {300, false}} {
		for ; added < tt.reals; added++ {
			must(t, c.AddRealServer(t.Context(), testKey(1), dataplane.RealServer{RIP: testRIP(added), Weight: 1}))
		}
		var f fill
		must(t, c.read.do(t.Context(), func(ctx context.Context, s *session) (err error) {
			p := pass{reader: &c.table, s: s}
			f, err = p.dumpReals(ctx, testKey(1))
			return err
		}))
		if f.rows != tt.reals || f.atomic() != tt.atomic || f.broken {
			t.Errorf("%d real servers: %+v, atomic %v; want %v", tt.reals, f, f.atomic(), tt.atomic)
		}
	}
}
