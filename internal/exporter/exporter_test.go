package exporter

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"lvs/dataplane"
	"lvs/rrdstore"
)

var update = flag.Bool("update", false, "rewrite the wanted output in testdata")

// epoch is the first tick of testStore; now is 35 s later.
var epoch = time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)

// testStore is four ticks of three services: the second one partial, the third
// missing. The counters are beyond what a float64 holds exactly.
func testStore(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s, err := rrdstore.Open(dir, rrdstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, offset := range []int{0, 10, 30} {
		if err := s.Commit(t.Context(), testSnapshot(epoch.Add(time.Duration(offset)*time.Second), i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func testSnapshot(tick time.Time, i int) *dataplane.Snapshot {
	snap := &dataplane.Snapshot{Tick: tick, Time: tick, Partial: i == 1}
	snap.Director.HasStats, snap.Director.HasConnections = i != 1, i != 2
	snap.Director.Connections, snap.Director.Total.Connections = 7, uint64(100+i)
	for n, key := range []string{"tcp/192.0.2.10:443", "udp/[2001:db8::1]:53", "fwm4/257"} {
		k, err := dataplane.ParseServiceKey(key)
		if err != nil {
			panic(err)
		}
		svc := dataplane.ServiceState{Service: dataplane.Service{Key: k}}
		svc.Number = uint32(n + 1)
		svc.Total = dataplane.Counters{Connections: 1<<53 + 1, InPackets: uint64(i), OutPackets: 3, InBytes: 1<<64 - 1, OutBytes: uint64(n)}
		if n == 0 {
			svc.Name = "web"
		}
		for r := range 2 {
			real := dataplane.RealState{Active: 1<<32 - 1, Inactive: uint32(i), Persistent: 2}
			real.RIP = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(r + 1)}), 80)
			real.Number, real.Weight = uint32(r+1), 1<<31-1
			real.Total = dataplane.Counters{Connections: uint64(r), InBytes: uint64(i)}
			svc.Reals = append(svc.Reals, real)
		}
		snap.Services = append(snap.Services, svc)
	}
	return snap
}

// TestFetchPrintsWhatWasStored runs testdata/*.txtar: "args", one to a line with
// STORE for the store, and the wanted "stdout" and "err".
func TestFetchPrintsWhatWasStored(t *testing.T) {
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	dir := testStore(t)
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			args := strings.Split(strings.TrimSpace(strings.ReplaceAll(string(ar.Files[0].Data), "STORE", dir)), "\n")
			var stdout, stderr bytes.Buffer
			text := ""
			if err := run(context.Background(), args, &stdout, &stderr, epoch.Add(35*time.Second)); err != nil {
				text = strings.ReplaceAll(err.Error(), dir, "STORE") + "\n"
			}
			if stderr.Len() > 0 {
				t.Errorf("stderr: %s", &stderr)
			}
			got := []txtar.File{ar.Files[0], {Name: "stdout", Data: stdout.Bytes()}, {Name: "err", Data: []byte(text)}}
			if *update {
				ar.Files = got
				if err := os.WriteFile(path, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(txtar.Format(ar)), string(txtar.Format(&txtar.Archive{Comment: ar.Comment, Files: got}))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestExitCodeTellsUsageFromFailure(t *testing.T) {
	for _, c := range []struct {
		args string
		want int
	}{
		{"fetch", 2},
		{"nosuch", 2},
		{"fetch --store X --start yesterday", 2},
		{"fetch --store X --start 20 --end 10", 2},
		{"fetch --store X -o xml", 2},
		{"fetch --store /nonexistent/store", 1},
	} {
		err := Run(t.Context(), strings.Fields(c.args), new(bytes.Buffer), new(bytes.Buffer))
		if err == nil || ExitCode(err) != c.want {
			t.Errorf("%s: %v, want exit code %d", c.args, err, c.want)
		}
	}
}

func TestHelpAndVersionPrintOnce(t *testing.T) {
	for _, args := range []string{"--help", "fetch --help", "--version"} {
		var out bytes.Buffer
		if err := Run(t.Context(), strings.Fields(args), &out, new(bytes.Buffer)); err != nil {
			t.Errorf("%s: %v", args, err)
		}
		if n := strings.Count(out.String(), "usage: ") + strings.Count(out.String(), "lvs-exporter, version"); n != 1 {
			t.Errorf("%s printed %d times:\n%s", args, n, &out)
		}
	}
}

type brokenWriter struct{}

var errBroken = errors.New("broken")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestFetchReportsThatItCouldNotWrite(t *testing.T) {
	err := Run(t.Context(), []string{"fetch", "--store", testStore(t), "--start", "0"}, brokenWriter{}, new(bytes.Buffer))
	if !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
}

func TestParseTime(t *testing.T) {
	zone := time.FixedZone("CET", 3600)
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, zone)
	for s, want := range map[string]time.Time{
		"now":                       now,
		"-24h":                      now.AddDate(0, 0, -1),
		"-7d":                       now.AddDate(0, 0, -7),
		"-90m":                      now.Add(-90 * time.Minute),
		"1792487200":                time.Unix(1792487200, 0),
		"2026-11-20T08:00:00Z":      epoch,
		"2026-11-20T08:00:00+01:00": epoch.Add(-time.Hour),
		"2026-11-20T08:00":          epoch.Add(-time.Hour),
		"2026-11-20 08:00:07":       epoch.Add(7*time.Second - time.Hour),
		"2026-11-20":                epoch.Add(-9 * time.Hour),
	} {
		if got, err := parseTime(s, now); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v; want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "yesterday", "-", "--5h", "-5", "-5x", "24h", "2026-13-01", "99999999999999999999", "-99999999d"} {
		if got, err := parseTime(s, now); err == nil {
			t.Errorf("%q: %v, want an error", s, got)
		}
	}
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"tcp/*:443", "tcp/192.0.2.10:443", true},
		{"tcp/*:443", "tcp/192.0.2.10:4433", false},
		{"*", "", true},
		{"", "", true},
		{"", "a", false},
		{"a*b*c", "aXbXbXc", true},
		{"a*b*c", "aXbXbX", false},
		{"?", "", false},
		{"tcp/[2001:db8::?]:80", "tcp/[2001:db8::1]:80", true},
		{"**x", "yx", true},
	} {
		if got := glob(c.pattern, c.s); got != c.want {
			t.Errorf("glob(%q, %q) = %t", c.pattern, c.s, got)
		}
	}
}
