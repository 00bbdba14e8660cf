package ipvs

import (
	"context"
	"hash/maphash"
	"net/netip"

	"lvs/dataplane"
)

// tries is how often a table that changes while it is read is read again.
const tries = 3

// A reader puts a table together. It remembers how large the last one was, so
// that the next is read into memory of the right size.
type reader struct {
	names names
	hints []hint // one for each service of the last table, in its order
	reals int    // of all of them together
	seed  maphash.Seed

	list  []dataplane.ServiceState // memory for a list that is not handed out
	lent  lent                     // the table handed out last
	spare lent                     // one that was given back
}

// lent is a table that was handed out, and the memory its rows are in.
type lent struct {
	snap     *dataplane.Snapshot
	services []dataplane.ServiceState
	reals    []dataplane.RealState
}

// takeBack keeps the memory of the table handed out last, if that is the one; not
// of one that has become much larger than the table is.
func (r *reader) takeBack(snap *dataplane.Snapshot) {
	if snap == nil || r.lent.snap != snap {
		return
	}
	r.spare, r.lent = r.lent, lent{}
	r.spare.snap = nil
	if cap(r.spare.reals) > 2*r.reals+1024 {
		r.spare = lent{}
	}
}

// A hint is what is remembered of a service.
type hint struct {
	key dataplane.ServiceKey
	// order is a hash of the RIPs in the kernel's order if that was found out to
	// be true though it took several datagrams; otherwise zero.
	order uint64
}

// A span is the real servers of one service within the slice that holds those of
// all services.
type span struct {
	from, to int
	order    uint64
	moved    bool // the list still changed when it was last read
}

// A pass is one reading of a table.
type pass struct {
	*reader
	s        *session
	reals    []dataplane.RealState
	narrow   bool // some statistics were of 32 bits
	rereads  int
	services int // the last number of services, for the next list's size

	family dataplane.Family        // of the service whose real servers are dumped
	onReal func(data []byte) error // addReal, made a func value once
}

// read fills in the services of a snapshot.
//
// First the services are listed, then the real servers of each, then the services
// again. If the second list has other services, or has them in another order (one
// that was deleted and added again comes first in its hash bucket), those that
// differ are read and the services listed once more, so that a steady trickle of
// changes does not keep a large table from being read. A service that is gone
// from the last list is left out.
func (r *reader) read(ctx context.Context, s *session, snap *dataplane.Snapshot) error {
	p := pass{reader: r, s: s, services: len(r.hints)}
	if p.reals = r.spare.reals[:0]; cap(p.reals) < r.reals {
		p.reals = make([]dataplane.RealState, 0, r.reals)
	}
	list, err := p.listOnce(ctx, r.list)
	if err != nil {
		return err
	}
	memory := r.spare.services // of the list that is handed out
	r.list, r.lent, r.spare = nil, lent{}, lent{}
	spans := make([]span, len(list))
	for i := range list {
		if spans[i], err = p.list(ctx, list[i].Key, r.hintFor(i, list[i].Key)); err != nil {
			return err
		}
	}
	for try := 0; ; try++ {
		next, err := p.listOnce(ctx, memory)
		if err != nil {
			return err
		}
		memory = nil
		fresh, gone := changes(list, next, spans)
		if fresh == nil {
			list, r.list = next, list
			break
		}
		moved := gone
		for i := range next {
			if fresh[i].to < 0 {
				moved++
				if fresh[i], err = p.list(ctx, next[i].Key, hint{}); err != nil {
					return err
				}
			}
		}
		list, spans = next, fresh
		p.rereads++
		if try == tries-1 {
			snap.Inconsistent += moved
			break
		}
	}
	if err := p.again(ctx, list, spans); err != nil {
		return err
	}
	p.finish(snap, list, spans)
	return nil
}

// again asks a second time for the real servers of services that seemed to have
// none: to a service that does not exist the kernel answers the same, and it may
// have been deleted and added again around the question.
func (p *pass) again(ctx context.Context, list []dataplane.ServiceState, spans []span) (err error) {
	for i := range list {
		if spans[i].from != spans[i].to {
			continue
		}
		if spans[i], err = p.list(ctx, list[i].Key, hint{}); err != nil {
			return err
		}
		if spans[i].from != spans[i].to {
			p.rereads++
		}
	}
	return nil
}

// finish gives each service its real servers, and remembers the table.
func (p *pass) finish(snap *dataplane.Snapshot, list []dataplane.ServiceState, spans []span) {
	r := p.reader
	r.hints, r.reals = r.hints[:0], 0
	for i := range list {
		sp := spans[i]
		if sp.from != sp.to {
			list[i].Reals = p.reals[sp.from:sp.to:sp.to]
		}
		if sp.moved {
			snap.Inconsistent++
		}
		r.hints = append(r.hints, hint{list[i].Key, sp.order})
		r.reals += sp.to - sp.from
	}
	r.lent = lent{snap, list, p.reals}
	snap.Services = list
	snap.Retries += p.rereads
	snap.Counters32 = p.narrow
}

// hintFor is what is known of the i-th service from the last table.
func (r *reader) hintFor(i int, k dataplane.ServiceKey) hint {
	if i < len(r.hints) && r.hints[i].key == k {
		return r.hints[i]
	}
	return hint{}
}

// changes compares two lists of services. It is nil when they are the same;
// otherwise it says for each service of next where its real servers are, or with
// a negative end that they must be read, and how many services of list are gone.
func changes(list, next []dataplane.ServiceState, spans []span) (fresh []span, gone int) {
	same := len(list) == len(next)
	for i := 0; same && i < len(list); i++ {
		same = list[i].Key == next[i].Key && !recreated(&list[i], &next[i])
	}
	if same {
		return nil, 0
	}
	at := make(map[dataplane.ServiceKey]int, len(list))
	for i := range list {
		at[list[i].Key] = i
	}
	fresh, gone = make([]span, len(next)), len(list)
	least := len(list)
	for i := len(next) - 1; i >= 0; i-- {
		was, ok := at[next[i].Key]
		if ok {
			gone--
		}
		switch {
		case !ok, was > least, recreated(&list[was], &next[i]):
			fresh[i] = span{to: -1}
		default:
			fresh[i] = spans[was]
			least = was
		}
	}
	return fresh, gone
}

// recreated reports whether now's counters are below before's: then the service
// was deleted and added again, or its counters were zeroed with those of its real
// servers.
func recreated(before, now *dataplane.ServiceState) bool {
	_, grown := now.Kernel.Sub(before.Kernel)
	return !grown
}

// listOnce lists the services by one dump, each once, in memory of another list if
// that is large enough.
func (p *pass) listOnce(ctx context.Context, memory []dataplane.ServiceState) ([]dataplane.ServiceState, error) {
	list := memory[:0]
	if cap(list) < p.services {
		list = make([]dataplane.ServiceState, 0, p.services)
	}
	f, err := p.s.dump(ctx, p.s.request(cmdGetService), func(data []byte) error {
		list = append(list, dataplane.ServiceState{})
		svc := &list[len(list)-1]
		wide, err := decodeService(data, p.names, svc)
		p.narrow = p.narrow || !wide
		if !svc.Key.IsValid() {
			list = list[:len(list)-1]
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if !f.atomic() {
		list = once(list, func(s *dataplane.ServiceState) dataplane.ServiceKey { return s.Key })
	}
	p.services = len(list)
	return list, nil
}

// list lists the real servers of a service and appends them. A list that came in
// several datagrams is believed when it is that of the last table, which no
// interference can bring about: what was added since comes first and so in the
// first datagram, and what is missing or there twice makes a difference. Else it
// is read until two readings in a row agree.
func (p *pass) list(ctx context.Context, k dataplane.ServiceKey, h hint) (span, error) {
	var before uint64
	for try := 0; ; try++ {
		sp := span{from: len(p.reals)}
		f, err := p.dumpReals(ctx, k)
		sp.to = len(p.reals)
		if err != nil || f.atomic() {
			return sp, err
		}
		sp.order = p.order(p.reals[sp.from:])
		if !f.broken && (sp.order == h.order || sp.order == before) {
			return sp, nil
		}
		if try > 0 {
			p.rereads++
		}
		if try == tries {
			p.reals = append(p.reals[:sp.from], once(p.reals[sp.from:],
				func(r *dataplane.RealState) netip.AddrPort { return r.RIP })...)
			return span{from: sp.from, to: len(p.reals), moved: true}, nil
		}
		p.reals = p.reals[:sp.from]
		before = sp.order
	}
}

// dumpReals appends the real servers that one dump tells of.
func (p *pass) dumpReals(ctx context.Context, k dataplane.ServiceKey) (fill, error) {
	if p.onReal == nil {
		p.onReal = p.addReal
	}
	p.family = k.Family
	e := p.s.request(cmdGetDest)
	e.key(k)
	return p.s.dump(ctx, e, p.onReal)
}

func (p *pass) addReal(data []byte) error {
	p.reals = append(p.reals, dataplane.RealState{})
	real := &p.reals[len(p.reals)-1]
	wide, err := decodeReal(data, p.family, real)
	p.narrow = p.narrow || !wide
	if real.RIP.Addr().Is4In6() {
		p.reals = p.reals[:len(p.reals)-1]
	}
	return err
}

// order is a hash of the RIPs in their order; never zero.
func (r *reader) order(list []dataplane.RealState) uint64 {
	if r.seed == (maphash.Seed{}) {
		r.seed = maphash.MakeSeed()
	}
	var h maphash.Hash
	h.SetSeed(r.seed)
	for i := range list {
		maphash.WriteComparable(&h, list[i].RIP)
	}
	return h.Sum64() | 1
}

// once drops, in place, what has a key that came before.
func once[T any, K comparable](list []T, key func(*T) K) []T {
	seen := make(map[K]bool, len(list))
	kept := list[:0]
	for i := range list {
		if k := key(&list[i]); !seen[k] {
			seen[k] = true
			kept = append(kept, list[i])
		}
	}
	return kept
}
