package web

import (
	"encoding/csv"
	"io"
	"strconv"

	"lvs/dataplane"
)

// csvHeader is stable: columns are only ever added at its end.
var csvHeader = []string{"time", "service", "real", "name", "state", "reason", "last_change", "scheduler", "forwarding_method",
	"weight", "active_connections", "inactive_connections", "upper_threshold", "connections_per_second", "in_bytes_per_second", "out_bytes_per_second",
	"connections", "in_packets", "out_packets", "in_bytes", "out_bytes"}

// CSV writes a snapshot as one line per service and real server, exact where the
// page rounds. What is unknown or not available is empty. What went from the table
// is not in it.
func CSV(w io.Writer, s *dataplane.Snapshot) error {
	out := csv.NewWriter(w)
	out.Write(csvHeader) // errors are kept for Flush
	t := NewTable(s, nil, Agent{})
	for row := range t.rows() {
		if !row.Gone {
			out.Write(row.record(s))
		}
	}
	out.Flush()
	return out.Error()
}

// record is a row's line.
func (r *Row) record(s *dataplane.Snapshot) []string {
	number := func(v uint64) string { return strconv.FormatUint(v, 10) }
	rates, has, account, reason := r.Service.Rates, r.Service.HasRates, &r.Service.Account, r.Service.Reason()
	active, inactive, _ := r.Service.Connections()
	weight, limit, method, bypass := r.Weights, "", "", r.bypass
	if r.Real != nil {
		rates, has, account, reason = r.Real.Rates, r.Real.HasRates, &r.Real.Account, r.Real.Reason()
		active, inactive, weight, method = uint64(r.Real.Active), uint64(r.Real.Inactive), uint64(r.Real.Weight), r.Real.Method.String()
		if r.Real.UpperThreshold > 0 {
			limit = number(uint64(r.Real.UpperThreshold))
		}
	}
	line := []string{stamp(s.Tick), r.Key(), r.RIP(), r.Label(), r.Status.String(), reason, stamp(account.LastChange), r.Service.Scheduler, method,
		number(weight), number(active), number(inactive), limit}
	known := func(is bool, v uint64) {
		if is {
			line = append(line, number(v))
		} else {
			line = append(line, "")
		}
	}
	has = has && !s.Partial
	known(has, rates.Connections)
	known(has, rates.InBytes)
	known(has && !bypass, rates.OutBytes)
	known(!s.Partial, account.Total.Connections)
	known(!s.Partial, account.Total.InPackets)
	known(!s.Partial && !bypass, account.Total.OutPackets)
	known(!s.Partial, account.Total.InBytes)
	known(!s.Partial && !bypass, account.Total.OutBytes)
	return line
}
