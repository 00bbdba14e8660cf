package rrdstore

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func sequence(points []Point) iter.Seq2[Point, error] {
	return func(yield func(Point, error) bool) {
		for _, p := range points {
			if !yield(p, nil) {
				return
			}
		}
	}
}

// randomPoints are values of all kinds of some series over three days, at times of
// any rhythm, in the order of time.
func randomPoints(rnd *rand.Rand) (points []Point) {
	sources := []Source{{"in_bytes", Counter}, {"active", Gauge}, {"queue", Gauge}, {"errors", Counter}}
	for n := range 6 {
		src := sources[rnd.IntN(len(sources))]
		p := Point{Key: testKey(n / 2), Source: src}
		if n%2 == 1 {
			p.RIP = testRIP(n)
		}
		tick, total := int64(firstTick+rnd.IntN(9000)), rnd.Uint64N(1<<60)
		for range 300 + rnd.IntN(900) {
			switch rnd.IntN(30) {
			case 0:
				tick += rnd.Int64N(20000)
			case 1:
				tick += 1 + rnd.Int64N(40)
			default:
				tick += 10 - tick%10
			}
			total += rnd.Uint64N(1 << 20)
			p.Time = tickAt(tick)
			switch rnd.IntN(25) {
			case 0:
				p.Value = Value{}
			case 1:
				p.Value = FloatValue(float64(rnd.IntN(9000)) / 8)
			default:
				p.Value = UintValue(total)
			}
			points = append(points, p)
		}
	}
	slices.SortStableFunc(points, func(a, b Point) int { return a.Time.Compare(b.Time) })
	return points
}

// imported is what a store says after imports of parts of the points.
func imported(t *testing.T, parts ...[]Point) (s *Store, rows map[int64][]string, values map[string][]float64) {
	t.Helper()
	dir := t.TempDir()
	checkAfter(t, dir)
	s = mustOpen(t, dir, Options{Retention: 1000 * time.Hour})
	known := 0
	for _, part := range parts {
		done, err := s.ImportPoints(t.Context(), sequence(part))
		if err != nil {
			t.Fatal(err)
		}
		if known += done.Known; done.Points != len(part) {
			t.Errorf("%d points were read, %d were given", done.Points, len(part))
		}
	}
	rows, values = saidOf(t, s, firstTick+200_000)
	return s, rows, values
}

// saidOf is all that a store says of all series, by tick, and by series, source,
// step and function up to an end.
func saidOf(t *testing.T, s *Store, end int64) (rows map[int64][]string, values map[string][]float64) {
	t.Helper()
	r, err := s.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rows, values = make(map[int64][]string), make(map[string][]float64)
	for row, err := range r.Rows(t.Context(), tickAt(0), tickAt(1<<32-1), func(*Series) bool { return true }) {
		if err != nil {
			t.Fatal(err)
		}
		lines := flipText(row)
		slices.Sort(lines)
		rows[row.Tick.Unix()] = lines
	}
	for _, step := range []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, time.Hour, 3 * time.Hour} {
		q := Query{Series: r.Series(), Functions: []Function{Average, Min, Max, Last}, Resolution: step, Start: tickAt(firstTick), End: tickAt(end)}
		res, err := r.Fetch(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		whole := int((end - res.Start.Unix()) / int64(res.Step/time.Second))
		for _, c := range res.Columns {
			if c.Values = c.Values[:whole]; slices.ContainsFunc(c.Values, Known) {
				values[fmt.Sprint(identity{c.Series.Key, c.Series.RIP}, c.Source.Name, step, c.Function)] = c.Values
			}
		}
	}
	if len(rows) == 0 || len(values) == 0 {
		t.Fatal("nothing is said")
	}
	return rows, values
}

var sameValues = cmp.Comparer(func(a, b float64) bool {
	return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b))
})

// TestImportInAnyOrder: what a store says depends on the points and not on the
// order they come in, nor on which of its times is imported first, nor on points
// that come twice.
func TestImportInAnyOrder(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 3))
	points := randomPoints(rnd)
	s, rows, values := imported(t, points)
	same := func(name string, gotRows map[int64][]string, got map[string][]float64) {
		t.Helper()
		if diff := cmp.Diff(rows, gotRows); diff != "" {
			t.Fatalf("%s: rows (-in order +got)\n%.3000s", name, diff)
		}
		if diff := cmp.Diff(values, got, sameValues); diff != "" {
			t.Fatalf("%s: values (-in order +got)\n%.3000s", name, diff)
		}
	}
	again, err := s.ImportPoints(t.Context(), sequence(points))
	if err != nil || again.Known != 0 {
		t.Errorf("the second time %+v, %v", again, err)
	}
	againRows, againValues := saidOf(t, s, firstTick+200_000)
	same("twice", againRows, againValues)

	n := len(points)
	_, partRows, partValues := imported(t, points[n/2:], points[:n/3], points[n/4:n*2/3])
	same("in parts", partRows, partValues)
	rnd.Shuffle(n, func(i, j int) { points[i], points[j] = points[j], points[i] })
	_, anyRows, anyValues := imported(t, points)
	same("in any order", anyRows, anyValues)
}

// TestImportKeepsWhatIsThere brings other values of the ticks that a store has,
// and values of a source that it has not, in closed windows and in the one under
// way.
func TestImportKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	checkAfter(t, dir)
	s := mustOpen(t, dir, Options{})
	const steps = 900
	for step := range uint64(steps) {
		mustTend(t, s, table(2, 3, stepAt(step), step))
	}
	end := stepAt(steps - 1)
	before, values := saidOf(t, s, end)
	var points []Point
	for step := range uint64(steps) {
		for i := range 3 {
			p := Point{Time: tickAt(stepAt(step)), Key: testKey(0), Source: Source{"in_bytes", Counter}, Value: UintValue(7)}
			if i == 1 {
				p.Source, p.Value = Source{"active", Gauge}, FloatValue(0.5)
			}
			if i == 2 {
				p.Source, p.Value = Source{"queue", Gauge}, UintValue(step)
			}
			if step%2 == 0 {
				p.RIP = testRIP(1)
			}
			points = append(points, p)
		}
	}
	done, err := s.ImportPoints(t.Context(), sequence(points))
	if err != nil {
		t.Fatal(err)
	}
	if done.Points != len(points) {
		t.Errorf("%+v", done)
	}
	for when, more := range []uint64{0, 400} { // the window under way, and then closed
		for step := range more {
			mustTend(t, s, table(2, 3, stepAt(steps+step), steps+step))
		}
		r, err := s.Reader(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		checkImportedInto(t, r, before, when)
		_, got := saidOf(t, s, end)
		for name, want := range values {
			if diff := cmp.Diff(want, got[name], sameValues); diff != "" {
				t.Fatalf("%d: %s (-before +after)\n%s", when, name, diff)
			}
		}
	}
}

// checkImportedInto: every row has what it had, and the values of the new source.
func checkImportedInto(t *testing.T, r *Reader, before map[int64][]string, when int) {
	t.Helper()
	queued := 0
	for row, err := range r.Rows(t.Context(), tickAt(0), tickAt(1<<32-1), func(*Series) bool { return true }) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range row.Entries {
			e := &row.Entries[i]
			for _, o := range e.Others {
				if o.Source.Name != "queue" || e.Series.Key != testKey(0) {
					t.Fatalf("%d: row %d has %v of %s", when, row.Tick.Unix(), o, e.Series.Key)
				}
				queued++
			}
			e.Others = nil
		}
		lines := flipText(row)
		slices.Sort(lines)
		if want := before[row.Tick.Unix()]; want != nil && !slices.Equal(want, lines) {
			t.Fatalf("%d: row %d (-before +after)\n%s", when, row.Tick.Unix(), cmp.Diff(want, lines))
		}
	}
	if queued != 900 {
		t.Errorf("%d: %d values of the new source, want 900", when, queued)
	}
}

// TestFractionSparesIntegers: one fraction makes numbers of the integers of its
// column, which go on being read as they were.
func TestFractionSparesIntegers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	checkAfter(t, dir)
	s := mustOpen(t, dir, Options{})
	for step := range uint64(800) {
		mustTend(t, s, table(2, 3, stepAt(step), step))
	}
	before, _ := saidOf(t, s, stepAt(799))
	for _, step := range []uint64{3, 790} {
		p := Point{Time: tickAt(stepAt(step) + 5), Key: testKey(1), Source: Source{"active", Gauge}, Value: FloatValue(2.5)}
		if _, err := s.ImportPoints(t.Context(), sequence([]Point{p})); err != nil {
			t.Fatal(err)
		}
	}
	after, _ := saidOf(t, s, stepAt(799))
	if len(after) != len(before)+2 {
		t.Errorf("%d rows, before %d", len(after), len(before))
	}
	for tick, want := range before {
		if diff := cmp.Diff(want, after[tick]); diff != "" {
			t.Fatalf("row %d (-before +after)\n%s", tick, diff)
		}
	}
}

// TestImportLeavesContradictionsOut: the functions of a row that come one by one
// must go together.
func TestImportLeavesContradictionsOut(t *testing.T) {
	dir := t.TempDir()
	checkAfter(t, dir)
	s := mustOpen(t, dir, Options{})
	nan := math.NaN()
	rows := Rows{Key: testKey(0), Source: Source{"queue", Gauge}, Start: tickAt(firstTick - firstTick%3600), Step: time.Minute}
	want := map[Function][]float64{Average: {5, 5, 5, nan}, Min: {4, 5, nan, 2}, Max: {nan, 6, 7, nan}, Last: {4, nan, 5, 2}}
	for _, c := range []struct {
		f      Function
		values []float64
	}{{Average, []float64{5, 5, 5, nan}}, {Min, []float64{4, 5, 6, 2}}, {Max, []float64{3, 6, 7, 1}}, {Last, []float64{4, 9, 5, 2}}} {
		rows.Function, rows.Values = c.f, c.values
		if _, err := s.ImportRows(t.Context(), &rows); err != nil {
			t.Fatal(err)
		}
	}
	r, err := s.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	q := Query{Series: r.Series()[:1], Sources: []string{"queue"}, Resolution: time.Minute, Start: rows.Start, End: rows.Start.Add(3 * time.Minute)}
	for f, want := range want {
		q.Functions = []Function{f}
		res, err := r.Fetch(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, res.Columns[0].Values, sameValues); diff != "" {
			t.Errorf("%s (-want +got)\n%s", f, diff)
		}
	}
}
