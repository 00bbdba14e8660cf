package collector

import (
	"container/list"
	"time"

	"lvs/dataplane"
)

// An account is a dataplane.Account with what is needed to continue it. Samples
// are counted by a generation; zero is "before the first", -1 "not even then".
type account struct {
	dataplane.Account
	epoch  string // the last that was told; empty is unknown
	doubt  bool   // Kernel was read since then, where none was told
	name   string // in the last sample
	known  bool   // the total has begun
	status dataplane.Status
	mark   int64         // generation being applied, once it is found in it
	gen    int64         // generation of the last sample it was in
	read   int64         // and of the last that had its counters; 0 is none
	row    int32         // where it stands in the sample being applied
	pos    int32         // where it stood in the dump it was last in; -1 is unknown
	absent *list.Element // of Continuity.absences; nil while it is in the table, and of old
}

func newAccount() account { return account{mark: -1, gen: -1, pos: -1} }

// begin starts the total at what the kernel counts already, so that it equals
// the kernel's value until the first reset.
func (a *account) begin(now time.Time) {
	a.known, a.FirstSeen = true, now
}

// restart has the kernel count from zero again.
func (a *account) restart(reason dataplane.ResetReason, now time.Time) {
	a.Kernel = dataplane.Counters{}
	a.Resets[reason]++
	a.LastReset = now
}

// advance adds what the kernel counted since.
func (a *account) advance(d, kernel dataplane.Counters) {
	a.Total, a.Kernel = a.Total.Add(d), kernel
}

// turn notes the state of the entry. One that was missing from a consistent
// sample in between, which solid is the last of, was out of service meanwhile;
// one whose state was not known before has not changed it.
func (a *account) turn(status dataplane.Status, solid int64, now time.Time) {
	gone := a.gen < solid
	switch {
	case a.LastChange.IsZero():
	case gone:
		a.Changes += 2
	case status != a.status:
		a.Changes++
	default:
		return
	}
	if !a.LastChange.IsZero() && a.status.InService() && (gone || !status.InService()) {
		a.Failures++
	}
	a.status, a.LastChange = status, now
}

// seen closes the account's part in a sample, which had its counters or had not.
// Where no epoch was told and the account was restarted, the next epoch is not held
// against the last, as that may have been the same restart.
func (a *account) seen(gen int64, now time.Time, epoch string, counters bool) {
	switch {
	case epoch != "":
		a.epoch, a.doubt = epoch, false
	case a.LastReset.Equal(now):
		a.epoch = ""
	case counters:
		a.doubt = true
	}
	a.gen, a.pos, a.LastSeen = gen, a.row, now
	if counters {
		a.read = gen
	}
}

// otherEpoch reports whether the kernel's table is another one than at the last
// sample that told its epoch; an unknown epoch is no evidence.
func (a *account) otherEpoch(epoch string) bool {
	return a.epoch != "" && epoch != "" && a.epoch != epoch
}

// otherLife reports whether it is another one than Kernel was read from. Where
// that is in doubt, only a counter that fell tells: else what was counted since
// the restart would count twice.
func (a *account) otherLife(epoch string) bool { return !a.doubt && a.otherEpoch(epoch) }

// minPacket is the length of an IPv4 header: no packet is shorter, and no
// connection is counted without a packet.
const minPacket = 20

// wrapped is what cur counts beyond prev when connections and packets are told
// in 32 bits and some of those went past 2^32. Bytes always have 64 bits: they
// must have grown by enough to carry the packets, otherwise the counters were
// cleared.
func wrapped(cur, prev dataplane.Counters) (d dataplane.Counters, ok bool) {
	if cur.InBytes < prev.InBytes || cur.OutBytes < prev.OutBytes {
		return d, false
	}
	d = dataplane.Counters{
		Connections: uint64(uint32(cur.Connections - prev.Connections)),
		InPackets:   uint64(uint32(cur.InPackets - prev.InPackets)),
		OutPackets:  uint64(uint32(cur.OutPackets - prev.OutPackets)),
		InBytes:     cur.InBytes - prev.InBytes,
		OutBytes:    cur.OutBytes - prev.OutBytes,
	}
	ok = d.InBytes >= minPacket*max(d.Connections, d.InPackets) && d.OutBytes >= minPacket*d.OutPackets
	return d, ok
}

// within reports whether no field of c is above d's.
func within(c, d dataplane.Counters) bool {
	_, ok := d.Sub(c)
	return ok
}
