package exporter

import (
	"fmt"
	"math"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"lvs/dataplane"
	"lvs/internal/lab"
	"lvs/rrdstore"
	"lvs/rrdstore/export"
)

// agent lets an agent with its usual configuration sample the witness's service
// every ten seconds, from one time to another.
func (w *witness) agent(store string, from, to int64) {
	w.Helper()
	s, err := rrdstore.Open(store, rrdstore.Options{})
	if err != nil {
		w.Fatal(err)
	}
	key, _, err := export.ParseSeriesKey(w.key)
	if err != nil {
		w.Fatal(err)
	}
	for at := from; at <= to; at += 10 {
		bytes, active := w.sampled(at)
		real := dataplane.RealState{Active: active}
		real.RIP, real.Number = netip.MustParseAddrPort("10.0.0.1:80"), 1
		svc := dataplane.ServiceState{Service: dataplane.Service{Key: key}, Reals: []dataplane.RealState{real}}
		svc.Number, svc.Total.InBytes = 1, bytes
		tick := time.Unix(at, 0).UTC()
		if err := s.Commit(w.Context(), &dataplane.Snapshot{Tick: tick, Time: tick, Services: []dataplane.ServiceState{svc}}); err != nil {
			w.Fatal(err)
		}
		for more := true; more && err == nil; {
			if more, err = s.Maintain(w.Context()); err != nil {
				w.Fatal(err)
			}
		}
	}
	if err := s.Close(); err != nil {
		w.Fatal(err)
	}
}

// sampled is what there is to see at a time: bytes in total, and connections.
func (w *witness) sampled(at int64) (bytes uint64, active uint32) {
	n := uint64(at - w.last)
	return 1<<60 + n*n, uint32(at * 7919 % 1000)
}

// TestLiveRowsGoOnWhereImportedOnesEnd brings what RRDtool kept into a store, before
// an agent samples into it, afterwards, or in between: at five minutes and at an
// hour the one goes over into the other.
func TestLiveRowsGoOnWhereImportedOnesEnd(t *testing.T) {
	for number := range lab.Repeat(t, "LVS_RRDS", 3) {
		w := newWitness(t, number)
		w.key, w.sources, w.step, w.heartbeat = "tcp/192.0.2.10:443", []string{"in_bytes", "active"}, 300, 600
		w.live(300 + w.IntN(300))
		w.last += 300 - w.last%300 // the last update ends a row
		w.updates = append(w.updates, fmt.Sprintf("%d:5:%d", w.last, w.IntN(100)))
		w.create([]string{"RRA:AVERAGE:0.5:1:600", "RRA:MAX:0.5:1:600", "RRA:AVERAGE:0.5:6:700", "RRA:MAX:0.5:6:700", "RRA:AVERAGE:0.5:288:797", "RRA:MAX:0.5:288:797"})
		dump := w.dumped()

		live := w.continued()
		store := filepath.Join(w.dir, "store")
		end := live.last
		bring := append(append([]string{"import", "--store", store}, w.mapped()...), dump)
		switch number % 3 {
		case 0:
			exportNow(t, bring...)
			w.agent(store, w.last, end)
		case 1:
			w.agent(store, w.last, end)
			exportNow(t, bring...)
		case 2:
			middle := w.last + (end-w.last)/20*10
			w.agent(store, w.last, middle)
			exportNow(t, bring...)
			w.agent(store, middle+10, end)
		}
		for _, cf := range []string{"AVERAGE", "MAX"} {
			w.compare(store, cf, w.last-599*300, w.last-300, 300)
			live.compare(store, cf, w.last, end, 300)
			live.compare(store, cf, w.last+3600-w.last%3600, end, 3600)
			w.seam(store, cf)
		}
		if n := min(w.counted.numeric, live.counted.numeric); n < 20 {
			t.Errorf("only %d values were known", n)
		}
	}
}

// continued is a witness of the same series from the last update on, as an agent
// samples it.
func (w *witness) continued() *witness {
	w.Helper()
	live := *w
	live.file, live.step, live.heartbeat = filepath.Join(w.dir, "live.rrd"), 10, 20
	live.first, live.last = w.last, w.last+7200+10*w.Int64N(1000)
	live.updates = nil
	for at := live.first; at <= live.last; at += 10 {
		bytes, active := w.sampled(at)
		live.updates = append(live.updates, fmt.Sprintf("%d:%d:%d", at, bytes, active))
	}
	live.create(live.archives("0.5", []int64{10, 300, 3600}))
	return &live
}

// seam compares the hours up to that in which live rows begin with what their rows
// of five minutes make.
func (w *witness) seam(store, cf string) {
	w.Helper()
	ask := func(step string, start, end int64) map[int64][]float64 {
		return w.fetched(exportNow(w.T, "fetch", "--store", store, "--start", fmt.Sprint(start), "--end", fmt.Sprint(end),
			"--resolution", step, "--cf", cf, "--source", "in_bytes,active", w.key))
	}
	last := w.last - w.last%3600
	fine, hours := ask("5m", last-40*3600, last+3600), ask("1h", last-40*3600, last+3599)
	for at, values := range hours {
		if at > last+3600 {
			continue
		}
		for i, got := range values {
			known, sum, most := 0, 0.0, math.Inf(-1)
			for k := at - 3300; k <= at; k += 300 {
				if v := fine[k][i]; v == v {
					known, sum, most = known+1, sum+v, max(most, v)
				}
			}
			want := sum / float64(known)
			if cf == "MAX" {
				want = most
			}
			if known < 6 {
				want = math.NaN()
			}
			if !near(got, want) {
				w.Errorf("%s of the hour that ends at %d (live from %d on): %s is %v, its rows make %v", cf, at, w.last, w.sources[i], got, want)
			}
		}
	}
}
