package agent

import (
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
		var renders atomic.Int64
		ask := func(key pageKey) []byte {
			body, err := made.page(key, func() ([]byte, error) {
				time.Sleep(100 * time.Millisecond)
				return []byte{byte(renders.Add(1))}, nil
			})
			if err != nil {
				t.Error(err)
			}
			return body
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
		if len(made.made) != 0 {
			t.Errorf("%d pages are kept", len(made.made))
		}
		if got := ask(pageKey{snap: snap}); got[0] != 5 {
			t.Errorf("after a while the page is still number %d", got[0])
		}
	})
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
