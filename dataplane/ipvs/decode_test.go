package ipvs

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lvs/dataplane"
)

// Every recorded answer, decoded by us and by the program that recorded it.
func TestRecordedAnswersDecodeToTheirValues(t *testing.T) {
	count := make(map[string]int)
	for _, path := range recordings(t) {
		for _, m := range readRecorded(t, path) {
			if m.Direction != "reply" {
				continue
			}
			data := m.wire(t)[nlHeader:]
			var got, want any
			var err error
			switch m.Command {
			case "NEW_SERVICE":
				var s dataplane.ServiceState
				_, err = decodeService(data, make(names), &s)
				got, want = s, wantService(m.Attrs[0].A)
			case "NEW_DEST":
				var r dataplane.RealState
				_, err = decodeReal(data, dataplane.INET, &r)
				got, want = r, wantReal(m.Attrs[0].A)
			case "NEW_DAEMON":
				got, err = decodeDaemon(data)
				want = wantDaemon(t, m.Attrs[0].A)
			case "SET_INFO":
				got, err = decodeInfo(data)
				want = Info{Version: "1.2.1", ConnTableSize: uint32(number(m.Attrs[1].V))}
			case "SET_CONFIG":
				got, err = decodeTimeouts(data)
				want = dataplane.Timeouts{TCP: seconds(m.Attrs[0].V), TCPFin: seconds(m.Attrs[1].V), UDP: seconds(m.Attrs[2].V)}
			default:
				t.Errorf("%s: answer %s is not tested", path, m.Command)
			}
			if err != nil {
				t.Errorf("%s: %v", path, err)
			}
			if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
				cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
				cmp.Comparer(func(a, b dataplane.Netmask) bool { return a == b })); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", path, m.What, diff)
			}
			count[m.Command]++
		}
	}
	for _, name := range []string{"NEW_SERVICE", "NEW_DEST", "NEW_DAEMON", "SET_INFO", "SET_CONFIG"} {
		if count[name] == 0 {
			t.Errorf("no %s was recorded", name)
		}
	}
}

func TestARecordedTableIsWhatIpvsadmShowed(t *testing.T) {
	for _, tt := range []struct {
		dir             string
		services, reals int
		// Rows whose counters the kernel brought up to date between the two
		// recordings; its estimated rates all changed.
		later int
	}{{"rich", 44, 127, 4}, {"bulk", 2, 1, 0}} {
		dir := filepath.Join(fixtures, tt.dir)
		s, err := replayClient(t, filepath.Join(dir, "netlink")).Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Services) != tt.services || s.RealServers() != tt.reals || s.Counters32 {
			t.Errorf("%s: %d services, %d real servers, 32 bits %v; want %d, %d, false",
				tt.dir, len(s.Services), s.RealServers(), s.Counters32, tt.services, tt.reals)
		}
		for _, l := range listings {
			path := filepath.Join(dir, l.file)
			if tt.dir == "bulk" && l.file != "Ln-stats-exact.txt" || l.file == "Ln-rate-exact.txt" {
				continue
			}
			want, got := l.parse(readText(t, path)), l.lines(s)
			if l.file == "Ln-stats-exact.txt" {
				want = withLater(t, want, got, tt.later)
			}
			sameLines(t, path, want, got)
		}
	}
}

// withLater takes over, of rows of counters, those n that have only grown.
func withLater(t *testing.T, want, got []string, n int) []string {
	t.Helper()
	for i := range min(len(want), len(got)) {
		name, w, _ := strings.Cut(want[i], " | ")
		gotName, g, _ := strings.Cut(got[i], " | ")
		wf, gf := strings.Fields(w), strings.Fields(g)
		grown := name == gotName && len(wf) == len(gf) && len(wf) > 5 && wf[0] == gf[0] && w != g
		for j := 1; grown && j < len(wf); j++ {
			var a, b uint64
			fmt.Sscan(wf[j], &a)
			fmt.Sscan(gf[j], &b)
			grown = a <= b
		}
		if grown {
			want[i] = got[i]
			n--
		}
	}
	if n != 0 {
		t.Errorf("%d rows more or fewer than expected have grown", n)
	}
	return want
}

func number(v any) uint64 { return uint64(v.(float64)) }

func seconds(v any) time.Duration { return time.Duration(number(v)) * time.Second }

func wantFamily(v any) dataplane.Family {
	if number(v) == afINET6 {
		return dataplane.INET6
	}
	return dataplane.INET
}

func wantService(attrs []recordedAttr) (s dataplane.ServiceState) {
	var addr netip.Addr
	for _, a := range attrs {
		switch a.N {
		case "AF":
			s.Key.Family = wantFamily(a.V)
		case "PROTOCOL":
			s.Key.Protocol = dataplane.Protocol(number(a.V))
		case "ADDR":
			addr = netip.MustParseAddr(a.V.(string))
		case "PORT":
			s.Key.VIP = netip.AddrPortFrom(addr, uint16(number(a.V)))
		case "FWMARK":
			s.Key.FWMark = uint32(number(a.V))
		case "SCHED_NAME":
			s.Scheduler = a.V.(string)
		case "PE_NAME":
			s.PersistenceEngine = a.V.(string)
		case "FLAGS":
			fmt.Sscanf(a.V.(map[string]any)["flags"].(string), "0x%x", &s.Flags)
		case "TIMEOUT":
			s.Timeout = seconds(a.V)
		case "NETMASK":
			if text, ok := a.V.(string); ok {
				b := netip.MustParseAddr(text).As4()
				s.Netmask = dataplane.Mask4(binary.BigEndian.Uint32(b[:]))
			} else {
				s.Netmask = dataplane.Mask6(uint32(number(a.V)))
			}
		case "STATS64":
			s.Kernel, s.KernelRates = wantStats(a.A)
		}
	}
	return s
}

func wantReal(attrs []recordedAttr) (r dataplane.RealState) {
	var addr netip.Addr
	for _, a := range attrs {
		switch a.N {
		case "ADDR":
			addr = netip.MustParseAddr(a.V.(string))
		case "PORT":
			r.RIP = netip.AddrPortFrom(addr, uint16(number(a.V)))
		case "FWD_METHOD":
			r.Method = dataplane.Method(number(a.V))
		case "WEIGHT":
			r.Weight = uint32(number(a.V))
		case "U_THRESH":
			r.UpperThreshold = uint32(number(a.V))
		case "L_THRESH":
			r.LowerThreshold = uint32(number(a.V))
		case "ACTIVE_CONNS":
			r.Active = uint32(number(a.V))
		case "INACT_CONNS":
			r.Inactive = uint32(number(a.V))
		case "PERSIST_CONNS":
			r.Persistent = uint32(number(a.V))
		case "TUN_TYPE":
			r.Encap.Type = dataplane.EncapType(number(a.V))
		case "TUN_PORT":
			r.Encap.Port = uint16(number(a.V))
		case "TUN_FLAGS":
			r.Encap.Flags = dataplane.EncapFlags(number(a.V))
		case "STATS64":
			r.Kernel, r.KernelRates = wantStats(a.A)
		}
	}
	return r
}

func wantStats(attrs []recordedAttr) (dataplane.Counters, dataplane.Rates) {
	v := make(map[string]uint64)
	for _, a := range attrs {
		v[a.N] = number(a.V)
	}
	return dataplane.Counters{Connections: v["CONNS"], InPackets: v["INPKTS"], OutPackets: v["OUTPKTS"], InBytes: v["INBYTES"], OutBytes: v["OUTBYTES"]},
		dataplane.Rates{Connections: v["CPS"], InPackets: v["INPPS"], OutPackets: v["OUTPPS"], InBytes: v["INBPS"], OutBytes: v["OUTBPS"]}
}

func wantDaemon(t *testing.T, attrs []recordedAttr) (d dataplane.SyncDaemon) {
	for _, a := range attrs {
		switch a.N {
		case "STATE":
			d.Role = dataplane.SyncRole(number(a.V))
		case "MCAST_IFN":
			d.Interface = a.V.(string)
		case "SYNC_ID":
			d.SyncID = uint32(number(a.V))
		case "SYNC_MAXLEN":
			d.MaxLen = uint16(number(a.V))
		case "MCAST_PORT":
			d.Port = uint16(number(a.V))
		case "MCAST_TTL":
			d.TTL = uint8(number(a.V))
		case "MCAST_GROUP":
			b, err := hex.DecodeString(a.V.(string))
			if err != nil {
				t.Fatal(err)
			}
			d.Group, _ = netip.AddrFromSlice(b)
		}
	}
	return d
}
