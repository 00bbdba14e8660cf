package prom

import (
	"maps"
	"slices"
	"testing"
)

// Why a fleet has none of an agent's own families.
const (
	noObject   = "the LVS-DIRECTOR-MIB has no object for it"
	noTarget   = "the MIB counts notifications over all targets and reasons, and an alert has to name the target"
	ownByFleet = "who reads a fleet has its own"
)

// notOfMembers are the families that are an agent's alone, and why.
var notOfMembers = map[string]string{
	"lvs_agent_agentx_connected":                             "who is asked by way of a master agent has a session",
	"lvs_agent_agentx_malformed_total":                       noObject,
	"lvs_agent_agentx_reconnects_total":                      noObject,
	"lvs_agent_agentx_refused_total":                         noObject,
	"lvs_agent_agentx_requests_total":                        noObject,
	"lvs_agent_build_info":                                   "the MIB tells the version, but neither revision nor compiler",
	"lvs_agent_changes_total":                                noObject,
	"lvs_agent_clock_steps_total":                            noObject,
	"lvs_agent_config_last_reload_success_timestamp_seconds": noObject,
	"lvs_agent_config_last_reload_successful":                noObject,
	"lvs_agent_drift_entries":                                noObject,
	"lvs_agent_dump_retries_total":                           noObject,
	"lvs_agent_notifications_lost_total":                     noTarget,
	"lvs_agent_notifications_sent_total":                     noTarget,
	"lvs_agent_notifications_waiting":                        noObject,
	"lvs_agent_sample_duration_seconds":                      "the MIB tells how long the latest took, which is no distribution",
	"lvs_agent_sample_interval_seconds":                      ownByFleet,
	"lvs_agent_scrape_errors_total":                          ownByFleet,
	"lvs_agent_sink_dropped_total":                           noObject,
	"lvs_agent_sink_errors_total":                            noObject,
	"lvs_agent_snmp_dropped_total":                           noObject,
	"lvs_agent_snmp_requests_total":                          noObject,
	"lvs_agent_snmp_variables_total":                         noObject,
	"lvs_agent_snmp_written_total":                           noObject,
	"lvs_agent_store_commit_duration_seconds":                noObject,
	"lvs_agent_store_damaged_records":                        noObject,
	"lvs_agent_store_put_aside":                              noObject,
}

// TestWhatFleetsLackIsListed has every family of an agent shown of members as well,
// or a reason.
func TestWhatFleetsLackIsListed(t *testing.T) {
	var alone []string
	for _, d := range Descriptions() {
		if !d.OfMembers {
			alone = append(alone, d.Name)
		}
		if d.OfMembers && d.Scope == ScopeAgent && !slices.Contains(toldOfAgents, d.Name) {
			t.Errorf("%s is of members, and is not listed", d.Name)
		}
	}
	if want := slices.Sorted(maps.Keys(notOfMembers)); !slices.Equal(alone, want) {
		t.Errorf("fleets have none of\n%q, listed are\n%q", alone, want)
	}
	for _, name := range toldOfAgents {
		if !slices.ContainsFunc(Descriptions(), func(d MetricDoc) bool { return d.Name == name && d.Scope == ScopeAgent }) {
			t.Errorf("%s is no family of an agent", name)
		}
	}
}
