package mib

import (
	"lvs/dataplane"
	"lvs/mib/smi"
)

// resetEntry is the arc of lvsdAgentResetEntry below the root.
var resetEntry = smi.OID{100, 1, 2, 9, 1}

// A resetRow is a reason, whose row is called by LvsdResetReason's number.
type resetRow struct {
	of     *ResetFigures
	reason dataplane.ResetReason
}

// resetRows are the rows of lvsdAgentResetTable.
func resetRows(v *view) rows[resetRow] {
	rs := rows[resetRow]{index: &index{width: 1}}
	for reason := range dataplane.NumResetReasons {
		rs.packed = append(rs.packed, resetNumber(reason))
		rs.of = append(rs.of, resetRow{&v.figures.Resets, reason})
	}
	return rs
}

// resetNumber is a reason as LvsdResetReason numbers it.
func resetNumber(r dataplane.ResetReason) uint64 { return uint64(r) + 1 }

// resetColumns are the columns of lvsdAgentResetTable.
var resetColumns = always(
	countCol(2, "lvsdAgentResetDirector", func(r resetRow) uint64 { return uint64(r.of.Director[r.reason]) }),
	countCol(3, "lvsdAgentResetServices", func(r resetRow) uint64 { return uint64(r.of.Services[r.reason]) }),
	countCol(4, "lvsdAgentResetReals", func(r resetRow) uint64 { return uint64(r.of.Reals[r.reason]) }),
)
