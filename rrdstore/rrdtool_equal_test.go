package rrdstore

import (
	"context"
	"slices"
	"testing"
	"time"

	"lvs/internal/lab"
)

// A tally counts what the comparison found.
type tally struct {
	questions, cells, numeric int
	canceled                  int // different, because large values cancel out
}

// TestStoreEqualsRRDtool gives the same updates to RRDtool and to stores, and
// compares all they answer, cell by cell. Rows come from the head, from raw
// superchunks and from tiers, as it happens.
func TestStoreEqualsRRDtool(t *testing.T) {
	t.Parallel()
	tool := startRRDtool(t)
	var sum tally
	for number := range lab.Repeat(t, "LVS_RRDS", 12) {
		s := newStory(number)
		if !sum.run(t, s, tool) {
			t.Fatalf("story %d: step %d s, heartbeat %d s, %d of %d ticks imported, %+v", number, s.step, s.beat, s.live, len(s.ticks), s.opts)
		}
	}
	t.Logf("%d questions, %d cells, %d of them numbers; %d differ where values cancel out", sum.questions, sum.cells, sum.numeric, sum.canceled)
	if sum.numeric < sum.cells/20 {
		t.Error("the stories hold too little to show anything")
	}
}

// run lets a story happen.
func (n *tally) run(t *testing.T, s *story, tool *rrdtool) (ok bool) {
	dir := t.TempDir()
	checkAfter(t, dir)
	for _, d := range s.databases {
		tool.create(d, s.step, s.beat, s.archives)
	}
	store := mustOpen(t, dir, s.opts)
	reopen := func() {
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		store = mustOpen(t, dir, s.opts)
	}
	rest := []int{1, 30, 10000}[s.IntN(3)] // commits without maintenance
	for i := s.live; i <= len(s.ticks); i++ {
		for points := s.imports[i]; len(points) > 0; {
			k := len(points)
			if !s.short && s.chance(2) { // what is kept no more cannot be looked at again
				k = 1 + s.IntN(k)
			}
			mustImport(t, store, points[:k])
			if points = points[k:]; s.chance(4) {
				reopen()
			}
		}
		if i == len(s.ticks) {
			break
		}
		snap := s.snapshots[i-s.live]
		mustCommit(t, store, snap)
		if i%rest == 0 {
			mustMaintain(t, store)
		}
		if s.chance(len(s.ticks) / 2) {
			reopen()
		}
		if !snap.Partial && s.chance(len(s.ticks)) && !n.ask(t, s, tool, store, i) {
			return false
		}
	}
	if s.chance(2) {
		mustMaintain(t, store)
	}
	if !n.ask(t, s, tool, store, len(s.ticks)) {
		return false
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := OpenReader(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return n.compare(t, s, tool, r, len(s.ticks))
}

func mustImport(t *testing.T, s *Store, points []Point) {
	t.Helper()
	_, err := s.ImportPoints(context.Background(), func(yield func(Point, error) bool) {
		for _, p := range points {
			if !yield(p, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// ask compares after so many ticks.
func (n *tally) ask(t *testing.T, s *story, tool *rrdtool, store *Store, ticks int) bool {
	t.Helper()
	r, err := store.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n.compare(t, s, tool, r, ticks)
}

// compare asks both the same, of each resolution.
func (n *tally) compare(t *testing.T, s *story, tool *rrdtool, r *Reader, ticks int) (ok bool) {
	t.Helper()
	until := s.ticks[min(ticks, len(s.ticks)-1)]
	var ready []*database
	for _, d := range s.databases {
		if d.ready <= ticks && d.times[0] <= until {
			tool.update(d, until)
			ready = append(ready, d)
		}
	}
	info, err := r.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ok = true
	for _, a := range s.archives {
		row := s.step * a.per
		start, end := s.ticks[0]-s.Uint32N(3*row), until+s.Uint32N(2*row)
		if s.short && !s.tiered(a.per) {
			// What is made of rows is known only where those still are.
			start = max(start, uint32(info.Levels[0].First.Unix())+s.beat+row)
		}
		if start >= end {
			continue
		}
		if s.chance(2) || (end-start)/row > 3000 {
			start += s.Uint32N(end - start)
			end = start + s.Uint32N(min(end-start, 1000*row)+1)
		}
		functions := []Function{Average, Min, Max, Last}
		if s.chance(3) {
			functions = functions[s.IntN(4):][:1]
		}
		res, err := r.Fetch(t.Context(), Query{
			Series: r.Series(), Functions: functions, XFF: &a.xff,
			Start: tickAt(int64(start)), End: tickAt(int64(end)), Resolution: time.Duration(row) * time.Second,
		})
		if err != nil {
			t.Fatal(err)
		}
		if res.Step != time.Duration(row)*time.Second {
			t.Errorf("rows of %v from %d, want %d s", res.Step, start, row)
			return false
		}
		for _, d := range ready {
			ok = n.columns(t, s, tool, d, a, start, end, res) && ok
		}
	}
	return ok
}

// tiered reports whether rows of so many data points may be made of a tier's.
func (s *story) tiered(per uint32) bool {
	return slices.ContainsFunc(usable(s.opts.Tiers, s.opts.Step), func(t Tier) bool { return per*s.step%seconds(t.Step) == 0 })
}

// columns compares the columns of a result that a database has.
func (n *tally) columns(t *testing.T, s *story, tool *rrdtool, d *database, a archiveShape, start, end uint32, res *Result) (ok bool) {
	t.Helper()
	ok = true
	for i := range res.Columns {
		c := &res.Columns[i]
		if c.Series.Key != d.id.key || c.Series.RIP != d.id.rip || c.Source != d.sources[0] {
			continue
		}
		n.questions++
		ends, values := tool.fetch(d, c.Function, start, end, a.per*s.step)
		if len(ends) != res.Rows || int64(ends[0]) != res.Time(0).Unix() {
			t.Errorf("%d rows from %d to %d end from %v on, rrdtool has %d from %d on", res.Rows, start, end, res.Time(0).Unix(), len(ends), ends[0])
			return false
		}
		for k := range d.sources {
			ok = n.column(t, s, d, k, a, ends, d.same(res, c, k), values[k]) && ok
		}
	}
	return ok
}

// same is the column of another source of the database.
func (d *database) same(res *Result, c *Column, source int) *Column {
	for i := range res.Columns {
		if o := &res.Columns[i]; o.Series == c.Series && o.Function == c.Function && o.Source == d.sources[source] {
			return o
		}
	}
	return nil
}

// column compares one, cell by cell.
func (n *tally) column(t *testing.T, s *story, d *database, source int, a archiveShape, ends []uint32, c *Column, want []float64) (ok bool) {
	t.Helper()
	ok = true
	for i, v := range c.Values {
		n.cells++
		if Known(want[i]) {
			n.numeric++
		}
		if same(v, want[i]) {
			continue
		}
		if off := max(v-want[i], want[i]-v); c.Source.Kind == Gauge && off < 1e-12*d.magnitude(source, ends[i]-a.per*s.step, ends[i]) {
			n.canceled++
			continue
		}
		if ok {
			t.Errorf("%v %s %s, %d data points, xff %v, row that ends at %d: %v, rrdtool says %v (updates from %d to %d)",
				d.id, c.Source.Name, c.Function, a.per, a.xff, ends[i], v, want[i], d.times[0], d.times[len(d.times)-1])
		}
		ok = false
	}
	return ok
}
