package rrdstore

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"time"

	"lvs/dataplane"
)

// An identity is what a series counts: the zero identity is the director, one
// with a zero RIP a service.
type identity struct {
	key dataplane.ServiceKey
	rip netip.AddrPort
}

// A seriesKey is a key of the series bucket: a number and the first tick at
// which the series had it.
type seriesKey struct{ sid, from uint32 }

func (k seriesKey) bytes() []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(make([]byte, 0, 8), k.sid), k.from)
}

func parseSeriesKey(b []byte) (seriesKey, error) {
	if len(b) != 8 {
		return seriesKey{}, fmt.Errorf("%w: series key is %d bytes, want 8", ErrDamaged, len(b))
	}
	return seriesKey{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])}, nil
}

// sidOf joins the numbers of a service and, unless it is zero, a real server of
// it.
func sidOf(service, real uint32) uint32 { return service<<16 | real }

// A record is all that is kept of a series besides its rows. It is comparable,
// so that a tick writes those alone that changed.
type record struct {
	id    identity
	name  string
	until uint32 // the first tick the number was another's; zero: not yet

	firstSeen, lastReset, lastChange stamp
	// lastSeen counts unless follows is set: then it is the time of the last row.
	lastSeen stamp
	follows  bool
	resets   dataplane.ResetCounts
	status   dataplane.Status
	// changes and failures of status.
	changes, failures uint32
	// peak is the most connections, of what others need not tell; see series.
	peak   uint64
	offset dataplane.Counters // Total minus Kernel, modulo 2^64
	gone   bool
	// bypass: answers reach clients past the director.
	bypass bool
	// held says that total is here, because the last row does not have it.
	held  bool
	total dataplane.Counters
	// epoch is the director's; of a gone series, the director's when it was last
	// seen. Others share the director's.
	epoch string
}

// A stamp is a time in Unix nanoseconds; noStamp is the zero Time.
type stamp int64

const noStamp = stamp(math.MinInt64)

func stampOf(t time.Time) stamp {
	if t.IsZero() {
		return noStamp
	}
	return stamp(t.UnixNano())
}

func (s stamp) time() time.Time {
	if s == noStamp {
		return time.Time{}
	}
	return time.Unix(0, int64(s)).UTC()
}

// The flags of a series record say which fields follow.
const (
	seriesFollows = 1 << iota
	seriesGone
	seriesHeld
	seriesFirstSeen
	seriesLastSeen
	seriesLastReset
	seriesLastChange
	seriesResets
	seriesOffset
	seriesBypass
	seriesChanges // of version 2
	seriesPeak    // likewise
)

// seriesVersion is that of records with fields which a program that knows only
// recordVersion would take for damage. It refuses them as newer instead.
const seriesVersion = 2

func (r *record) flags() (f uint64) {
	set := func(bit uint64, on bool) {
		if on {
			f |= bit
		}
	}
	set(seriesFollows, r.follows)
	set(seriesGone, r.gone)
	set(seriesHeld, r.held)
	set(seriesFirstSeen, r.firstSeen != noStamp)
	set(seriesLastSeen, r.lastSeen != noStamp)
	set(seriesLastReset, r.lastReset != noStamp)
	set(seriesLastChange, r.lastChange != noStamp)
	set(seriesResets, r.resets != dataplane.ResetCounts{})
	set(seriesOffset, !r.offset.IsZero())
	set(seriesBypass, r.bypass)
	set(seriesChanges, r.changes != 0 || r.failures != 0)
	set(seriesPeak, r.peak != 0)
	return f
}

// append seals the record under its key.
func (r *record) append(b []byte, k seriesKey) []byte {
	start, flags := len(b), r.flags()
	if flags&(seriesChanges|seriesPeak) != 0 {
		b = append(b, seriesVersion)
	} else {
		b = append(b, recordVersion)
	}
	b = binary.AppendUvarint(b, flags)
	b = appendString(b, keyText(r.id.key))
	b = appendString(b, ripText(r.id.rip))
	b = appendString(b, r.name)
	b = appendString(b, r.epoch)
	b = binary.AppendUvarint(b, uint64(r.until))
	b = append(b, byte(r.status))
	for _, s := range []stamp{r.firstSeen, r.lastSeen, r.lastReset, r.lastChange} {
		if s != noStamp {
			b = binary.AppendVarint(b, int64(s))
		}
	}
	if r.resets != (dataplane.ResetCounts{}) {
		for _, n := range r.resets {
			b = binary.AppendUvarint(b, uint64(n))
		}
	}
	if !r.offset.IsZero() {
		b = appendCounters(b, r.offset)
	}
	if r.held {
		b = appendCounters(b, r.total)
	}
	if flags&seriesChanges != 0 {
		b = binary.AppendUvarint(b, uint64(r.changes))
		b = binary.AppendUvarint(b, uint64(r.failures))
	}
	if flags&seriesPeak != 0 {
		b = binary.AppendUvarint(b, r.peak)
	}
	return seal(b, start, bucketSeries, 0, k.bytes())
}

// parseRecord is the inverse of append.
func parseRecord(k seriesKey, v []byte) (r record, err error) {
	payload, err := unseal(v, bucketSeries, 0, k.bytes())
	if err != nil {
		return record{}, err
	}
	p := &parser{b: payload}
	f := p.uvarint()
	key, rip := p.string(), p.string()
	r.name, r.epoch = p.string(), p.string()
	until := p.uvarint()
	r.until, r.status = uint32(until), dataplane.Status(p.byte())
	r.follows, r.gone, r.held, r.bypass = f&seriesFollows != 0, f&seriesGone != 0, f&seriesHeld != 0, f&seriesBypass != 0
	for _, s := range []struct {
		bit uint64
		to  *stamp
	}{{seriesFirstSeen, &r.firstSeen}, {seriesLastSeen, &r.lastSeen}, {seriesLastReset, &r.lastReset}, {seriesLastChange, &r.lastChange}} {
		*s.to = noStamp
		if f&s.bit != 0 {
			*s.to = stamp(p.varint())
		}
	}
	if f&seriesResets != 0 {
		for i := range r.resets {
			r.resets[i] = uint32(p.uvarint())
		}
	}
	if f&seriesOffset != 0 {
		r.offset = p.counters()
	}
	if r.held {
		r.total = p.counters()
	}
	if f&seriesChanges != 0 {
		r.changes, r.failures = uint32(p.uvarint()), uint32(p.uvarint())
	}
	if f&seriesPeak != 0 {
		r.peak = p.uvarint()
	}
	if err := p.end(); err != nil {
		return record{}, fmt.Errorf("%w: series %x: %w", ErrDamaged, k.bytes(), err)
	}
	if r.id, err = parseIdentity(key, rip); err != nil {
		return record{}, fmt.Errorf("%w: series %x: %w", ErrDamaged, k.bytes(), err)
	}
	return r, nil
}

// The director has no key and a service no RIP: their text is empty.
func keyText(k dataplane.ServiceKey) string {
	if k == (dataplane.ServiceKey{}) {
		return ""
	}
	return k.String()
}

func ripText(rip netip.AddrPort) string {
	if rip == (netip.AddrPort{}) {
		return ""
	}
	return rip.String()
}

func parseIdentity(key, rip string) (id identity, err error) {
	if key != "" {
		if id.key, err = dataplane.ParseServiceKey(key); err != nil {
			return identity{}, err
		}
	}
	if rip != "" {
		if id.rip, err = dataplane.ParseRIP(rip); err != nil {
			return identity{}, err
		}
	}
	return id, nil
}

func appendCounters(b []byte, c dataplane.Counters) []byte {
	for _, v := range [...]uint64{c.Connections, c.InPackets, c.OutPackets, c.InBytes, c.OutBytes} {
		b = binary.AppendUvarint(b, v)
	}
	return b
}

func (p *parser) counters() (c dataplane.Counters) {
	for _, to := range [...]*uint64{&c.Connections, &c.InPackets, &c.OutPackets, &c.InBytes, &c.OutBytes} {
		*to = p.uvarint()
	}
	return c
}

// minus is c - d, field by field modulo 2^64: unlike Sub it is exact whichever
// of the two is larger.
func minus(c, d dataplane.Counters) dataplane.Counters {
	return dataplane.Counters{
		Connections: c.Connections - d.Connections,
		InPackets:   c.InPackets - d.InPackets, OutPackets: c.OutPackets - d.OutPackets,
		InBytes: c.InBytes - d.InBytes, OutBytes: c.OutBytes - d.OutBytes,
	}
}
