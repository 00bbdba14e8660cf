package exporter

import (
	"strings"

	"lvs/collector/prom"
	"lvs/collector/snmp"
)

// lacks names the families that a module tells nothing of: shown, they would be
// zero and look as if they were measured. Once says that a director is read only
// once, so that nobody counts what the LVS-MIB does not.
func lacks(module snmp.Module, version int, once bool) (names []string) {
	for _, doc := range prom.Descriptions() {
		kernel := strings.Contains(doc.Name, "_kernel_")
		node := strings.HasPrefix(doc.Name, "node_ipvs_")
		total := strings.HasSuffix(doc.Name, "_total") && doc.Name != "lvs_resets_total"
		switch {
		// The agent's own totals, and not those of its kernel.
		case module == snmp.Director && (kernel || node && total):
		case module == snmp.LVS && ofDirector(&doc) && (kernel || total || strings.Contains(doc.Name, "_discontinuity_")):
		case module == snmp.LVS && (strings.Contains(doc.Name, "_connections_active") || strings.Contains(doc.Name, "_connections_inactive") ||
			strings.Contains(doc.Name, "_connections_persistent") || strings.HasSuffix(doc.Name, "_threshold_connections") || strings.HasSuffix(doc.Name, "_peak_connections")):
		case module == snmp.LVS && once && (strings.HasSuffix(doc.Name, "_failures_total") || strings.HasSuffix(doc.Name, "_state_changes_total") ||
			strings.HasSuffix(doc.Name, "_last_change_timestamp_seconds")):
		case module == snmp.LVS && version == 1 && strings.HasSuffix(doc.Name, "_bytes_total"): // of 64 bits
		default:
			continue
		}
		names = append(names, doc.Name)
	}
	return names
}

// ofDirector reports whether the family is of the director's grand totals.
func ofDirector(doc *prom.MetricDoc) bool {
	return strings.HasPrefix(doc.Name, "lvs_director_") || strings.HasPrefix(doc.Name, "node_ipvs_") && len(doc.Labels) == 0
}
