package exporter

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"lvs/dataplane"
	"lvs/rrdstore"
	"lvs/rrdstore/export"
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

// testHistory is two hours of imported values after those of testStore: one tick
// in 10 seconds, with a gap from 09:00 to 09:10.
func testHistory(t *testing.T) string {
	t.Helper()
	dir := testStore(t)
	s, err := rrdstore.Open(dir, rrdstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	total := uint64(1 << 40)
	done, err := s.ImportPoints(t.Context(), func(yield func(rrdstore.Point, error) bool) {
		for i := 6; i < 720; i++ {
			at := epoch.Add(time.Duration(i) * 10 * time.Second)
			total += uint64(10 * (i % 100))
			for n, key := range []string{"tcp/192.0.2.10:443", "tcp/192.0.2.10:443,10.0.0.1:80", "fwm4/257", "director"} {
				p := rrdstore.Point{Time: at, Source: rrdstore.Source{Name: "in_bytes"}, Value: rrdstore.UintValue(total * uint64(n+1))}
				p.Key, p.RIP, _ = export.ParseSeriesKey(key)
				gauge := p
				gauge.Source.Name, gauge.Value = "active", rrdstore.UintValue(uint64(i%7))
				if gap := i >= 360 && i < 420; !gap && !(yield(p, nil) && yield(gauge, nil)) {
					return
				}
			}
		}
	})
	if err != nil || done.Series != 4 {
		t.Fatalf("%+v, %v", done, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestCommands runs testdata/*.txtar: "run" has command lines, in which STORE and
// HISTORY are stores, DIR is a directory with the files of the archive that are not
// mentioned here, and NEW one without a store; "stdout" and "stderr" are what they
// print, together, with the error that main would print.
func TestCommands(t *testing.T) {
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	store, long := testStore(t), testHistory(t)
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			places := []string{"STORE", store, "HISTORY", long, "DIR", dir, "NEW", filepath.Join(t.TempDir(), "new")}
			var lines string
			var stdout, stderr bytes.Buffer
			for i := range ar.Files {
				switch f := &ar.Files[i]; f.Name {
				case "run":
					lines = strings.NewReplacer(places...).Replace(string(f.Data))
				case "stdout", "stderr":
				default:
					if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644); err != nil {
						t.Fatal(err)
					}
				}
			}
			for line := range strings.Lines(lines) {
				if err := run(t.Context(), words(line), &stdout, &stderr, epoch.Add(35*time.Second)); err != nil {
					fmt.Fprintf(&stderr, "lvs-exporter: %v\n", err)
				}
			}
			want := string(txtar.Format(ar))
			for i := range ar.Files {
				switch f := &ar.Files[i]; f.Name {
				case "stdout":
					f.Data = anonymous(stdout.String(), places)
				case "stderr":
					f.Data = anonymous(stderr.String(), places)
				}
			}
			if got := string(txtar.Format(ar)); *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// words splits a command line at spaces that are not in single quotes.
func words(line string) (all []string) {
	for i, part := range strings.Split(strings.TrimSpace(line), "'") {
		if i%2 == 1 {
			all = append(all, part)
		} else {
			all = append(all, strings.Fields(part)...)
		}
	}
	return all
}

var fileSize = regexp.MustCompile(`[0-9]+( bytes)|("bytes": )[0-9]+`)

// anonymous is output without places and the sizes of files.
func anonymous(s string, places []string) []byte {
	for i := 0; i < len(places); i += 2 {
		s = strings.ReplaceAll(s, places[i+1], places[i])
	}
	return []byte(fileSize.ReplaceAllString(s, "${2}0$1"))
}

func TestExitCodeTellsUsageFromFailure(t *testing.T) {
	for _, c := range []struct {
		args string
		want int
	}{
		{"nosuch", 2},
		{"fetch --store X --start someday", 2},
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

// Every command's help has examples, and what of itself the list of commands shows.
func TestEveryCommandHasExamples(t *testing.T) {
	for _, command := range []string{"info", "list", "fetch", "graph", "export", "import", "backup", "check"} {
		var all, one bytes.Buffer
		if err := errors.Join(Run(t.Context(), []string{"--help"}, &all, &all), Run(t.Context(), []string{command, "--help"}, &one, &one)); err != nil {
			t.Fatal(err)
		}
		brief := strings.Split(one.String(), "\n")[2]
		if !strings.Contains(one.String(), "Examples:\n") || !strings.Contains(one.String(), "\n  lvs-exporter "+command) || !strings.Contains(all.String(), brief) {
			t.Errorf("%s --help:\n%s", command, &one)
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

type closedPipe struct{}

func (closedPipe) Write([]byte) (int, error) { return 0, fmt.Errorf("write stdout: %w", syscall.EPIPE) }

// "lvs-exporter … | head" has what it wanted.
func TestCommandsEndQuietlyWhereNobodyReads(t *testing.T) {
	store := testStore(t)
	for _, line := range []string{"fetch -s 0", "fetch -s 0 -o json", "list", "info -o json", "graph web", "export -s 0 --format openmetrics", "export --format rrd web"} {
		var stderr bytes.Buffer
		args := append(strings.Fields(line), "--store", store)
		if err := run(t.Context(), args, closedPipe{}, &stderr, epoch.Add(35*time.Second)); err != nil || stderr.Len() > 0 {
			t.Errorf("%s: %v\n%s", line, err, &stderr)
		}
	}
}

// Whoever asks for rows as they were stored is told of what is older than those.
func TestFetchTellsOfOlderHistory(t *testing.T) {
	dir := t.TempDir()
	s, err := rrdstore.Open(dir, rrdstore.Options{Retention: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.ImportPoints(t.Context(), func(yield func(rrdstore.Point, error) bool) {
		for i := range 6 * 360 {
			p := rrdstore.Point{Time: epoch.Add(time.Duration(i) * 10 * time.Second), Source: rrdstore.Source{Name: "active"}, Value: rrdstore.UintValue(1)}
			p.Key, _, _ = export.ParseSeriesKey("fwm4/7")
			if !yield(p, nil) {
				return
			}
		}
	})
	if err = errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"-s 2026-11-20T08:30":             "consolidated history begins at 2026-11-20T08:00:00Z: --resolution 60s or --cf AVERAGE prints it",
		"-s 2026-11-20T13:30":             "",
		"-s 2026-11-20T08:30 -r 60s":      "",
		"-s 2026-11-20T08:30 -o csv-long": "rows as they were stored begin at 2026-11-20T1",
	} {
		var stdout, stderr bytes.Buffer
		err := run(t.Context(), append([]string{"fetch", "--store", dir}, strings.Fields(args)...), &stdout, &stderr, epoch.Add(6*time.Hour))
		if err != nil || (stderr.Len() == 0) != (want == "") || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: %v, %q, want one with %q", args, err, &stderr, want)
		}
	}
}
