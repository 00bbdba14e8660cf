package collector

import (
	"net/netip"
	"slices"
	"time"

	"lvs/dataplane"
)

// A host is an address of real servers, over all services and ports. Its total
// is carried along with those of its accounts, so that a sample asks no account
// that is not in it, and every real server holds its host, so that none is
// looked up.
type host struct {
	addr     netip.Addr
	accounts int // remembered, of entries gone from the table too
	total    dataplane.Counters
	since    time.Time
	cut      bool  // since is when an account was forgotten
	mark     int64 // generation of the last sample it was in
	row      int32 // among the hosts of that sample
}

// hosts are those with an account.
type hosts struct {
	byAddr map[netip.Addr]*host
	order  []*host // those in the last sample, sorted
	found  []*host // of the sample being applied
}

// join counts an account in.
func (hs *hosts) join(addr netip.Addr) *host {
	h := hs.byAddr[addr]
	if h == nil {
		h = &host{addr: addr, mark: -1}
		hs.byAddr[addr] = h
	}
	h.accounts++
	return h
}

// began is when the total of one of its accounts did.
func (h *host) began(t time.Time) {
	if !h.cut && (h.since.IsZero() || t.Before(h.since)) {
		h.since = t
	}
}

// leave forgets an account with its total, now.
func (hs *hosts) leave(h *host, total dataplane.Counters, now time.Time) {
	if h.accounts--; h.accounts == 0 {
		delete(hs.byAddr, h.addr)
		return
	}
	h.total, _ = h.total.Sub(total)
	h.since, h.cut = now, true
}

// find notes that the host is in the sample.
func (hs *hosts) find(h *host, gen int64) {
	if h.mark != gen {
		h.mark = gen
		hs.found = append(hs.found, h)
	}
}

// rows are the rows of a sample's hosts, still without what their real servers
// come to.
func (hs *hosts) rows(gen int64) []dataplane.ServerState {
	if changed(hs.order, hs.found, func(h *host) bool { return h.mark == gen }) {
		hs.order = append(hs.order[:0], hs.found...)
		slices.SortFunc(hs.order, func(a, b *host) int { return a.addr.Compare(b.addr) })
		for i, h := range hs.order {
			h.row = int32(i)
		}
	}
	hs.found = hs.found[:0]
	rows := make([]dataplane.ServerState, len(hs.order))
	for i, h := range hs.order {
		rows[i] = dataplane.ServerState{Addr: h.addr, Total: h.total, Since: h.since, RepliesBypass: true}
	}
	return rows
}

// addReal adds a real server to its host's row.
func addReal(row *dataplane.ServerState, r *dataplane.RealState, status dataplane.Status) {
	row.Reals++
	if status.InService() {
		row.Available++
	}
	row.Weight += uint64(r.Weight)
	row.Active += uint64(r.Active)
	row.Inactive += uint64(r.Inactive)
	row.Persistent += uint64(r.Persistent)
	row.RepliesBypass = row.RepliesBypass && r.Method.RepliesBypass()
}
