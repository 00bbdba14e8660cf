package agent

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"lvs/mib/ber"
	"lvs/mib/smi"
)

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, table(8, 100, 1), Config{Rate: Rate{Requests: 100, Bytes: -1}})
		q := question{version: ber.V2cVersion, typ: ber.GetNext, from: elsewhere, names: []smi.OID{root}}
		answers := func(q question, n int) (got int) {
			for range n {
				if r.raw(q) != nil {
					got++
				}
			}
			return got
		}
		if n := answers(q, 1000); n != 201 { // two seconds' worth, and the one that passes them
			t.Errorf("%d answers at once", n)
		}
		other, local := q, q
		other.from, local.from = netip.MustParseAddr("192.0.2.10"), here
		if n := answers(other, 200); n != 200 {
			t.Errorf("%d answers to another, want 200", n)
		}
		if n := answers(local, 1000); n != 1000 {
			t.Errorf("%d answers here, want 1000", n)
		}
		time.Sleep(time.Second)
		if n := answers(q, 1000); n != 100 {
			t.Errorf("%d answers a second later, want 100", n)
		}
		wrong := q
		wrong.community = "wrong"
		time.Sleep(time.Hour)
		answers(wrong, 201)
		if n := answers(q, 10); n != 0 {
			t.Errorf("%d answers although what was refused counts, too", n)
		}
		if st := r.Stats(); st.RateLimited != 799+900+10 || st.BadCommunities != 201 {
			t.Errorf("%d limited, %d refused", st.RateLimited, st.BadCommunities)
		}

		large := q
		large.names = slices.Repeat([]smi.OID{root}, 1000)
		time.Sleep(time.Hour)
		size := len(large.datagram(t))
		if n, want := answers(large, 100), 200/(1+size/oneFrame)+1; n != want || want > 25 {
			t.Errorf("%d answers to requests of %d octets, want %d", n, size, want)
		}

		// One machine may have all addresses of a network.
		six := q
		n := 0
		for i := range 1000 {
			six.from = netip.MustParseAddr(fmt.Sprintf("2001:db8::%x:%x%%eth%d", i+1, i*7, i))
			n += answers(six, 1)
		}
		if n != 201 {
			t.Errorf("%d answers to a network of IPv6", n)
		}
		six.from = netip.MustParseAddr("2001:db8:0:1::1")
		if n := answers(six, 10); n != 10 {
			t.Errorf("%d answers to its neighbour", n)
		}
	})
}

// TestByteRate: large answers use up what a source may cause, small ones do not.
func TestByteRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, table(8, 1000, 1), Config{Rate: Rate{Requests: -1, Bytes: 10_000}})
		q := question{version: ber.V2cVersion, typ: ber.GetBulk, index: 1000, from: elsewhere, names: []smi.OID{root}}
		time.Sleep(time.Hour) // in which nothing is saved up
		for range 60 {
			for range 1000 {
				r.raw(q)
			}
			time.Sleep(time.Second)
		}
		st := r.Stats()
		if most := uint64(10_000*(59+2) + oneFrame); st.BytesOut > most || st.BytesOut < most-3*oneFrame {
			t.Errorf("%d octets in a minute, want about %d", st.BytesOut, most)
		}
	})
}

// TestManySourcesGainNothing: a crowd that overflows the table of sources gets no
// more than the table's allowance.
func TestManySourcesGainNothing(t *testing.T) {
	l := newLimiter(Rate{Requests: 5, Bytes: 1})
	n := 0
	for i := range uint32(100_000) {
		from := netip.AddrFrom4([4]byte{byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)})
		for range 2 {
			if l.admit(from, 100, 1) {
				n++
			}
		}
	}
	if n != 11*places {
		t.Errorf("%d requests of a crowd, want %d", n, 11*places)
	}
}

// TestAmplification: for each octet that an attacker sends in the name of
// another, this is how much that one gets at most.
func TestAmplification(t *testing.T) {
	r := newRig(t, table(8, 1000, 1), Config{})
	for _, version := range []ber.Version{ber.V1Version, ber.V2cVersion} {
		for _, typ := range []ber.PDUType{ber.GetRequest, ber.GetNext, ber.GetBulk, ber.SetRequest} {
			for _, n := range []int{0, 1, 2, 20, 2000} {
				q := question{version: version, typ: typ, index: 1 << 30, from: elsewhere}
				for range n {
					q.names = append(q.names, root)
				}
				if out := r.raw(q); len(out) > oneFrame {
					t.Errorf("v%v %v of %d: %d octets", version, typ, n, len(out))
				}
				q.community = "wrong"
				if out := r.raw(q); out != nil {
					t.Errorf("v%v %v of %d: a wrong community got %x", version, typ, n, out)
				}
			}
		}
	}
}
