package exporter

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"lvs/rrdstore"
)

// rrdtool runs the program and gives what it prints.
func rrdtool(t *testing.T) func(args ...string) string {
	t.Helper()
	program, err := exec.LookPath("rrdtool")
	if err != nil {
		t.Fatal("rrdtool is missing (Debian's package rrdtool)")
	}
	return func(args ...string) string {
		t.Helper()
		out, err := exec.Command(program, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("rrdtool %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
}

// TestExportRRDIsWhatFetchPrints restores what is exported and compares what
// rrdtool reads from it with what fetch prints, and with what comes next.
func TestExportRRDIsWhatFetchPrints(t *testing.T) {
	tool := rrdtool(t)
	store, dir := testHistory(t), t.TempDir()
	exportNow(t, "export", "--store", store, "--format", "rrd", "--dir", dir, "--real", "--source", "in_bytes,active", "web", "director")
	files, err := filepath.Glob(filepath.Join(dir, "*.xml"))
	if err != nil || len(files) != 4 {
		t.Fatalf("wrote %q, want 4 files", files)
	}
	file := filepath.Join(dir, "web.rrd")
	tool("restore", filepath.Join(dir, "tcp_192.0.2.10_443.xml"), file)
	end := epoch.Add(119 * time.Minute)
	for _, c := range []struct{ function, step string }{{"AVERAGE", "10"}, {"AVERAGE", "60"}, {"MAX", "60"}, {"LAST", "60"}} {
		times := []string{"--start", end.Add(-time.Hour).Format("20060102 15:04"), "--end", "start+58min", "-r", c.step}
		var want []string
		for line := range strings.Lines(tool(append([]string{"fetch", file, c.function}, times...)...)) {
			if tick, values, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
				want = append(want, tick+" "+numbers(t, strings.Fields(values)))
			}
		}
		var got []string
		lines := strings.Split(exportNow(t, append(append([]string{"fetch", "--store", store, "--cf", c.function, "--source", "in_bytes,active"}, times...), "web")...), "\n")
		for _, line := range lines[1 : len(lines)-1] {
			cells := strings.Split(line, ",")
			tick, err := time.Parse(time.RFC3339, cells[0])
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, unix(tick)+" "+numbers(t, cells[3:]))
		}
		if len(got) < 50 || strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s of %s s: rrdtool reads\n%s\nfetch prints\n%s", c.function, c.step, strings.Join(want, "\n"), strings.Join(got, "\n"))
		}
	}
}

// TestImportBringsBackWhatRRDtoolHas goes the way back: rrdtool dump, import, fetch.
func TestImportBringsBackWhatRRDtoolHas(t *testing.T) {
	tool := rrdtool(t)
	dir := t.TempDir()
	file, dump, store := filepath.Join(dir, "a.rrd"), filepath.Join(dir, "a.xml"), filepath.Join(dir, "store")
	tool("create", file, "--start", unix(epoch), "--step", "300", "DS:traffic_in:COUNTER:600:0:U", "DS:Load:GAUGE:600:U:U",
		"RRA:AVERAGE:0.5:1:600", "RRA:AVERAGE:0.5:6:700", "RRA:MAX:0.5:6:700")
	for i := 1; i <= 100; i++ {
		tool("update", file, unix(epoch.Add(time.Duration(i)*5*time.Minute))+":"+unix(time.Unix(int64(i*i)*1000, 0))+":"+unix(time.Unix(int64(i%13), 0)))
	}
	if err := os.WriteFile(dump, []byte(tool("dump", file)), 0o644); err != nil {
		t.Fatal(err)
	}
	said := exportNow(t, "import", "--store", store, "--key", "fwm4/7", "--map", "traffic_in=in_bytes", "--map", "Load=load", dump)
	if !strings.Contains(said, "rrdtool, ") {
		t.Errorf("it said %s", said)
	}
	for _, c := range []struct{ function, step string }{{"AVERAGE", "300"}, {"AVERAGE", "1800"}, {"MAX", "1800"}} {
		times := []string{"--start", unix(epoch.Add(time.Hour)), "--end", unix(epoch.Add(7 * time.Hour)), "-r", c.step}
		want := map[string]string{}
		for line := range strings.Lines(tool(append([]string{"fetch", file, c.function}, times...)...)) {
			if tick, values, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
				want[tick] = numbers(t, strings.Fields(values))
			}
		}
		lines := strings.Split(exportNow(t, append([]string{"fetch", "--store", store, "--cf", c.function, "--source", "in_bytes,load", "fwm4/7"}, times...)...), "\n")
		for _, line := range lines[1 : len(lines)-1] {
			cells := strings.Split(line, ",")
			tick, err := time.Parse(time.RFC3339, cells[0])
			if err != nil {
				t.Fatal(err)
			}
			if got := numbers(t, cells[3:]); got != want[unix(tick)] {
				t.Errorf("%s of %s s at %v: %s, rrdtool has %s", c.function, c.step, tick, got, want[unix(tick)])
			}
			delete(want, unix(tick))
		}
		if len(want) > 0 {
			t.Errorf("%s of %s s lacks %v", c.function, c.step, want)
		}
	}
}

// TestImportTakesBackWhatFetchPrints holds that CSV goes round without a loss.
func TestImportTakesBackWhatFetchPrints(t *testing.T) {
	store, dir := testHistory(t), t.TempDir()
	file, other := filepath.Join(dir, "all.csv"), filepath.Join(dir, "other")
	print := func(store string) string {
		return exportNow(t, "fetch", "--store", store, "--real", "-o", "csv-long", "*", "director")
	}
	want := print(store)
	if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
	exportNow(t, "import", "--store", other, file)
	if got := print(other); got != want || len(want) < 100_000 {
		t.Errorf("%d bytes came back as %d others", len(want), len(got))
	}
}

// TestImportLeavesAUsedStoreAlone holds that an agent's store is not written.
func TestImportLeavesAUsedStoreAlone(t *testing.T) {
	dir := testStore(t)
	s, err := rrdstore.Open(dir, rrdstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	file := filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(file, []byte("1795161600,fwm4/7,active,1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	err = Run(t.Context(), []string{"import", "--store", dir, file}, new(bytes.Buffer), new(bytes.Buffer))
	if !errors.Is(err, rrdstore.ErrLocked) || !strings.Contains(err.Error(), "stop the agent") {
		t.Errorf("got %v", err)
	}
}

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// numbers are cells in one form, to 11 digits, which is what rrdtool prints.
func numbers(t *testing.T, cells []string) string {
	t.Helper()
	var all []string
	for _, c := range cells {
		if c == "" || c == "-nan" || c == "nan" {
			all = append(all, "unknown")
			continue
		}
		v, err := strconv.ParseFloat(c, 64)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, strconv.FormatFloat(v, 'e', 10, 64))
	}
	return strings.Join(all, " ")
}
