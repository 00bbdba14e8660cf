package main

import (
	"context"

	"lvs/collector/snmp"
	"lvs/internal/bench/fleetbench"
)

// The director and the fleet that are read.
const (
	polledReals    = 1000
	fleetDirectors = 500
	fleetReals     = 200
)

// fleet measures reading directors over SNMP.
func fleet(ctx context.Context) ([]figure, error) {
	polls, err := fleetbench.PollDirector(ctx, polledReals)
	if err != nil {
		return nil, err
	}
	var figures []figure
	for _, module := range []snmp.Module{snmp.LVS, snmp.Director} {
		p := polls[module]
		figures = append(figures, figure{name: "poll of 1,000 real servers, module " + module.String(), ours: ms(p.Ours), peer: ms(p.Walk), unit: "ms", limit: 0.35, peerName: "gosnmp BulkWalk"})
	}
	for _, module := range []snmp.Module{snmp.LVS, snmp.Director} {
		f, err := fleetbench.RunFleet(ctx, fleetDirectors, fleetReals, module.String())
		if err != nil {
			return figures, err
		}
		name := "500 directors × 200, 10 s, module " + module.String() + ": "
		figures = append(figures,
			figure{name: name + "CPU", ours: f.Cores, unit: "cores", limit: 1},
			figure{name: name + "RSS at most", ours: float64(f.RSS) / 1e6, unit: "MB", limit: 512},
			figure{name: name + "polls late, lost or partial", ours: float64(f.Lost), unit: "", limit: 0},
			figure{name: name + "real servers missing", ours: float64(fleetDirectors*fleetReals - f.Reals), unit: "", limit: 0},
		)
	}
	return figures, nil
}
