package ipvs

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"lvs/dataplane"
)

// A listing is one of ipvsadm's tables: the columns behind a service's and behind
// a real server's address.
type listing struct {
	args    string // of ipvsadm
	file    string // in the fixtures
	ordered bool   // in the kernel's order
	service func(*dataplane.ServiceState) string
	real    func(*dataplane.RealState) string
}

var listings = []listing{
	{"-Ln --nosort", "Ln-nosort.txt", true, schedulerColumns, func(r *dataplane.RealState) string {
		return fmt.Sprint(methodColumn(r.Method), " ", r.Weight, " ", r.Active, " ", r.Inactive)
	}},
	{"-Ln --stats --exact", "Ln-stats-exact.txt", false,
		func(s *dataplane.ServiceState) string { return countersColumns(s.Kernel) },
		func(r *dataplane.RealState) string { return countersColumns(r.Kernel) }},
	{"-Ln --rate --exact", "Ln-rate-exact.txt", false,
		func(s *dataplane.ServiceState) string { return ratesColumns(s.KernelRates) },
		func(r *dataplane.RealState) string { return ratesColumns(r.KernelRates) }},
	{"-Ln --thresholds", "Ln-thresholds.txt", false, schedulerColumns, func(r *dataplane.RealState) string {
		return fmt.Sprint(r.UpperThreshold, r.LowerThreshold, r.Active, r.Inactive)
	}},
	{"-Ln --persistent-conn", "Ln-persistent-conn.txt", false, schedulerColumns, func(r *dataplane.RealState) string {
		return fmt.Sprint(r.Weight, r.Persistent, r.Active, r.Inactive)
	}},
	{"-Ln --tun-info", "Ln-tun-info.txt", false, schedulerColumns, func(r *dataplane.RealState) string {
		return fmt.Sprint(methodColumn(r.Method), " ", encapColumn(r), " ", r.Weight, " ", r.Active, " ", r.Inactive)
	}},
}

// lines are a snapshot's rows in words that ipvsadm has as well.
func (l listing) lines(s *dataplane.Snapshot) (lines []string) {
	for i := range s.Services {
		svc := &s.Services[i]
		name := nameColumns(svc.Key)
		lines = append(lines, l.row(name, l.service(svc)))
		for j := range svc.Reals {
			r := &svc.Reals[j]
			lines = append(lines, l.row(name, r.RIP.String(), l.real(r)))
		}
	}
	if !l.ordered {
		slices.Sort(lines)
	}
	return lines
}

// parse brings ipvsadm's table into the form of lines.
func (l listing) parse(text string) (lines []string) {
	service := ""
	for _, line := range strings.Split(text, "\n")[1:] {
		f := strings.Fields(line)
		switch {
		case len(f) == 0 || f[0] == "Prot" || strings.HasPrefix(line, "  -> RemoteAddress"):
		case f[0] == "->":
			lines = append(lines, l.row(service, f[1:]...))
		default:
			n := 2
			if len(f) > 2 && f[2] == "IPv6" {
				n = 3
			}
			service = strings.Join(f[:n], " ")
			lines = append(lines, l.row(service, f[n:]...))
		}
	}
	if !l.ordered {
		slices.Sort(lines)
	}
	return lines
}

func (l listing) row(service string, columns ...string) string {
	return strings.Join(strings.Fields(service+" | "+strings.Join(columns, " ")), " ")
}

func nameColumns(k dataplane.ServiceKey) string {
	if k.IsMark() {
		// ipvsadm prints marks as signed numbers.
		name := fmt.Sprint("FWM ", int32(k.FWMark))
		if k.Family == dataplane.INET6 {
			name += " IPv6"
		}
		return name
	}
	return strings.ToUpper(k.Protocol.String()) + " " + k.VIP.String()
}

func schedulerColumns(s *dataplane.ServiceState) string {
	b := []string{s.Scheduler}
	names := [3]string{"flag-1", "flag-2", "flag-3"}
	if s.Scheduler == "sh" || s.Scheduler == "mh" {
		names = [3]string{s.Scheduler + "-fallback", s.Scheduler + "-port", "flag-3"}
	}
	var flags []string
	for i, name := range names {
		if s.Flags&(dataplane.FlagSched1<<i) != 0 {
			flags = append(flags, name)
		}
	}
	if len(flags) > 0 {
		b = append(b, "("+strings.Join(flags, ",")+")")
	}
	if s.Flags&dataplane.FlagPersistent != 0 {
		b = append(b, fmt.Sprint("persistent ", int(s.Timeout.Seconds())))
		if !s.Netmask.IsFull() {
			b = append(b, "mask "+s.Netmask.String())
		}
	}
	if s.PersistenceEngine != "" {
		b = append(b, "pe "+s.PersistenceEngine)
	}
	if s.Flags&dataplane.FlagOnePacket != 0 {
		b = append(b, "ops")
	}
	return strings.Join(b, " ")
}

func methodColumn(m dataplane.Method) string {
	return [...]string{"Masq", "Local", "Tunnel", "Route", "Bypass"}[m]
}

func encapColumn(r *dataplane.RealState) string {
	sum := map[dataplane.EncapFlags]string{0: "-c", dataplane.EncapChecksum: "+c", dataplane.EncapRemoteChecksum: "r+c"}[r.Encap.Flags]
	switch {
	case r.Method != dataplane.Tunnel:
		return "n/a"
	case r.Encap.Type == dataplane.GUE:
		return fmt.Sprint("gue:", r.Encap.Port, ":", sum)
	case r.Encap.Type == dataplane.GRE:
		return "gre:" + sum
	}
	return r.Encap.Type.String()
}

func countersColumns(c dataplane.Counters) string {
	return fmt.Sprint(c.Connections, c.InPackets, c.OutPackets, c.InBytes, c.OutBytes)
}

func ratesColumns(r dataplane.Rates) string {
	return fmt.Sprint(r.Connections, r.InPackets, r.OutPackets, r.InBytes, r.OutBytes)
}

func readText(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// sameLines compares two lists of rows.
func sameLines(t testing.TB, what string, want, got []string) {
	t.Helper()
	for i := range max(len(want), len(got)) {
		var w, g string
		if i < len(want) {
			w = want[i]
		}
		if i < len(got) {
			g = got[i]
		}
		if w != g {
			t.Errorf("%s, row %d:\nwant %s\n got %s", what, i, w, g)
		}
	}
}
