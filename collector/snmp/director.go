package snmp

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"lvs/dataplane"
)

// The LVS-DIRECTOR-MIB, as far as it is read: lvsdObjects and what is below it.
const (
	lvsdObjects  = lvsRoot + ".100.1"
	lvsdDirector = lvsdObjects + ".1"
	lvsdServices = lvsdObjects + ".4"
	lvsdReals    = lvsdObjects + ".5"
	lvsdServers  = lvsdObjects + ".6"
)

// Scalars of lvsdDirector.
const (
	lvsdIpvsVersion       = 2
	lvsdDataplaneState    = 3
	lvsdDataplaneReason   = 4
	lvsdSampleTime        = 6
	lvsdSampleInterval    = 7
	lvsdConnTableSize     = 13
	lvsdConnTableEntries  = 14
	lvsdConnTablePeak     = 15
	lvsdDirectorConns     = 19 // and four more, then the same in 64 bits, then five rates
	lvsdDirectorFirstSeen = 34
	lvsdDirectorDiscont   = 35
	lvsdDirectorResets    = 36
	lvsdTimeoutTcp        = 37
	lvsdTimeoutTcpFin     = 38
	lvsdTimeoutUdp        = 39
	lvsdSyncMasterRunning = 40 // its interface and number follow
	lvsdSyncBackupRunning = 43 // likewise
	lvsdRows              = 1  // of a table, in the group of it
	lvsdRowsLastChange    = 2
	lvsdRowsVersion       = 4
	lvsdTableEntry        = ".5.1"
	running               = 1 // lvsdDataplaneState and lvsdStoreState
	isTrue                = 1 // TruthValue
	wideAfter             = 5 // from a Counter32 to the column with its 64 bits
	ratesAfter            = 10
)

// directorScalars are the scalars of one snapshot; before and after tables the
// first ones are compared.
var directorScalars = func() (names []string) {
	for _, group := range []string{lvsdServices, lvsdReals, lvsdServers} {
		for _, sub := range []int{lvsdRows, lvsdRowsVersion} {
			names = append(names, scalar(group, sub))
		}
	}
	names = append(names, scalar(lvsdServices, lvsdRowsLastChange), scalar(lvsdReals, lvsdRowsLastChange))
	for _, sub := range []int{lvsdSampleTime, lvsdSampleInterval, lvsdIpvsVersion, lvsdDataplaneState, lvsdDataplaneReason,
		lvsdConnTableSize, lvsdConnTableEntries, lvsdConnTablePeak, lvsdDirectorFirstSeen, lvsdDirectorDiscont, lvsdDirectorResets,
		lvsdTimeoutTcp, lvsdTimeoutTcpFin, lvsdTimeoutUdp} {
		names = append(names, scalar(lvsdDirector, sub))
	}
	for sub := lvsdSyncMasterRunning; sub < lvsdSyncMasterRunning+6; sub++ {
		names = append(names, scalar(lvsdDirector, sub))
	}
	for sub := lvsdDirectorConns; sub < lvsdDirectorConns+ratesAfter+5; sub++ {
		names = append(names, scalar(lvsdDirector, sub))
	}
	return names
}()

// stamps are what shows that tables belong together: they are as they were behind
// the last table.
var stamps = append(slices.Clone(directorScalars[:6]), scalar(lvsdDirector, lvsdSampleTime))

func scalar(group string, sub int) string { return group + "." + strconv.Itoa(sub) + ".0" }

// A scalarSet is scalars by their names.
type scalarSet map[string]value

// ask reads scalars, no more at once than fit.
func (p *Poller) ask(ctx context.Context, names []string) (scalarSet, error) {
	set := make(scalarSet, len(names))
	for some := range slices.Chunk(names, max(1, min(p.memory.atOnce, maxScalars))) {
		values, err := p.client.scalars(ctx, some)
		if err != nil {
			return nil, err
		}
		for i, v := range values {
			set[some[i]] = v
		}
	}
	return set, nil
}

// maxScalars are asked for at once: an answer with so many fits a frame.
const maxScalars = 50

func (s scalarSet) of(group string, sub int) value      { return s[scalar(group, sub)] }
func (s scalarSet) number(group string, sub int) uint64 { return s.of(group, sub).num }

// agrees reports whether the stamps are as they are in t.
func (s scalarSet) agrees(t scalarSet, names []string) bool {
	for _, n := range names {
		if v, w := s[n], t[n]; v.num != w.num || string(v.text) != string(w.text) {
			return false
		}
	}
	return true
}

// readDirector reads the LVS-DIRECTOR-MIB: scalars, tables, and what of the
// scalars tells that the tables belong together.
func (p *Poller) readDirector(ctx context.Context, last bool) (*dataplane.Snapshot, error) {
	names := directorScalars
	if p.cfg.Auth.Version == 1 {
		names = names[:len(names)-ratesAfter] // those of 64 bits
	}
	scalars, err := p.ask(ctx, names)
	if err != nil {
		return nil, err
	}
	at := dateAndTime(scalars.of(lvsdDirector, lvsdSampleTime))
	if at.IsZero() {
		return nil, ErrNoModule
	}
	resets, agent, err := p.agent(ctx)
	if err != nil {
		return nil, err
	}
	release, err := p.slot(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	d := &directorDecoder{poller: p, memory: &p.memory.directorMemory, scalars: scalars, narrow: p.cfg.Auth.Version == 1,
		snap: &dataplane.Snapshot{Time: at, Counters32: p.cfg.Auth.Version == 1}}
	if err := d.tables(ctx); err != nil {
		return nil, err
	}
	after, err := p.ask(ctx, stamps)
	if err != nil {
		return nil, err
	}
	switch {
	case !scalars.agrees(after, stamps[:6]):
		return nil, fmt.Errorf("%w: rows came or went", ErrChanged)
	case !scalars.agrees(after, stamps) && !last:
		return nil, fmt.Errorf("%w: there is a new sample", ErrChanged)
	case !scalars.agrees(after, stamps): // reading takes longer than the agent's interval
		d.snap.Inconsistent = 1
	}
	d.director()
	p.note(scalars)
	p.stats.resets.Store(resets)
	p.stats.agent.Store(agent)
	d.snap.Sort()
	return d.snap, nil
}

// note keeps how the director fares by its own account.
func (p *Poller) note(s scalarSet) {
	reason := ""
	if state := s.number(lvsdDirector, lvsdDataplaneState); state != running && s.of(lvsdDirector, lvsdDataplaneState).kind != absent {
		if reason = string(s.of(lvsdDirector, lvsdDataplaneReason).text); reason == "" {
			reason = "the director cannot read its table"
		}
	}
	p.stats.stale.Store(&reason)
	p.stats.omitted.Store(0)
}

// director fills in what scalars tell.
func (d *directorDecoder) director() {
	s, to := d.scalars, &d.snap.Director
	number := func(sub int) uint64 { return s.number(lvsdDirector, sub) }
	seconds := func(sub int) time.Duration { return time.Duration(uint32(number(sub))) * time.Second }
	to.Version, to.ConnTableSize = string(s.of(lvsdDirector, lvsdIpvsVersion).text), uint32(number(lvsdConnTableSize))
	to.Connections, to.HasConnections = number(lvsdConnTableEntries), s.of(lvsdDirector, lvsdConnTableEntries).kind != absent
	to.Timeouts = dataplane.Timeouts{TCP: seconds(lvsdTimeoutTcp), TCPFin: seconds(lvsdTimeoutTcpFin), UDP: seconds(lvsdTimeoutUdp)}
	for role, sub := range map[dataplane.SyncRole]int{dataplane.Master: lvsdSyncMasterRunning, dataplane.Backup: lvsdSyncBackupRunning} {
		if number(sub) == isTrue {
			to.Daemons = append(to.Daemons, dataplane.SyncDaemon{Role: role, Interface: string(s.of(lvsdDirector, sub+1).text), SyncID: uint32(number(sub + 2))})
		}
	}
	// Rows tell whether the reading was privileged, and where there is none, this.
	if len(d.snap.Services) == 0 && s.of(lvsdDirector, lvsdSyncMasterRunning).kind == absent {
		d.snap.Partial = true
	}
	slices.SortFunc(to.Daemons, func(a, b dataplane.SyncDaemon) int { return int(a.Role) - int(b.Role) })
	d.snap.ServicesChanged = dateAndTime(s.of(lvsdServices, lvsdRowsLastChange))
	d.snap.RealsChanged = dateAndTime(s.of(lvsdReals, lvsdRowsLastChange))
	if interval := int64(number(lvsdSampleInterval) / 1000); interval > 0 {
		unix := d.snap.Time.Unix()
		d.snap.Tick = time.Unix(unix-unix%interval, 0).UTC()
	}

	to.HasStats = s.of(lvsdDirector, lvsdDirectorConns).kind != absent
	var cells [5]uint64
	for i := range cells {
		cells[i] = number(lvsdDirectorConns + d.wide() + i)
	}
	to.Peak = number(lvsdConnTablePeak)
	d.account(&to.Account, "", cells, dateAndTime(s.of(lvsdDirector, lvsdDirectorFirstSeen)),
		dateAndTime(s.of(lvsdDirector, lvsdDirectorDiscont)), number(lvsdDirectorResets))
	if to.HasRates = s.of(lvsdDirector, lvsdDirectorConns+ratesAfter).kind != absent && !d.narrow; to.HasRates {
		for i := range cells {
			cells[i] = number(lvsdDirectorConns + ratesAfter + i)
		}
		to.Rates = dataplane.Rates(countersOf(cells))
	}
}

// dateAndTime reads a DateAndTime (RFC 2579): eight octets, or eleven with the
// zone. No time is the zero Time.
func dateAndTime(v value) time.Time {
	b := v.text
	if len(b) != 8 && len(b) != 11 || !slices.ContainsFunc(b[:8], func(x byte) bool { return x != 0 }) {
		return time.Time{}
	}
	t := time.Date(int(b[0])<<8|int(b[1]), time.Month(b[2]), int(b[3]), int(b[4]), int(b[5]), int(b[6]), int(b[7])*1e8, time.UTC)
	if len(b) == 11 {
		offset := time.Duration(b[9])*time.Hour + time.Duration(b[10])*time.Minute
		if b[8] == '-' {
			offset = -offset
		}
		t = t.Add(-offset)
	}
	return t
}
