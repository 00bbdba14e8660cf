package snmp

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"lvs/dataplane"
)

// stillFor is how long what people configure is believed not to have changed while
// the rows are the same. The MIB tells of rows that come and go only.
const stillFor = time.Minute

// directorMemory is what is kept of the tables from one snapshot for the next.
type directorMemory struct {
	services, reals kept
	known           map[uint64]*still
	totals          map[string]dataplane.Counters // of SNMPv1, by row
}

// kept tells whether the still part of a table need not be read.
type kept struct {
	version uint64
	at      time.Time
}

// still is the part of a row that does not move.
type still struct {
	service dataplane.Service
	real    dataplane.RealServer
	name    string
	first   time.Time
}

// A directorDecoder makes a snapshot of the tables.
type directorDecoder struct {
	poller  *Poller
	memory  *directorMemory
	scalars scalarSet
	snap    *dataplane.Snapshot
	narrow  bool // SNMPv1
	next    directorMemory
	totals  map[string]dataplane.Counters // of the last snapshot; see directorMemory
}

func (d *directorDecoder) wide() int {
	if d.narrow {
		return 0
	}
	return wideAfter
}

// tables reads all tables into the snapshot.
func (d *directorDecoder) tables(ctx context.Context) error {
	s := wideSpecs
	if d.narrow {
		s = narrowSpecs
		d.totals, d.next.totals = d.memory.totals, make(map[string]dataplane.Counters)
	}
	d.next.known = make(map[uint64]*still)
	now := time.Now()
	services, err := d.table(ctx, &s.services, lvsdServices, d.memory.services, &d.next.services, now, d.stillService)
	if err != nil {
		return err
	}
	reals, err := d.table(ctx, &s.reals, lvsdReals, d.memory.reals, &d.next.reals, now, d.stillReal)
	if err != nil {
		return err
	}
	if err := d.decode(services, reals); err != nil {
		return err
	}
	*d.memory = d.next
	if !d.poller.cfg.Servers {
		return nil
	}
	servers, err := d.poller.table(ctx, &s.servers, int(d.scalars.number(lvsdServers, lvsdRows)))
	if err != nil {
		return err
	}
	return d.servers(servers)
}

// table reads the moving part of a table and, where that is due, the other one,
// of which each row is handed to keep.
func (d *directorDecoder) table(ctx context.Context, spec *directorTable, group string, before kept, after *kept, now time.Time,
	keep func(*row) (uint64, *still)) (*table, error) {
	rows := int(min(d.scalars.number(group, lvsdRows), math.MaxInt32))
	moving, err := d.poller.table(ctx, &spec.moving, rows)
	if err != nil {
		return nil, err
	}
	if told := d.scalars.of(group, lvsdRows); told.kind != absent && rows != len(moving.index) {
		return nil, fmt.Errorf("%s: %w: it has %d rows of %d", moving.spec.name, ErrChanged, len(moving.index), rows)
	}
	version := d.scalars.number(group, lvsdRowsVersion)
	if *after = before; version != 0 && version == before.version && now.Sub(before.at) < stillFor && d.remembered(moving) {
		return moving, nil
	}
	*after = kept{version, now}
	part, err := d.poller.table(ctx, &spec.still, len(moving.index))
	if err != nil {
		return nil, err
	}
	if len(part.index) != len(moving.index) {
		return nil, fmt.Errorf("%s: %w: its columns have %d and %d rows", part.spec.name, ErrChanged, len(part.index), len(moving.index))
	}
	for i := range part.index {
		r := part.row(i)
		id, s := keep(r)
		if r.err != nil {
			return nil, r.err
		}
		d.next.known[id] = s
	}
	return moving, nil
}

// remembered reports whether the still part of every row is known, and keeps it.
func (d *directorDecoder) remembered(t *table) bool {
	for i := range t.index {
		id, ok := rowID(t.index[i])
		s := d.memory.known[id]
		if !ok || s == nil {
			return false
		}
		d.next.known[id] = s
	}
	return true
}

// rowID is the number of a service, or of it and one of its real servers.
func rowID(index string) (id uint64, ok bool) {
	service, rest := arc(index)
	real := int64(0)
	if rest != "" {
		if real, rest = arc(rest); real == 0 {
			return 0, false
		}
	}
	ok = service > 0 && service <= math.MaxUint16 && real >= 0 && real <= math.MaxUint16 && rest == ""
	return uint64(service)<<32 | uint64(real), ok
}

// stillService reads what of a service does not move.
func (d *directorDecoder) stillService(r *row) (uint64, *still) {
	id, ok := rowID(r.table.index[r.at])
	s := &still{name: r.text(lvsdServiceName), first: dateAndTime(r.cell(lvsdServiceFirstSeen))}
	s.service = dataplane.Service{
		Scheduler: r.text(lvsdServiceScheduler), Flags: flags(r.text(lvsdServiceFlags)),
		Timeout:           time.Duration(r.uint32(lvsdServiceTimeout)) * time.Second,
		PersistenceEngine: r.text(lvsdServiceEngine),
	}
	family := dataplane.INET
	if r.number(lvsdServiceFamily) == 2 {
		family = dataplane.INET6
	}
	port := uint16(r.upTo(lvsdServicePort, math.MaxUint16))
	if mark := r.uint32(lvsdServiceMark); mark != 0 {
		s.service.Key = dataplane.MarkKey(family, mark)
	} else if a := addressOf(r.cell(lvsdServiceAddress)); a.IsValid() {
		s.service.Key = dataplane.AddrKey(dataplane.Protocol(r.upTo(lvsdServiceProtocol, math.MaxUint8)), netip.AddrPortFrom(a, port))
	}
	s.service.Netmask = netmask(family, r.text(lvsdServiceNetmask))
	if !ok || !s.service.Key.IsValid() {
		r.fail(lvsdServiceAddress, "part of a service's key")
	}
	return id, s
}

// stillReal reads what of a real server does not move.
func (d *directorDecoder) stillReal(r *row) (uint64, *still) {
	id, ok := rowID(r.table.index[r.at])
	s := &still{name: r.text(lvsdRealName), first: dateAndTime(r.cell(lvsdRealFirstSeen))}
	a := addressOf(r.cell(lvsdRealAddress))
	if !ok || !a.IsValid() {
		r.fail(lvsdRealAddress, "real server's address")
	}
	s.real = dataplane.RealServer{
		RIP:    netip.AddrPortFrom(a, uint16(r.upTo(lvsdRealPort, math.MaxUint16))),
		Method: dataplane.Method(r.upTo(lvsdRealMethod, math.MaxUint8) - 1),
	}
	if kind := r.upTo(lvsdRealTunnelType, math.MaxUint8); s.real.Method == dataplane.Tunnel && kind >= 2 {
		s.real.Encap = dataplane.Encap{Type: dataplane.EncapType(kind - 2), Port: uint16(r.upTo(lvsdRealTunnelPort, math.MaxUint16))}
		if f, err := dataplane.ParseEncapFlags(r.text(lvsdRealTunnelFlag)); err == nil {
			s.real.Encap.Flags = f
		}
	}
	return id, s
}

// addressOf reads an InetAddress, which unlike an old agent's keeps to its length.
func addressOf(v value) netip.Addr {
	a, _ := netip.AddrFromSlice(v.text)
	return a.Unmap()
}

// flags reads the text of service flags.
func flags(text string) (f dataplane.ServiceFlags) {
	for word := range strings.SplitSeq(text, ",") {
		known := false
		for bit := dataplane.ServiceFlags(1); bit != 0 && !known; bit <<= 1 {
			if known = word == bit.String(); known {
				f |= bit
			}
		}
		if n, err := strconv.ParseUint(word, 0, 32); err == nil && !known {
			f |= dataplane.ServiceFlags(n)
		}
	}
	return f
}

// netmask reads the text of a mask; the zero Netmask where there is none.
func netmask(family dataplane.Family, text string) dataplane.Netmask {
	if family == dataplane.INET6 {
		if n, err := strconv.ParseUint(text, 10, 8); err == nil && n >= 1 && n <= 128 {
			return dataplane.Mask6(uint32(n))
		}
		return dataplane.Netmask{}
	}
	a, err := netip.ParseAddr(text)
	if err != nil || !a.Is4() {
		return dataplane.Netmask{}
	}
	b := a.As4()
	return dataplane.Mask4(uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3]))
}
