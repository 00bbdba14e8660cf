package rrdstore

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

// flips is how many images TestFlippedBytes makes of each page; zero: one of every
// eighth.
func flips() int {
	n, _ := strconv.Atoi(os.Getenv("LVS_FLIPS"))
	return n
}

// A truth is a closed store, and all that reading it may say.
type truth struct {
	files disk
	rows  map[int64][]string // entries by tick
	w     *witness
	last  uint64 // step
	clean []byte
}

// flipOptions have no tick missed without making the time around it unknown: a
// damaged row must not become a mean over two.
func flipOptions() Options {
	o := chronicleOptions()
	o.Heartbeat = 15 * time.Second
	return o
}

// newTruth lives long enough to have every kind of record and page in both files:
// also imported values of a source of their own, and superseded series.
func newTruth(t *testing.T, steps uint64) *truth {
	t.Helper()
	dir := t.TempDir()
	tr := &truth{rows: make(map[int64][]string), w: chronicleWitness(0, steps), last: steps}
	tr.w.beat = 15
	s := mustOpen(t, dir, flipOptions())
	for step := range steps + 1 {
		if step == steps/2 {
			if _, err := s.ImportPoints(t.Context(), pointsOf("queue", 8, 200, stepAt(10), 10)); err != nil {
				t.Fatal(err)
			}
			mustMaintain(t, s)
		}
		if err := tendChronicle(s, step); err != nil {
			t.Fatal(err)
		}
		mustMaintain(t, s)
	}
	for p := range pointsOf("queue", 8, 200, stepAt(10), 10) {
		u, _ := p.Value.Uint()
		tr.w.add(identity{key: p.Key}.String()+" queue", Gauge, uint32(p.Time.Unix()), u, 0)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	checkNow(t, dir)
	tr.files = readDisk(t, dir)
	var err error
	if tr.clean, err = os.ReadFile(filepath.Join(dir, cleanName)); err != nil {
		t.Fatal(err)
	}
	r, err := OpenReader(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	for row, err := range r.Rows(t.Context(), tickAt(0), tickAt(1<<32), func(*Series) bool { return true }) {
		if err != nil {
			t.Fatal(err)
		}
		tr.rows[row.Tick.Unix()] = flipText(row)
	}
	if n := tr.ask(t, r); n == 0 {
		t.Fatal("nothing is known")
	}
	return tr
}

// flipText is a row's entries with all that they hold.
func flipText(row *Row) (lines []string) {
	for _, e := range row.Entries {
		lines = append(lines, fmt.Sprint(e.Series.Key, " ", e.Series.RIP, " ", e.Total, e.Active, e.Inactive, e.Persistent, e.Weight, e.Known, e.Others, e.Reset))
	}
	return append(lines, fmt.Sprint("director ", row.Total.Connections, row.HasStats, row.Connections, row.HasConnections))
}

// write puts the files into a new directory, one of them changed. Where rot is
// set, they were closed in order and the change came later.
func (tr *truth) write(t *testing.T, name string, spoilt []byte, rot bool) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for file, b := range tr.files {
		if err := os.WriteFile(filepath.Join(dir, file), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, name)
	info, err := os.Stat(path)
	if err == nil && rot {
		err = markClean(dir)
	}
	if err == nil {
		err = os.WriteFile(path, spoilt, 0o600)
	}
	if err == nil && rot {
		err = os.Chtimes(path, time.Time{}, info.ModTime())
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// read reads all there is and compares it with the truth: what is there must be
// right. It reports whether anything was left out.
func (tr *truth) read(t *testing.T, r *Reader) (whole bool) {
	t.Helper()
	n := 0
	for row, err := range r.Rows(t.Context(), tickAt(0), tickAt(stepAt(tr.last)), func(*Series) bool { return true }) {
		if errors.Is(err, ErrDamaged) {
			return false
		}
		if err != nil {
			t.Fatal(err)
		}
		want := tr.rows[row.Tick.Unix()]
		for _, line := range flipText(row) {
			switch {
			case slices.Contains(want, line):
				n++
			case line != "director 0 false 0 false": // a row without the director
				t.Fatalf("row %d has %q, which was never stored; it had %q", row.Tick.Unix(), line, want)
			}
		}
	}
	all := 0
	for _, lines := range tr.rows {
		all += len(lines)
	}
	return tr.ask(t, r) > 0 && n == all
}

// ask asks for consolidated values of all kinds, and returns how many were known.
func (tr *truth) ask(t *testing.T, r *Reader) (known int) {
	t.Helper()
	none := 0.0
	for _, step := range []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, time.Hour} {
		q := Query{
			Series: r.Series(), Functions: []Function{Average, Min, Max, Last}, Resolution: step, XFF: &none,
			Start: tickAt(stepAt(0)), End: tickAt(stepAt(tr.last)),
		}
		res, err := r.Fetch(t.Context(), q)
		if errors.Is(err, ErrDamaged) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range res.Columns {
			if c.Series.IsDirector() {
				continue
			}
			name := identity{c.Series.Key, c.Series.RIP}.String() + " " + c.Source.Name
			var want []float64
			for i, v := range c.Values {
				if !Known(v) || res.Time(i).Unix() > stepAt(tr.last) { // owners go on
					continue
				}
				if want == nil {
					want = tr.w.values(name, res, c.Function, 0)
				}
				if known++; !same(v, want[i]) {
					t.Fatalf("%s %s at %s, step %s: %v, want %v", name, c.Function, res.Time(i).Format(time.DateTime), res.Step, v, want[i])
				}
			}
		}
	}
	return known
}

// outcomes counts what became of images.
type outcomes struct{ refused, aside, partly, whole int }

// use opens an image as readers and owners do.
func (o *outcomes) use(t *testing.T, tr *truth, dir string) {
	t.Helper()
	r, err := OpenReader(t.Context(), dir)
	whole := false
	switch {
	case err == nil:
		whole = tr.read(t, r)
	case !errors.Is(err, ErrDamaged):
		t.Fatalf("reader: %v", err)
	default:
		o.refused++
	}
	s, err := OpenOrQuarantine(dir, flipOptions())
	if err != nil {
		t.Fatalf("owner: %v", err)
	}
	aside := s.Stats().Aside
	for i := range uint64(3) { // a file that proves damaged costs a commit
		if err := tendChronicle(s, tr.last+1+i); err != nil && !errors.Is(err, ErrDamaged) {
			t.Fatal(err)
		}
		for more := true; more; {
			if more, err = s.Maintain(t.Context()); err != nil && !errors.Is(err, ErrDamaged) {
				t.Fatal(err)
			}
		}
	}
	if r, err = s.Reader(t.Context()); err != nil && !errors.Is(err, ErrDamaged) {
		t.Fatalf("reader of the owner: %v", err)
	}
	if err == nil {
		tr.read(t, r)
	}
	if s.Stats().Aside != "" {
		aside = s.Stats().Aside
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	switch {
	case aside != "":
		o.aside++
	case whole:
		o.whole++
	default:
		o.partly++
	}
}

// TestFlippedBytes spoils every page of both files, byte by byte and bit by bit:
// what is read is right or it is not there, whether the file was verified first or
// went bad after an orderly close; and an owner can go on.
func TestFlippedBytes(t *testing.T) {
	t.Parallel()
	tr := newTruth(t, 1300)
	rnd := rand.New(rand.NewPCG(6, 6))
	for _, name := range []string{headName, archName} {
		var o outcomes
		images, pages := 0, usedPages(t, tr.files[name])
		for page := range pages {
			n := flips()
			if n == 0 && page%8 == 0 {
				n = 1
			}
			for i := range n {
				images++
				spoilt := bytes.Clone(tr.files[name])
				at := page * pageSize
				for range 1 + rnd.IntN(3) {
					// Half of them where bbolt looks.
					within := []int{pageSize, 64}[rnd.IntN(2)]
					spoilt[at+rnd.IntN(within)] ^= byte(1 << rnd.IntN(8))
				}
				dir := tr.write(t, name, spoilt, (page/8+i)%2 == 0)
				o.use(t, tr, dir)
				if err := os.RemoveAll(dir); err != nil {
					t.Fatal(err)
				}
			}
		}
		t.Logf("%s, %d pages, %d images: %d refused to readers; to owners %d put aside, %d with something left out, %d whole",
			name, pages, images, o.refused, o.aside, o.partly, o.whole)
	}
}

// usedPages is how many pages a file has that were ever in use.
func usedPages(t *testing.T, file []byte) int {
	t.Helper()
	pages, err := openPages(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	return int(pages.high)
}
