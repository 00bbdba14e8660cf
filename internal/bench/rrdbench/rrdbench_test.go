package rrdbench

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"lvs/internal/bench/load"
)

var config = load.Config{Services: 2, Reals: 3, Seed: 1, Start: load.Start, Step: 10 * time.Second}

// The daemon must have done what its figures are for.
func TestDaemonStoresTheLoad(t *testing.T) {
	dir := t.TempDir()
	plan := Plan{Ticks: 25, Flush: 10, Cut: 100}
	r, err := Ingest(t.Context(), dir, config, plan)
	if err != nil {
		t.Fatal(err)
	}
	if want := int64(25 * config.Entities()); r.Updates != want || r.PerTick(plan) <= 0 {
		t.Errorf("%d updates in %v, want %d", r.Updates, r.CPU, want)
	}
	l := load.New(config)
	for range plan.Ticks - 1 {
		l.Next()
	}
	last := l.Next()
	load.Each(last, func(i int, v load.Values) {
		want := strconv.FormatInt(last.Tick.Unix(), 10) + ":"
		for _, u := range v {
			want += " " + strconv.FormatUint(u, 10)
		}
		out, err := exec.Command("rrdtool", "lastupdate", filepath.Join(dir, name(i))).Output()
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		if got := lines[len(lines)-1]; got != want {
			t.Errorf("entity %d: %q, want %q", i, got, want)
		}
	})
}

func TestRefusedUpdatesAreErrors(t *testing.T) {
	d, err := startDaemon(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer d.stop()
	if err := d.batch([]byte("UPDATE 0.rrd 1700000010:1\n")); err == nil {
		t.Error("an update of no file is taken")
	}
	if _, err := d.ask("NONSENSE"); err == nil {
		t.Error("nonsense is answered")
	}
}

func TestFilesHaveTheirFullLength(t *testing.T) {
	three, err := FileSize(t.Context(), t.TempDir(), "AVERAGE", "MIN", "MAX")
	if err != nil {
		t.Fatal(err)
	}
	four, err := FileSize(t.Context(), t.TempDir(), "AVERAGE", "MIN", "MAX", "LAST")
	if err != nil {
		t.Fatal(err)
	}
	rows := func(functions int64) int64 { return 8640 + functions*(7*1440+31*288+730*24) }
	for _, c := range []struct{ got, functions int64 }{{three, 3}, {four, 4}} {
		values := rows(c.functions) * int64(len(load.Sources)) * 8
		if c.got < values || c.got > values+32<<10 {
			t.Errorf("with %d functions %d bytes, the values are %d of them", c.functions, c.got, values)
		}
	}
}

func TestReadsTakeTime(t *testing.T) {
	r, err := MeasureReads(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if r.Fetch <= 0 || r.PNG <= 0 || r.SVG <= 0 {
		t.Errorf("%+v", r)
	}
	t.Logf("%+v", r)
}
