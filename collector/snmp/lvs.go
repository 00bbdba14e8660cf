package snmp

import (
	"context"
	"fmt"
	"slices"

	"lvs/dataplane"
)

// lvsRoot is lvs in the LVS-MIB.
const lvsRoot = ".1.3.6.1.4.1.8225.4711"

// The scalars of the LVS-MIB, by what is kept of them.
const (
	lvsVersion = iota
	lvsNumServices
	lvsHashTableSize
	lvsTCPTimeout
	lvsTCPFinTimeout
	lvsUDPTimeout
	lvsDaemonState
	lvsMcastInt
	numLVSScalars
)

var lvsScalars = func() (names []string) {
	for i := range numLVSScalars {
		names = append(names, fmt.Sprintf("%s.%d.0", lvsRoot, i+1))
	}
	return names
}()

// The columns of lvsServiceTable. lvsServiceNumber (1) is left out: it is the
// index.
const (
	lvsServiceSchedType      = 2
	lvsServiceProto          = 3
	lvsServiceAddr           = 4
	lvsServicePort           = 5
	lvsServiceFWMark         = 6
	lvsServicePersistTimeout = 7
	lvsServicePersistNetmask = 8
	lvsServiceNumDests       = 9
	lvsServiceStatsConns     = 10 // and nine more
)

// The columns of lvsRealTable, without the two that are its index.
const (
	lvsRealServerAddr   = 3
	lvsRealServerPort   = 4
	lvsRealServerFlags  = 5
	lvsRealServerWeight = 6
	lvsRealStatsConns   = 7 // and nine more
)

var (
	lvsServices = tableSpec{name: "lvsServiceTable", entry: lvsRoot + ".17.1", cols: append([]int{
		lvsServiceProto, lvsServiceAddr, lvsServicePort, lvsServiceFWMark, lvsServiceSchedType,
		lvsServicePersistTimeout, lvsServicePersistNetmask, lvsServiceNumDests}, tenFrom(lvsServiceStatsConns)...)}
	lvsReals = tableSpec{name: "lvsRealTable", entry: lvsRoot + ".18.1", cols: append([]int{
		lvsRealServerAddr, lvsRealServerPort, lvsRealServerFlags, lvsRealServerWeight}, tenFrom(lvsRealStatsConns)...)}
	// lvsKeys are what identifies a service.
	lvsKeys = tableSpec{name: "lvsServiceTable", entry: lvsRoot + ".17.1",
		cols: []int{lvsServiceProto, lvsServiceAddr, lvsServicePort, lvsServiceFWMark}}
)

func tenFrom(sub int) (cols []int) {
	for i := range 10 {
		cols = append(cols, sub+i)
	}
	return cols
}

// narrow leaves out the columns of Counter64, which SNMPv1 does not have and some
// agents go through one by one when asked for.
func (s tableSpec) narrow(first int) *tableSpec {
	s.cols = slices.DeleteFunc(slices.Clone(s.cols), func(sub int) bool { return sub == first+3 || sub == first+4 })
	return &s
}

func anyThere(values []value) bool {
	return slices.ContainsFunc(values, func(v value) bool { return v.kind != absent })
}

// readLVS reads the LVS-MIB. Real servers are named by the number of their
// service only, and old agents number anew whenever one comes or goes: so the
// services are read again behind them. So are scalars of which there was none: a
// subagent may have come in between.
func (p *Poller) readLVS(ctx context.Context, last bool) (*dataplane.Snapshot, error) {
	services, reals := &lvsServices, &lvsReals
	if p.cfg.Auth.Version == 1 {
		services, reals = lvsServices.narrow(lvsServiceStatsConns), lvsReals.narrow(lvsRealStatsConns)
	}
	scalars, err := p.client.scalars(ctx, lvsScalars)
	if err != nil {
		return nil, err
	}
	release, err := p.slot(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	serviceTable, err := p.table(ctx, services, p.memory.services)
	if err != nil {
		return nil, err
	}
	realTable, err := p.table(ctx, reals, p.memory.reals)
	if err != nil {
		return nil, err
	}
	again, err := p.table(ctx, &lvsKeys, len(serviceTable.index))
	if err != nil {
		return nil, err
	}
	if !sameServices(serviceTable, again) {
		return nil, fmt.Errorf("%s: %w: services moved", services.name, ErrChanged)
	}
	if !anyThere(scalars) {
		if scalars, err = p.client.scalars(ctx, lvsScalars); err != nil {
			return nil, err
		}
		if anyThere(scalars) {
			return nil, fmt.Errorf("%w: a subagent came", ErrChanged)
		}
		if len(serviceTable.index) == 0 {
			return nil, ErrNoModule
		}
	}
	d := &lvsDecoder{snap: &dataplane.Snapshot{Counters32: true}, services: serviceTable, reals: realTable}
	d.director(scalars)
	if err := d.decode(); err != nil {
		return nil, err
	}
	if d.miscounted && !last {
		return nil, fmt.Errorf("%s: %w: services claim to have other numbers of real servers", reals.name, ErrChanged)
	}
	if d.miscounted { // it was read often enough: the agent's numbers mean something else
		d.snap.Inconsistent = 1
	}
	p.stats.omitted.Store(int64(d.omitted))
	return d.snap, nil
}

// sameServices reports whether two readings have the same services in the same
// places.
func sameServices(a, b *table) bool {
	if !slices.Equal(a.index, b.index) {
		return false
	}
	for i := range a.index {
		for _, sub := range b.spec.cols {
			v, w := a.row(i).cell(sub), b.row(i).cell(sub)
			if v.num != w.num || string(v.text) != string(w.text) {
				return false
			}
		}
	}
	return true
}
