package export

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"lvs/rrdstore"
)

// A lived store has had two hours of updates of one service every ten seconds:
// what rrdtool takes as well, and the same as CSV.
type lived struct {
	*testing.T
	store *rrdstore.Store
	feed  *feed
	key   string
	last  time.Time
}

func liveStore(t *testing.T, seed uint64) *lived {
	_, service, _, _ := series(t)
	s, err := rrdstore.Open(t.TempDir(), rrdstore.Options{
		Step: 10 * time.Second, Heartbeat: 25 * time.Second,
		Tiers: []rrdstore.Tier{{Step: time.Minute, Keep: 24 * time.Hour}, {Step: 5 * time.Minute, Keep: 48 * time.Hour}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	l := &lived{T: t, store: s, key: SeriesKey(service.Key, service.RIP)}
	l.feed = &feed{rand: rand.New(rand.NewPCG(seed, 1)), now: epoch.Unix(), grid: true, counter: seed << 59}
	return l
}

// live imports some updates, and returns them for rrdtool.
func (l *lived) live(updates int) (args []string) {
	l.Helper()
	text := longHeader + "\n"
	for range updates {
		u := l.feed.next()
		args = append(args, u)
		f := strings.Split(u, ":")
		text += fmt.Sprintf("%s,%s,in_bytes,%s\n%s,%s,active,%s\n", f[0], l.key, f[1], f[0], l.key, f[2])
		at, err := strconv.ParseInt(f[0], 10, 64)
		if err != nil {
			l.Fatal(err)
		}
		l.last = time.Unix(at, 0)
	}
	if _, err := l.store.ImportPoints(l.Context(), ReadCSV(strings.NewReader(text), "updates.csv", nil)); err != nil {
		l.Fatal(err)
	}
	return args
}

// results are what the store has, as the archives of an RRD.
func (l *lived) results() (all []*rrdstore.Result) {
	l.Helper()
	r, err := l.store.Reader(l.Context())
	if err != nil {
		l.Fatal(err)
	}
	for _, archive := range []struct {
		step      time.Duration
		functions []rrdstore.Function
	}{
		{10 * time.Second, []rrdstore.Function{rrdstore.Average}},
		{time.Minute, []rrdstore.Function{rrdstore.Average, rrdstore.Min, rrdstore.Max, rrdstore.Last}},
		{5 * time.Minute, []rrdstore.Function{rrdstore.Average, rrdstore.Max}},
	} {
		res, err := r.Fetch(l.Context(), rrdstore.Query{Series: r.Series(), Sources: []string{"in_bytes", "active"}, Functions: archive.functions, Start: epoch, End: l.last, Resolution: archive.step})
		if err != nil {
			l.Fatal(err)
		}
		if res.Step != archive.step {
			l.Fatalf("the store has a step of %v, want %v", res.Step, archive.step)
		}
		all = append(all, res)
	}
	return all
}

// compare holds every archive of a file of RRDtool's against the store.
func (l *lived) compare(path string) (cells int) {
	l.Helper()
	for _, r := range l.results() {
		end := l.last.Unix() - l.last.Unix()%seconds(r.Step)
		for _, f := range layoutOf(r).functions {
			cut := slice(r, 0, int((end-r.Start.Unix())/seconds(r.Step)))
			cells += compareFetch(l.T, path, cut, f, l.last.Unix())
		}
	}
	return cells
}

// TestStoreGoesOnInRRDTool exports a store that was filled from CSV to RRDtool, and
// then gives both the same updates: they agree before and after.
func TestStoreGoesOnInRRDTool(t *testing.T) {
	cells := 0
	for seed := range uint64(4) {
		l := liveStore(t, seed)
		l.live(500 + int(seed)*13)
		d, err := NewRRD(10*time.Second, 25*time.Second, l.last, rrdstore.DefaultXFF, l.results()...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range d.Archives {
			d.Archives[i].Rows = 2000
		}
		d.Sources[0].Last = l.feed.last
		path := filepath.Join(t.TempDir(), "x.rrd")
		restore(t, d, path)
		cells += l.compare(path)
		for range 3 {
			rrdtool(t, append([]string{"update", path}, l.live(17)...)...)
			cells += l.compare(path)
		}
		if t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}
	t.Logf("%d cells are equal", cells)
}

// TestStoreGoesOnInAnotherStore exports raw rows as CSV of both forms and imports
// them: the two stores tell the same.
func TestStoreGoesOnInAnotherStore(t *testing.T) {
	for _, f := range []Format{CSV, CSVLong} {
		l := liveStore(t, 5)
		l.live(300)
		r, err := l.store.Reader(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		w, err := NewRawWriter(&text, f, []string{"in_bytes", "active"}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		every := func(*rrdstore.Series) bool { return true }
		if err := w.Write(Part{Series: r.Series()}, r.Rows(t.Context(), epoch, l.last, every)); err != nil {
			t.Fatal(err)
		}
		if err := w.End(); err != nil {
			t.Fatal(err)
		}
		other := liveStore(t, 0)
		other.last = l.last
		if _, err := other.store.ImportPoints(t.Context(), ReadCSV(&text, "raw.csv", nil)); err != nil {
			t.Fatal(err)
		}
		want, got := l.results(), other.results()
		for i := range want {
			compareCells(t, f, cells(want[i]), cells(got[i]))
		}
	}
}
