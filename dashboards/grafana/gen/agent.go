package main

// agentSampling is how reading the kernel goes. An exporter that asks directors by
// SNMP is told how many readings went wrong, and no more: other panels say n/a.
func agentSampling() []view {
	quantile := func(family string) string {
		return "histogram_quantile(0.99, sum by (le) (rate(" + family + "_bucket[$__rate_interval])))"
	}
	mean := func(family string) string {
		return "rate(" + family + "_sum[$__rate_interval]) / rate(" + family + "_count[$__rate_interval])"
	}
	return []view{
		timeline("Parts of the agent", "Whether each part of the agent works; the others go on meanwhile.", upDown,
			query{expr: "lvs_agent_component_up", legend: "{{component}}"}).sized(12, 8),
		chart("Age of snapshot", "How old what is shown here is, and the interval of sampling, which it should hardly exceed.", "s",
			query{expr: "lvs_agent_snapshot_age_seconds", legend: "age"},
			query{expr: "lvs_agent_sample_interval_seconds", legend: "interval"}),
		chart("Reading the table", "How long reading the kernel's table took.", "s",
			query{expr: mean("lvs_agent_sample_duration_seconds"), legend: "mean"},
			query{expr: quantile("lvs_agent_sample_duration_seconds"), legend: "99 of 100"}),
		chart("Writing the history", "How long it took until a sample was durable.", "s",
			query{expr: mean("lvs_agent_store_commit_duration_seconds"), legend: "mean"},
			query{expr: quantile("lvs_agent_store_commit_duration_seconds"), legend: "99 of 100"}),
		chart("Samples that went wrong", "Samples per second that failed, by stage; those that began late or were left out; and tables that moved under the reading.", "cps",
			query{expr: "sum by (stage) (rate(lvs_agent_sample_errors_total[$__rate_interval]))", legend: "failed: {{stage}}"},
			query{expr: "rate(lvs_agent_late_ticks_total[$__rate_interval])", legend: "late"},
			query{expr: "rate(lvs_agent_skipped_ticks_total[$__rate_interval])", legend: "left out"},
			query{expr: "rate(lvs_agent_dump_retries_total[$__rate_interval])", legend: "read again"},
			query{expr: "rate(lvs_agent_inconsistent_dumps_total[$__rate_interval])", legend: "inconsistent"}),
	}
}

// agentWindows is how what was read reaches those who want to see it.
func agentWindows() []view {
	return []view{
		chart("Store", "Size of the history on the disk, and what it may be at most; the oldest makes room.", "bytes",
			query{expr: "lvs_agent_store_bytes", legend: "store"},
			query{expr: "lvs_agent_store_limit_bytes > 0", legend: "limit"}),
		chart("Samples lost on the way", "Samples per second that a receiver was too slow for or refused, that the store could not write, or that were shown before they were durable.", "cps",
			query{expr: "sum by (sink) (rate(lvs_agent_sink_dropped_total[$__rate_interval]))", legend: "dropped: {{sink}}"},
			query{expr: "sum by (sink) (rate(lvs_agent_sink_errors_total[$__rate_interval]))", legend: "refused: {{sink}}"},
			query{expr: "rate(lvs_agent_store_commit_errors_total[$__rate_interval])", legend: "not stored"},
			query{expr: "rate(lvs_agent_store_late_commits_total[$__rate_interval])", legend: "stored late"}),
		chart("Answers by SNMP", "Requests per second: those of managers, by version, those of the master agent, by result, and datagrams that were not answered, by reason.", "reqps",
			query{expr: "rate(lvs_agent_snmp_requests_total[$__rate_interval])", legend: "managers, version {{version}}"},
			query{expr: "sum by (result) (rate(lvs_agent_agentx_requests_total[$__rate_interval]))", legend: "master agent: {{result}}"},
			query{expr: "rate(lvs_agent_snmp_dropped_total[$__rate_interval])", legend: "not answered: {{reason}}"}),
		chart("Notifications", "Notifications that wait for their targets, and those per second that were sent or lost.", "short",
			query{expr: "lvs_agent_notifications_waiting", legend: "waiting for {{target}}"},
			query{expr: "rate(lvs_agent_notifications_sent_total[$__rate_interval])", legend: "sent to {{target}}"},
			query{expr: "sum by (target, reason) (rate(lvs_agent_notifications_lost_total[$__rate_interval]))", legend: "lost to {{target}}: {{reason}}"}).sized(12, 8),
		chart("Running by configuration", "Differences between configuration and table that somebody else made, by kind; and changes made to the table per second. Nothing for an agent that only observes.", "short",
			query{expr: "lvs_agent_drift_entries", legend: "drift: {{kind}}"},
			query{expr: "rate(lvs_agent_changes_total[$__rate_interval])", legend: "changes: {{result}}"}),
		stat("SNMP master agent", "Whether the subagent has a session with its master agent.", "none", good(),
			query{expr: "lvs_agent_agentx_connected"}).worded(yesNo),
		stat("Configuration taken over", "Whether the configuration file was taken over when it was last read.", "none", good(),
			query{expr: "lvs_agent_config_last_reload_successful"}).worded(yesNo),
		stat("Series left out", "Series of real servers that are not shown because there are more than the limit.", "none", []step{{Color: "green"}, above("orange", 1)},
			query{expr: "sum(lvs_agent_series_suppressed)"}),
		stat("Damaged records", "Records of the store found damaged, and left out, when it was opened.", "none", bad(),
			query{expr: "lvs_agent_store_damaged_records"}),
	}
}
