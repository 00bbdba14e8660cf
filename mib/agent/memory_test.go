package agent

import (
	"net/netip"
	"runtime"
	"testing"
	"weak"

	"lvs/mib/ber"
	"lvs/mib/smi"
)

// TestReplacedTreesGo: what was asked in bulk, and of how many columns, keeps no
// tree in memory that was replaced.
func TestReplacedTreesGo(t *testing.T) {
	r := newRig(t, table(8, 100, 0), Config{})
	var trees []weak.Pointer[smi.Generation[*view]]
	for columns := 20; columns > 0; columns-- {
		r.Swap(table(8, 100, uint64(columns)))
		trees = append(trees, weak.Make((*r.gens.Load())[0]))
		q := question{version: ber.V2cVersion, typ: ber.GetBulk, index: 5}
		for i := range columns {
			q.names = append(q.names, cell(uint32(i%8+1), 0, 0))
		}
		r.ask(q)
	}
	runtime.GC()
	alive := 0
	for _, p := range trees {
		if p.Value() != nil {
			alive++
		}
	}
	if want := len(*r.gens.Load()); alive != want || want > 3 {
		t.Errorf("%d trees are in memory, want the %d that are walked", alive, want)
	}
	runtime.KeepAlive(r)
}

// TestAnswersFillOneFrame: over IPv6 there is less room in one.
func TestAnswersFillOneFrame(t *testing.T) {
	for _, c := range []struct {
		from      string
		set, most int
	}{{"192.0.2.9", 0, 1472}, {"2001:db8::9", 0, 1452}, {"2001:db8::9", 3000, 3000}, {"192.0.2.9", 3000, 3000}, {"::1", 484, maxDatagram}} {
		r := newRig(t, table(8, 500, 1), Config{MaxMessageSize: c.set})
		q := question{version: ber.V2cVersion, typ: ber.GetBulk, index: 10_000, from: netip.MustParseAddr(c.from), names: []smi.OID{root}}
		if n := len(r.raw(q)); n > c.most || n < c.most-60 {
			t.Errorf("%s is answered %d octets, want about %d", c.from, n, c.most)
		}
	}
}
