package snmp

import (
	"fmt"

	"lvs/dataplane"
)

// Resets are how often the kernel's counters started anew since the director's agent
// was started, by reason: its grand totals, and those of all services and of all
// real servers. Source: lvsdAgentResetTable of the LVS-DIRECTOR-MIB.
type Resets struct {
	Director, Services, Reals dataplane.ResetCounts
}

// lvsdResets is lvsdAgentResetEntry, whose columns for the three begin at 2 and
// whose rows are the reasons from 1 on.
const lvsdResets = lvsdObjects + ".2.9.1"

// resetCells are the names of the table's cells, column by column. They are few and
// known, and so are asked for like scalars.
var resetCells = func() (names []string) {
	for column := range 3 {
		for reason := range dataplane.NumResetReasons {
			names = append(names, fmt.Sprintf("%s.%d.%d", lvsdResets, column+2, reason+1))
		}
	}
	return names
}()

// resets are the table's; nil is of an agent that does not have all of it, as those
// from before there was such a table.
func (s scalarSet) resets() *Resets {
	var r Resets
	for i, name := range resetCells {
		v := s[name]
		if v.kind != number {
			return nil
		}
		counts := [...]*dataplane.ResetCounts{&r.Director, &r.Services, &r.Reals}[i/len(r.Director)]
		counts[i%len(r.Director)] = uint32(v.num)
	}
	return &r
}
