package collector

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"lvs/dataplane"
)

var update = flag.Bool("update", false, "rewrite the wanted results under testdata")

// epoch0 is when samples of tests begin.
var epoch0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// TestContinuity runs the cases of testdata/continuity. A case is a row of
// samples ten seconds apart, each a section of a txtar file named "sample" with
// options behind:
//
//	-- sample epoch=a partial inconsistent counters32 --
//	director 300 connections=9
//	tcp/192.0.2.1:80 wlc 120
//		10.0.0.1:80 60
//		10.0.0.2:80 60 weight=0 active=3 inactive=1 upper=8
//
// A service is followed by its real servers in the order of the dump. A count n
// stands for n connections, 10n packets in, 5n out, 1000n bytes in and 500n out;
// five numbers with commas between them stand for themselves. In between, a
// section "restart" starts the agent anew from what was committed, and "pause 12"
// lets the time of twelve samples pass. The last section, "want", has what came out
// of each.
func TestContinuity(t *testing.T) {
	files, err := filepath.Glob("testdata/continuity/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("cases: %v %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { runCase(t, file) })
	}
}

func runCase(t *testing.T, file string) {
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	var want *txtar.File
	store := newMemory()
	c := NewContinuity(nil, DefaultForget)
	n := 0
	for i := range a.Files {
		f := &a.Files[i]
		switch kind, options, _ := strings.Cut(f.Name, " "); kind {
		case "sample":
			n++
			src := parseSample(t, options, string(f.Data), n)
			out := c.Apply(src, src.Time)
			store.commit(out)
			fmt.Fprintf(&got, "%d:\n", n)
			printAccounts(&got, out)
		case "pause":
			missed, err := strconv.Atoi(options)
			if err != nil {
				t.Fatal(err)
			}
			n += missed
		case "restart":
			c = NewContinuity(store.list(), DefaultForget)
		case "want":
			want = f
		default:
			t.Fatalf("section %q", f.Name)
		}
	}
	if *update {
		if want == nil {
			a.Files = append(a.Files, txtar.File{Name: "want"})
			want = &a.Files[len(a.Files)-1]
		}
		want.Data = []byte(got.String())
		if err := os.WriteFile(file, txtar.Format(a), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if want == nil || got.String() != string(want.Data) {
		t.Errorf("got\n%s", got.String())
	}
}

func parseSample(t *testing.T, options, text string, n int) *dataplane.Snapshot {
	t.Helper()
	s := &dataplane.Snapshot{Time: epoch0.Add(time.Duration(n) * 10 * time.Second)}
	for _, o := range strings.Fields(options) {
		name, value, _ := strings.Cut(o, "=")
		switch name {
		case "epoch":
			s.Director.Epoch = value
		case "partial":
			s.Partial = true
		case "inconsistent":
			s.Inconsistent = 1
		case "counters32":
			s.Counters32 = true
		default:
			t.Fatalf("option %q", o)
		}
	}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		switch {
		case len(f) == 0:
		case f[0] == "director":
			s.Director.HasStats, s.Director.Kernel = true, parseCount(t, f[1])
			if len(f) > 2 {
				s.Director.HasConnections, s.Director.Connections = true, uint64(parseOption(t, f[2], "connections"))
			}
		case line[0] == '\t':
			services := s.Services
			services[len(services)-1].Reals = append(services[len(services)-1].Reals, parseReal(t, f))
		default:
			key, err := dataplane.ParseServiceKey(f[0])
			if err != nil {
				t.Fatal(err)
			}
			s.Services = append(s.Services, dataplane.ServiceState{
				Service: dataplane.Service{Key: key, Scheduler: f[1], Flags: dataplane.FlagHashed},
				Account: dataplane.Account{Kernel: parseCount(t, f[2])},
			})
		}
	}
	return s
}

func parseReal(t *testing.T, f []string) (r dataplane.RealState) {
	t.Helper()
	rip, err := dataplane.ParseRIP(f[0])
	if err != nil {
		t.Fatal(err)
	}
	r.RIP, r.Weight, r.Kernel = rip, 1, parseCount(t, f[1])
	for _, o := range f[2:] {
		name, _, _ := strings.Cut(o, "=")
		to := map[string]*uint32{"weight": &r.Weight, "active": &r.Active, "inactive": &r.Inactive, "upper": &r.UpperThreshold}[name]
		if to == nil {
			t.Fatalf("option %q", o)
		}
		*to = parseOption(t, o, name)
	}
	return r
}

func parseOption(t *testing.T, option, name string) uint32 {
	t.Helper()
	value, ok := strings.CutPrefix(option, name+"=")
	n, err := strconv.ParseUint(value, 10, 32)
	if !ok || err != nil {
		t.Fatalf("option %q: want %s=NUMBER", option, name)
	}
	return uint32(n)
}

// scale is the counters a count of n stands for.
func scale(n uint64) dataplane.Counters {
	return dataplane.Counters{Connections: n, InPackets: 10 * n, OutPackets: 5 * n, InBytes: 1000 * n, OutBytes: 500 * n}
}

func parseCount(t *testing.T, s string) dataplane.Counters {
	t.Helper()
	var n []uint64
	for f := range strings.SplitSeq(s, ",") {
		v, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		n = append(n, v)
	}
	if len(n) == 5 {
		return dataplane.Counters{Connections: n[0], InPackets: n[1], OutPackets: n[2], InBytes: n[3], OutBytes: n[4]}
	}
	return scale(n[0])
}

func printCount(c dataplane.Counters) string {
	if c == scale(c.Connections) {
		return strconv.FormatUint(c.Connections, 10)
	}
	return fmt.Sprintf("%d,%d,%d,%d,%d", c.Connections, c.InPackets, c.OutPackets, c.InBytes, c.OutBytes)
}

// printAccounts writes a line for the director, if it has statistics, each
// service and each real server: number, kernel's value, total, resets with the
// sample the last was in, the state with the sample it is so since, how often it
// changed and how often for the worse, and the peak of connections.
func printAccounts(b *strings.Builder, s *dataplane.Snapshot) {
	line := func(indent, name string, a *dataplane.Account, status string) {
		fmt.Fprintf(b, "%s%s #%d kernel=%s total=%s", indent, name, a.Number, printCount(a.Kernel), printCount(a.Total))
		for reason, n := range a.Resets {
			if n > 0 {
				fmt.Fprintf(b, " %v=%d", dataplane.ResetReason(reason), n)
			}
		}
		if !a.LastReset.IsZero() {
			fmt.Fprintf(b, " at=%d", a.LastReset.Sub(epoch0)/(10*time.Second))
		}
		if status != "" {
			fmt.Fprintf(b, " %s since %d", status, a.LastChange.Sub(epoch0)/(10*time.Second))
		}
		for _, v := range []struct {
			name string
			n    uint64
		}{{"changes", uint64(a.Changes)}, {"failures", uint64(a.Failures)}, {"peak", a.Peak}} {
			if v.n > 0 {
				fmt.Fprintf(b, " %s=%d", v.name, v.n)
			}
		}
		b.WriteString("\n")
	}
	if s.Director.HasStats || !s.Director.Total.IsZero() {
		line("", "director", &s.Director.Account, "")
	}
	for i := range s.Services {
		line("", s.Services[i].Key.String(), &s.Services[i].Account, s.Services[i].Status().String())
		for j := range s.Services[i].Reals {
			r := &s.Services[i].Reals[j]
			line("\t", r.RIP.String(), &r.Account, r.Status().String())
		}
	}
}

// memory is a ledger in memory: what a store would remember.
type memory struct {
	accounts map[memoryKey]dataplane.Remembered
}

type memoryKey struct {
	key dataplane.ServiceKey
	rip netip.AddrPort
}

func newMemory() *memory { return &memory{map[memoryKey]dataplane.Remembered{}} }

func (m *memory) commit(s *dataplane.Snapshot) {
	for k, a := range m.accounts {
		a.Gone = true
		m.accounts[k] = a
	}
	put := func(k dataplane.ServiceKey, rip netip.AddrPort, a dataplane.Account, status dataplane.Status) {
		m.accounts[memoryKey{k, rip}] = dataplane.Remembered{Key: k, RIP: rip, Epoch: s.Director.Epoch, Account: a, Status: status}
	}
	put(dataplane.ServiceKey{}, netip.AddrPort{}, s.Director.Account, dataplane.Up)
	for i := range s.Services {
		v := &s.Services[i]
		put(v.Key, netip.AddrPort{}, v.Account, v.Status())
		for j := range v.Reals {
			put(v.Key, v.Reals[j].RIP, v.Reals[j].Account, v.Reals[j].Status())
		}
	}
}

func (m *memory) list() (all []dataplane.Remembered) {
	for _, a := range m.accounts {
		all = append(all, a)
	}
	return all
}
