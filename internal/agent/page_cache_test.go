package agent

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"lvs/dashboards/web"
	"lvs/dataplane"
)

// Ten that ask at once are given one page, and later ones another.
func TestAPageIsMadeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var made pages
		q := newQuota(1, 1<<20)
		var renders atomic.Int64
		ask := func(key pageKey) []byte {
			m, err := made.page(t.Context(), q, key, func(out io.Writer) error {
				time.Sleep(100 * time.Millisecond)
				_, err := out.Write([]byte{byte(renders.Add(1))})
				return err
			})
			if err != nil {
				t.Error(err)
				return []byte{0}
			}
			defer made.leave(q, m)
			return m.body
		}
		snap := everyKind()
		var asking sync.WaitGroup
		for range 10 {
			asking.Go(func() {
				if got := ask(pageKey{snap: snap}); got[0] != 1 {
					t.Errorf("given page %d, want the first", got[0])
				}
			})
		}
		asking.Wait()
		for i, key := range []pageKey{{snap: everyKind()}, {snap: snap, query: "q=web"}, {snap: snap, stale: true}} {
			if got := ask(key); got[0] != byte(2+i) {
				t.Errorf("another page is number %d, want %d", got[0], 2+i)
			}
		}
		time.Sleep(pageFresh)
		synctest.Wait()
		if len(made.made) != 0 || made.kept != 0 || q.waiting != 0 {
			t.Errorf("%d pages of %d bytes are kept, %d are held", len(made.made), made.kept, q.waiting)
		}
		if got := ask(pageKey{snap: snap}); got[0] != 5 {
			t.Errorf("after a while the page is still number %d", got[0])
		}
	})
}

// What pages take is bounded, and each is counted once however many read it.
func TestPagesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var made pages
		q := newQuota(2, maxKept+maxKept/2)
		ask := func(query string, n int) (*madePage, error) {
			return made.page(t.Context(), q, pageKey{query: query}, func(out io.Writer) error {
				time.Sleep(time.Millisecond)
				_, err := out.Write(make([]byte, n))
				return err
			})
		}
		var reading []*madePage
		for _, query := range []string{"q=1", "q=1", "q=1"} {
			m, err := ask(query, maxKept/2)
			if err != nil {
				t.Fatal(err)
			}
			reading = append(reading, m)
		}
		if q.waiting != maxKept/2 || made.kept != maxKept/2 {
			t.Errorf("of one page that three read %d bytes are held and %d kept", q.waiting, made.kept)
		}
		large, err := ask("q=2", maxKept*3/4)
		if err != nil || len(made.made) != 1 {
			t.Fatalf("%v; %d pages are kept, want the first alone", err, len(made.made))
		}
		if _, err := ask("q=3", maxKept/2); !errors.Is(err, errBusy) {
			t.Errorf("more than may be: %v", err)
		}
		made.leave(q, large)
		time.Sleep(pageFresh)
		synctest.Wait()
		if q.waiting != maxKept/2 || made.kept != 0 {
			t.Errorf("while three still read %d bytes are held and %d kept", q.waiting, made.kept)
		}
		for _, m := range reading {
			made.leave(q, m)
		}
		if q.waiting != 0 || len(q.turns) != 0 {
			t.Errorf("in the end %d bytes are held and %d turns taken", q.waiting, len(q.turns))
		}
	})
}

// A page that cannot be made is not kept, and holds nothing.
func TestPagesThatFail(t *testing.T) {
	var made pages
	q := newQuota(1, 1000)
	for range 2 {
		if _, err := made.page(t.Context(), q, pageKey{}, func(io.Writer) error { return io.ErrShortWrite }); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("failed with %v", err)
		}
	}
	func() {
		defer func() { recover() }()
		_, _ = made.page(t.Context(), q, pageKey{}, func(io.Writer) error { panic("no ink") })
	}()
	if len(made.made) != 0 || made.kept != 0 || q.waiting != 0 || len(q.turns) != 0 {
		t.Errorf("%d pages and %d bytes are kept, %d held, %d turns taken", len(made.made), made.kept, q.waiting, len(q.turns))
	}
}

// Within a moment all have one table of a sample.
func TestATableIsMadeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var made pages
		ask := func(snap *dataplane.Snapshot) *web.Table {
			return made.of(snap, func() *web.Table { return web.NewTable(snap, nil, web.Agent{}) })
		}
		snap := everyKind()
		first := ask(snap)
		if ask(snap) != first {
			t.Error("the same sample has another table")
		}
		if other := everyKind(); ask(other) == first || ask(snap) == first {
			t.Error("another sample has the same table")
		}
		second := ask(snap)
		time.Sleep(pageFresh)
		if ask(snap) == second {
			t.Error("the table is as it was after a while")
		}
	})
}
