// Package fleetbench measures lvs-exporter serve: how long reading one director
// takes beside gosnmp's own walk, and what a fleet of them costs.
package fleetbench

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/gosnmp/gosnmp"

	"lvs/collector/snmp"
	"lvs/internal/bench/agentxbench"
)

// rounds is how often each contender reads the director; the least time counts.
const rounds = 7

// A Poll is what reading a director of Variables took at least.
type Poll struct {
	Variables  int
	Ours, Walk time.Duration
}

// columns are those that a module reads of each table.
var columns = map[snmp.Module]map[string][]int{
	snmp.LVS: {".17.1": span(2, 19), ".18.1": span(3, 16)},
	snmp.Director: {
		".100.1.4.5.1": join([]int{3, 4, 7, 17, 24, 44, 46, 47, 48, 49, 50}, span(9, 15), span(32, 41)),
		".100.1.5.5.1": join([]int{3, 4, 7, 38, 40, 41, 42, 43, 44}, span(9, 13), span(15, 20), span(26, 35)),
	},
}

func span(from, to int) (all []int) {
	for i := from; i <= to; i++ {
		all = append(all, i)
	}
	return all
}

func join(parts ...[]int) (all []int) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// PollDirector reads, in turns, a director of so many real servers through a real
// snmpd, by collector/snmp and by gosnmp's BulkWalk of the same columns. It needs
// what agentxbench.Serve does.
func PollDirector(ctx context.Context, reals int) (map[snmp.Module]Poll, error) {
	addr, stop, err := agentxbench.Serve(ctx, reals)
	if err != nil {
		return nil, err
	}
	defer stop()
	all := map[snmp.Module]Poll{}
	for module := range columns {
		p := Poll{Ours: math.MaxInt64, Walk: math.MaxInt64}
		for range rounds {
			ours, err := pollOnce(ctx, addr, module, reals)
			if err != nil {
				return nil, err
			}
			began := time.Now()
			if p.Variables, err = walkOnce(ctx, addr, module); err != nil {
				return nil, err
			}
			p.Ours, p.Walk = min(p.Ours, ours), min(p.Walk, time.Since(began))
		}
		all[module] = p
	}
	return all, nil
}

// pollOnce is a first poll: all columns, with nothing remembered.
func pollOnce(ctx context.Context, addr string, module snmp.Module, reals int) (time.Duration, error) {
	p, err := snmp.New(snmp.Config{Target: addr, Module: module, Timeout: 10 * time.Second})
	if err != nil {
		return 0, err
	}
	defer p.Close()
	snap, err := p.Snapshot(ctx)
	if err != nil {
		return 0, err
	}
	if n := snap.RealServers(); n != reals {
		return 0, fmt.Errorf("%d real servers, want %d", n, reals)
	}
	return snap.Took, nil
}

// walkOnce is what people write with gosnmp.
func walkOnce(ctx context.Context, addr string, module snmp.Module) (variables int, err error) {
	host, port, _ := strings.Cut(addr, ":")
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return 0, err
	}
	g := &gosnmp.GoSNMP{Target: host, Port: uint16(n), Version: gosnmp.Version2c, Community: "public", Timeout: 10 * time.Second, Context: ctx}
	if err := g.Connect(); err != nil {
		return 0, err
	}
	defer g.Close()
	for entry, subs := range columns[module] {
		for _, sub := range subs {
			name := fmt.Sprintf(".1.3.6.1.4.1.8225.4711%s.%d", entry, sub)
			if err := g.BulkWalk(name, func(gosnmp.SnmpPDU) error { variables++; return nil }); err != nil {
				return 0, err
			}
		}
	}
	return variables, nil
}
