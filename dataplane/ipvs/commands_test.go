package ipvs

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"lvs/dataplane"
)

func mustKey(s string) dataplane.ServiceKey {
	k, err := dataplane.ParseServiceKey(s)
	if err != nil {
		panic(err)
	}
	return k
}

func svc(key, sched string) dataplane.Service {
	return dataplane.Service{Key: mustKey(key), Scheduler: sched}
}

func rip(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// The requests of netlink-errors.jsonl that a Client makes, in the file's order,
// and what it says to the kernel's answer.
var recordedCommands = []struct {
	what string
	call func(context.Context, *Client) error
	want string // a part of the error; "" is none
	is   error
}{
	{"FLUSH", func(ctx context.Context, c *Client) error { return c.Flush(ctx) }, "", nil},
	{"NEW_SERVICE rr", add(svc("tcp/10.1.0.100:80", "rr")), "", nil},
	{"NEW_SERVICE the same again", add(svc("tcp/10.1.0.100:80", "rr")), "ipvs: add service tcp/10.1.0.100:80: it exists already", fs.ErrExist},
	{"NEW_SERVICE with a scheduler nobody knows", add(svc("tcp/10.1.0.100:81", "nosuch")), "no such scheduler or persistence engine", fs.ErrNotExist},
	{"NEW_SERVICE port 0 without persistence", add(svc("tcp/10.1.0.100:0", "rr")), "", nil},
	{"NEW_SERVICE protocol 1 (ICMP)", add(svc("proto1/10.1.0.100:84", "rr")), "", nil},
	{"NEW_SERVICE IPv6, prefix 0, not persistent", add(dataplane.Service{Key: mustKey("tcp/[fd10:1::77]:80"), Scheduler: "rr", Netmask: dataplane.Mask6(0)}), "finds netmask", syscall.EINVAL},
	{"NEW_SERVICE IPv6, prefix 129, persistent", add(dataplane.Service{Key: mustKey("tcp/[fd10:1::77]:80"), Scheduler: "rr", Netmask: dataplane.Mask6(129), Flags: dataplane.FlagPersistent}), "finds netmask", syscall.EINVAL},
	{"NEW_SERVICE IPv6, prefix 64, persistent", add(dataplane.Service{Key: mustKey("tcp/[fd10:1::77]:80"), Scheduler: "rr", Netmask: dataplane.Mask6(64), Flags: dataplane.FlagPersistent}), "", nil},
	{"NEW_SERVICE pe sip on TCP", add(dataplane.Service{Key: mustKey("tcp/10.1.0.100:85"), Scheduler: "rr", PersistenceEngine: "sip"}), "", nil},
	{"NEW_SERVICE pe nobody knows", add(dataplane.Service{Key: mustKey("tcp/10.1.0.100:86"), Scheduler: "rr", PersistenceEngine: "nosuch"}), "no such scheduler or persistence engine", fs.ErrNotExist},
	{"NEW_SERVICE fwmark 7", add(svc("fwm4/7", "rr")), "", nil},
	{"SET_SERVICE to wlc", edit(svc("tcp/10.1.0.100:80", "wlc")), "", nil},
	{"SET_SERVICE of one that does not exist", edit(svc("tcp/10.9.9.9:80", "rr")), "ipvs: edit service tcp/10.9.9.9:80: no such service", fs.ErrNotExist},
	{"SET_SERVICE to a scheduler nobody knows", edit(svc("tcp/10.1.0.100:80", "nosuch")), "no such scheduler", fs.ErrNotExist},
	{"GET_SERVICE of one that does not exist", func(ctx context.Context, c *Client) error {
		_, err := c.Service(ctx, mustKey("tcp/10.9.9.9:80"))
		return err
	}, "ipvs: read service tcp/10.9.9.9:80: no such service", fs.ErrNotExist},
	{"DEL_SERVICE of one that does not exist", func(ctx context.Context, c *Client) error {
		return c.DeleteService(ctx, mustKey("tcp/10.9.9.9:80"))
	}, "ipvs: delete service tcp/10.9.9.9:80: no such service", fs.ErrNotExist},
	{"NEW_DEST", addReal("tcp/10.1.0.100:80", dataplane.RealServer{RIP: rip("10.2.0.11:80"), Weight: 1}), "", nil},
	{"NEW_DEST the same again", addReal("tcp/10.1.0.100:80", dataplane.RealServer{RIP: rip("10.2.0.11:80"), Weight: 1}),
		"ipvs: add real server 10.2.0.11:80 of tcp/10.1.0.100:80: it exists already", fs.ErrExist},
	{"NEW_DEST for a service that does not exist", addReal("tcp/10.9.9.9:80", dataplane.RealServer{RIP: rip("10.2.0.11:80"), Weight: 1}), "no such service", fs.ErrNotExist},
	{"NEW_DEST weight -1", addReal("tcp/10.1.0.100:80", dataplane.RealServer{RIP: rip("10.2.0.12:80"), Weight: 1<<32 - 1}), "weight is above 2147483647", syscall.ERANGE},
	{"NEW_DEST weight 2147483647", addReal("tcp/10.1.0.100:80", dataplane.RealServer{RIP: rip("10.2.0.12:80"), Weight: 1<<31 - 1}), "", nil},
	{"NEW_DEST lower threshold above the upper", addReal("tcp/10.1.0.100:80", dataplane.RealServer{RIP: rip("10.2.0.13:80"), Weight: 1, UpperThreshold: 10, LowerThreshold: 20}), "the lower threshold above the upper", syscall.ERANGE},
	{"NEW_DEST lower threshold with upper 0", addReal("tcp/10.1.0.100:80", dataplane.RealServer{RIP: rip("10.2.0.13:80"), Weight: 1, LowerThreshold: 20}), "threshold", syscall.ERANGE},
	{"NEW_DEST forwarding method 3 with another port", addReal("tcp/10.1.0.100:80", dataplane.RealServer{RIP: rip("10.2.0.14:81"), Weight: 1, Method: dataplane.Route}), "", nil},
	{"NEW_DEST forwarding method 7", addReal("tcp/10.1.0.100:80", dataplane.RealServer{RIP: rip("10.2.0.17:80"), Weight: 1, Method: 7}), "", nil},
	{"NEW_DEST address 0.0.0.0", addReal("tcp/10.1.0.100:80", dataplane.RealServer{RIP: rip("0.0.0.0:80"), Weight: 1}), "no unicast one", syscall.EINVAL},
	{"NEW_DEST multicast address", addReal("tcp/10.1.0.100:80", dataplane.RealServer{RIP: rip("224.0.0.1:80"), Weight: 1}), "no unicast one", syscall.EINVAL},
	{"SET_DEST weight 5", editReal(5, "10.2.0.11:80"), "", nil},
	{"SET_DEST of one that does not exist", editReal(5, "10.2.0.99:80"), "ipvs: edit real server 10.2.0.99:80 of tcp/10.1.0.100:80: no such real server", fs.ErrNotExist},
	{"SET_DEST weight -1", editReal(1<<32-1, "10.2.0.11:80"), "weight is above", syscall.ERANGE},
	{"DEL_DEST", deleteReal, "", nil},
	{"DEL_DEST of one that does not exist", deleteReal, "ipvs: delete real server 10.2.0.11:80 of tcp/10.1.0.100:80: no such real server", fs.ErrNotExist},
	{"NEW_DAEMON master on an interface that does not exist", func(ctx context.Context, c *Client) error {
		return c.StartDaemon(ctx, dataplane.SyncDaemon{Role: dataplane.Master, Interface: "nosuch0", SyncID: 1})
	}, "ipvs: start the master sync daemon: no such interface", fs.ErrNotExist},
	{"DEL_DAEMON that is not running", func(ctx context.Context, c *Client) error { return c.StopDaemon(ctx, dataplane.Master) },
		"ipvs: stop the master sync daemon: none is running", fs.ErrNotExist},
	{"SET_CONFIG tcp 100", func(ctx context.Context, c *Client) error {
		return c.SetTimeouts(ctx, dataplane.Timeouts{TCP: 100 * time.Second})
	}, "", nil},
	{"SET_CONFIG tcp 4294967295", func(ctx context.Context, c *Client) error {
		return c.SetTimeouts(ctx, dataplane.Timeouts{TCP: (1<<32 - 1) * time.Second})
	}, "ipvs: set timeouts: the kernel takes timeouts up to", syscall.EINVAL},
	{"SET_CONFIG nothing", func(ctx context.Context, c *Client) error { return c.SetTimeouts(ctx, dataplane.Timeouts{}) }, "", nil},
	{"ZERO of a service that does not exist", func(ctx context.Context, c *Client) error {
		return c.ZeroService(ctx, mustKey("tcp/10.9.9.9:80"))
	}, "ipvs: zero service tcp/10.9.9.9:80: no such service", fs.ErrNotExist},
	{"ZERO of everything", func(ctx context.Context, c *Client) error { return c.Zero(ctx) }, "", nil},
}

func add(s dataplane.Service) func(context.Context, *Client) error {
	return func(ctx context.Context, c *Client) error { return c.AddService(ctx, s) }
}

func edit(s dataplane.Service) func(context.Context, *Client) error {
	return func(ctx context.Context, c *Client) error { return c.EditService(ctx, s) }
}

func addReal(key string, r dataplane.RealServer) func(context.Context, *Client) error {
	return func(ctx context.Context, c *Client) error { return c.AddRealServer(ctx, mustKey(key), r) }
}

func editReal(weight uint32, addr string) func(context.Context, *Client) error {
	return func(ctx context.Context, c *Client) error {
		return c.EditRealServer(ctx, mustKey("tcp/10.1.0.100:80"), dataplane.RealServer{RIP: rip(addr), Weight: weight})
	}
}

func deleteReal(ctx context.Context, c *Client) error {
	return c.DeleteRealServer(ctx, mustKey("tcp/10.1.0.100:80"), dataplane.RealServer{RIP: rip("10.2.0.11:80")})
}

func TestCommandsAreTheRecordedOnesByteForByte(t *testing.T) {
	byName := make(map[string]recorded)
	for _, r := range readRecorded(t, filepath.Join(fixtures, "netlink-errors.jsonl")) {
		if _, twice := byName[r.What]; !twice {
			byName[r.What] = r
		}
	}
	for _, tt := range recordedCommands {
		t.Run(tt.what, func(t *testing.T) {
			r, ok := byName[tt.what]
			if !ok {
				t.Fatal("not recorded")
			}
			k := newKernel()
			k.refuse = func([]byte) syscall.Errno { return syscall.Errno(r.Errno) }
			err := tt.call(t.Context(), k.client(t))
			if want := r.wire(t)[nlHeader:]; len(k.requests) != 1 || !bytes.Equal(k.requests[0], want) {
				t.Errorf("request %x\n   want %x", k.requests, want)
			}
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v, want %q", err, tt.want)
			case tt.want != "" && !errors.Is(err, tt.is):
				t.Errorf("%v is no %v", err, tt.is)
			}
			if tt.want != "" && !errors.Is(err, syscall.Errno(r.Errno)) {
				t.Errorf("%v hides errno %d", err, r.Errno)
			}
		})
	}
}

// What the recordings have no request for is decoded again by the reading half.
func TestWhatIsWrittenIsReadBack(t *testing.T) {
	services := []dataplane.Service{
		{Key: mustKey("sctp/[2001:db8::1]:132"), Scheduler: "mh", Flags: dataplane.FlagSched1 | dataplane.FlagSched2, Netmask: dataplane.Mask6(128)},
		{Key: mustKey("fwm6/4294967295"), Scheduler: "sh", Flags: dataplane.FlagPersistent, Timeout: 90 * time.Second, Netmask: dataplane.Mask6(64)},
		{Key: mustKey("udp/192.0.2.1:5060"), Scheduler: "rr", Flags: dataplane.FlagPersistent, Timeout: (1<<32 - 1) * time.Second,
			Netmask: dataplane.Mask4(0xff00ff00), PersistenceEngine: "sip"},
	}
	for _, want := range services {
		e := request(nil, cmdNewService)
		e.service(want)
		var got dataplane.ServiceState
		a, err := entry(e.b, cmdNewService, attrService, "", svcAttrNames[:])
		if err != nil {
			t.Fatal(err)
		}
		e = request(nil, cmdNewService)
		e.nest(attrService, func() {
			e.b = append(e.b, a.b...)
			newKernel().stats(&e, svcStats, svcStats64, 0)
		})
		if _, err := decodeService(e.b, make(names), &got); err != nil || got.Service != want {
			t.Errorf("got %+v, %v\nwant %+v", got.Service, err, want)
		}
	}
	reals := []dataplane.RealServer{
		{RIP: rip("10.2.0.1:80"), Method: dataplane.Local, Weight: 1<<31 - 1, UpperThreshold: 1<<32 - 1, LowerThreshold: 7},
		{RIP: rip("[2001:db8::2]:0"), Method: dataplane.Tunnel, Encap: dataplane.Encap{Type: dataplane.GUE, Port: 6080, Flags: dataplane.EncapRemoteChecksum}},
		{RIP: rip("10.2.0.1:1"), Method: dataplane.Tunnel, Encap: dataplane.Encap{Type: dataplane.GRE, Flags: dataplane.EncapChecksum}},
	}
	for _, want := range reals {
		e := request(nil, cmdNewDest)
		e.real(want)
		a, err := entry(e.b, cmdNewDest, attrDest, "", destAttrNames[:])
		if err != nil {
			t.Fatal(err)
		}
		e = request(nil, cmdNewDest)
		e.nest(attrDest, func() {
			e.b = append(e.b, a.b...)
			for _, typ := range []uint16{destActiveConns, destInactConns, destPersistConns} {
				e.u32(typ, 0)
			}
			newKernel().stats(&e, destStats, destStats64, 0)
		})
		var got dataplane.RealState
		if _, err := decodeReal(e.b, dataplane.INET, &got); err != nil || got.RealServer != want {
			t.Errorf("got %+v, %v\nwant %+v", got.RealServer, err, want)
		}
	}
	daemons := []dataplane.SyncDaemon{
		{Role: dataplane.Backup, Interface: "eth0", SyncID: 255},
		{Role: dataplane.Master, Interface: "a-long-name-xyz", SyncID: 1, MaxLen: 1400, Group: netip.MustParseAddr("ff15::1"), Port: 8848, TTL: 3},
		{Role: dataplane.Master, Interface: "eth0", Group: netip.MustParseAddr("224.0.0.81")},
	}
	for _, want := range daemons {
		e := request(nil, cmdNewDaemon)
		e.daemon(want)
		if got, err := decodeDaemon(e.b); err != nil || got != want {
			t.Errorf("got %+v, %v\nwant %+v", got, err, want)
		}
	}
}

func TestNonsenseIsRefusedBeforeItIsSent(t *testing.T) {
	k := newKernel()
	c := k.client(t)
	ctx := t.Context()
	ok := svc("tcp/192.0.2.1:80", "rr")
	change := func(f func(*dataplane.Service)) dataplane.Service { s := ok; f(&s); return s }
	real := func(r dataplane.RealServer) error { return c.AddRealServer(ctx, ok.Key, r) }
	tests := map[string]error{
		"the zero key":                c.AddService(ctx, dataplane.Service{Scheduler: "rr"}),
		"delete the zero key":         c.DeleteService(ctx, dataplane.ServiceKey{}),
		"no scheduler":                c.AddService(ctx, change(func(s *dataplane.Service) { s.Scheduler = "" })),
		"long scheduler":              c.AddService(ctx, change(func(s *dataplane.Service) { s.Scheduler = "0123456789abcdef" })),
		"scheduler with a NUL":        c.AddService(ctx, change(func(s *dataplane.Service) { s.Scheduler = "r\x00r" })),
		"IPv6 netmask on IPv4":        c.AddService(ctx, change(func(s *dataplane.Service) { s.Netmask = dataplane.Mask6(64) })),
		"half a second":               c.AddService(ctx, change(func(s *dataplane.Service) { s.Timeout = time.Second / 2 })),
		"negative timeout":            c.EditService(ctx, change(func(s *dataplane.Service) { s.Timeout = -time.Second })),
		"no RIP":                      real(dataplane.RealServer{}),
		"zone":                        real(dataplane.RealServer{RIP: rip("[fe80::1%eth0]:80")}),
		"IPv4 in IPv6":                real(dataplane.RealServer{RIP: rip("[::ffff:10.0.0.1]:80")}),
		"method 8":                    real(dataplane.RealServer{RIP: rip("10.0.0.1:80"), Method: 8}),
		"GUE without tunnel":          real(dataplane.RealServer{RIP: rip("10.0.0.1:80"), Encap: dataplane.Encap{Type: dataplane.GUE}}),
		"timeout beyond 32 bits":      c.SetTimeouts(ctx, dataplane.Timeouts{UDP: 1 << 32 * time.Second}),
		"daemon without role":         c.StartDaemon(ctx, dataplane.SyncDaemon{Interface: "eth0"}),
		"daemon without interface":    c.StartDaemon(ctx, dataplane.SyncDaemon{Role: dataplane.Master}),
		"daemon with a long name":     c.StartDaemon(ctx, dataplane.SyncDaemon{Role: dataplane.Master, Interface: "0123456789abcdef"}),
		"stop of no role":             c.StopDaemon(ctx, 3),
		"real servers of no service":  second(c.RealServers(ctx, dataplane.ServiceKey{})),
		"service without key":         second(c.Service(ctx, dataplane.ServiceKey{})),
		"delete without real servers": c.DeleteRealServer(ctx, ok.Key, dataplane.RealServer{}),
	}
	for name, err := range tests {
		if err == nil || !strings.HasPrefix(err.Error(), "ipvs: ") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if len(k.requests) != 0 {
		t.Errorf("%d requests were sent", len(k.requests))
	}
}

func second[T any](_ T, err error) error { return err }
