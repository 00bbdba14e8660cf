package exporter

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/version"

	"lvs/collector/prom"
	"lvs/collector/snmp"
)

// metrics are the exporter's own, of the process and of polling.
type metrics struct {
	process prometheus.Gatherer
	own     *prometheus.Registry
}

// newMetrics describes how polling the fleet fares.
func newMetrics(f *fleet) metrics {
	m := metrics{process: prom.ProcessMetrics(), own: prometheus.NewRegistry()}
	m.own.MustRegister(&fleetCollector{f}, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "lvs_exporter_build_info", Help: "Always 1; the labels say how the exporter was built.",
		ConstLabels: prometheus.Labels{"version": version.Version, "revision": version.GetRevision(), "goversion": version.GoVersion},
	}, func() float64 { return 1 }), prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "lvs_exporter_config_last_reload_successful", Help: "1 if the configuration file was taken over when last read, 0 if it was refused and the previous one stays.",
	}, func() float64 {
		if _, err := f.loading.last(); err != nil {
			return 0
		}
		return 1
	}), prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "lvs_exporter_config_last_reload_success_timestamp_seconds", Help: "When a configuration was last taken over, in seconds since the Unix epoch.",
	}, func() float64 {
		at, _ := f.loading.last()
		return float64(at.UnixMilli()) / 1000
	}))
	return m
}

// Gather returns all families, by name.
func (m metrics) Gather() ([]*dto.MetricFamily, error) {
	return prometheus.Gatherers{m.process, m.own}.Gather()
}

// A fleetCollector tells of each director how polling it fares.
type fleetCollector struct{ *fleet }

func fleetDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("lvs_exporter_"+name, help, append([]string{"director"}, labels...), nil)
}

// The families of a fleetCollector.
var (
	descDuration = fleetDesc("poll_duration_seconds", "How long the last poll of the director took, in seconds.")
	descPolls    = fleetDesc("polls_total", "Polls of the director, failed ones included.")
	descErrors   = fleetDesc("poll_errors_total", "Polls of the director that failed, by reason.", "reason")
	descSkipped  = fleetDesc("polls_skipped_total", "Polls left out because the director did not answer those before.")
	descLate     = fleetDesc("late_polls_total", "Polls that began more than a tenth of the interval late, or for which there was no time.")
	descRequests = fleetDesc("snmp_requests_total", "SNMP requests sent to the director.")
	descRetries  = fleetDesc("snmp_retries_total", "SNMP requests that were repeated.")
	descAgain    = fleetDesc("table_retries_total", "Tables read again because they changed while they were read.")
	descPartial  = fleetDesc("inconsistent_tables_total", "Tables that still changed after the last try.")
	descOmitted  = fleetDesc("omitted_rows", "Services and real servers left out because the LVS-MIB cannot tell their addresses.")
)

// Describe sends the families; see prometheus.Collector.
func (c *fleetCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descDuration, descPolls, descErrors, descSkipped, descLate, descRequests, descRetries, descAgain, descPartial, descOmitted} {
		ch <- d
	}
}

// Collect sends the series; see prometheus.Collector.
func (c *fleetCollector) Collect(ch chan<- prometheus.Metric) {
	for _, m := range c.list() {
		source, poller, sampler := m.source.stats(), m.source.poller.Stats(), m.sampler.Stats()
		gauge := func(d *prometheus.Desc, v float64) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, m.Name)
		}
		counter := func(d *prometheus.Desc, n uint64, labels ...string) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), append([]string{m.Name}, labels...)...)
		}
		gauge(descDuration, source.took.Seconds())
		counter(descPolls, source.polls)
		for _, reason := range snmp.Reasons() {
			counter(descErrors, source.errors[reason], reason)
		}
		counter(descSkipped, source.skipped)
		counter(descLate, sampler.Late+sampler.Skipped)
		counter(descRequests, poller.Requests)
		counter(descRetries, poller.Retries)
		counter(descAgain, sampler.Retries)
		counter(descPartial, sampler.Inconsistent)
		gauge(descOmitted, float64(poller.Omitted))
	}
}
