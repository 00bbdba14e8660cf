package collector

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"lvs/dataplane"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// keeper is a ledger that keeps the ticks it was shown, behind one it has.
type keeper struct {
	newest time.Time
	recorder
}

func (k *keeper) Remembered(context.Context) ([]dataplane.Remembered, error) { return nil, nil }
func (k *keeper) Newest() time.Time                                          { return k.newest }
func (k *keeper) Commit(ctx context.Context, s *dataplane.Snapshot) error    { return k.Record(ctx, s) }

// What another sampler completed stays as it is: the ledger is shown each of its
// ticks once, none that it has, and none out of order.
func TestCompletedSnapshotsStayAsTheyAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now().Unix()
		told := func() *dataplane.Snapshot {
			tick := time.Unix((time.Now().Unix()-begin)/30*30+begin, 0).UTC() // of every third tick here
			s := &dataplane.Snapshot{Time: tick.Add(time.Second), Tick: tick}
			svc := dataplane.ServiceState{Service: dataplane.Service{Key: dataplane.AddrKey(dataplane.TCP, netip.MustParseAddrPort("192.0.2.1:80"))}, Name: "web", HasRates: true}
			svc.Number, svc.Total, svc.Rates = 7, dataplane.Counters{Connections: 100}, dataplane.Rates{Connections: 3}
			s.Services = append(s.Services, svc)
			return s
		}
		ledger := &keeper{newest: time.Unix(begin+30, 0)}
		s, err := New(Config{Source: sourceFunc(func(context.Context) (*dataplane.Snapshot, error) { return told(), nil }), Ledger: ledger, Completed: true})
		if err != nil {
			t.Fatal(err)
		}
		stop := start(t, s)
		time.Sleep(125 * time.Second)
		if diff := cmp.Diff(told(), s.Latest(), cmpopts.EquateComparable(netip.AddrPort{}, dataplane.Netmask{}, netip.Addr{})); diff != "" {
			t.Errorf("(-told +shown):\n%s", diff)
		}
		stop()
		if diff := cmp.Diff([]int64{begin + 60, begin + 90, begin + 120}, ledger.shown()); diff != "" {
			t.Errorf("ticks stored (-want +got):\n%s", diff)
		}
	})
}

// An offset moves the readings, not the ticks.
func TestOffsetDelaysReadings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var read []time.Time
		shown := &recorder{}
		s, err := New(Config{Offset: 4 * time.Second, Sinks: map[string]Sink{"test": shown}, Source: sourceFunc(func(context.Context) (*dataplane.Snapshot, error) {
			read = append(read, time.Now())
			return &dataplane.Snapshot{Time: time.Now()}, nil
		})})
		if err != nil {
			t.Fatal(err)
		}
		stop := start(t, s)
		time.Sleep(35 * time.Second)
		stop()
		ticks := shown.shown()
		if len(ticks) != 5 || len(read) != 5 {
			t.Fatalf("%d ticks of %d readings, want 5", len(ticks), len(read))
		}
		for i := range ticks {
			if got := read[i].Unix() - ticks[i]; ticks[i]%10 != 0 || i > 0 && got != 4 || got > 14 {
				t.Errorf("tick %d was read %d s later", ticks[i], got)
			}
		}
		if late := s.Stats().Late; late != 0 {
			t.Errorf("%d readings were late", late)
		}
		for _, offset := range []time.Duration{-1, 10 * time.Second} {
			if _, err := New(Config{Offset: offset, Source: steady(0)}); err == nil {
				t.Errorf("offset %v of 10 s is taken", offset)
			}
		}
	})
}
