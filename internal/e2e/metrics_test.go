//go:build lab

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// families are the metrics of one scrape by name.
type families map[string]*dto.MetricFamily

// metrics scrapes the text format, as a browser and promtool see it.
func (a *agent) metrics(query string) families {
	a.t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	f, err := parser.TextToMetricFamilies(bytes.NewReader(a.get("/metrics" + query)))
	if err != nil {
		a.t.Fatalf("/metrics: %v", err)
	}
	return f
}

// protobuf scrapes the format that Prometheus asks for first.
func (a *agent) protobuf() families {
	a.t.Helper()
	format := expfmt.NewFormat(expfmt.TypeProtoDelim)
	body, err := a.ask(http.MethodGet, "/metrics", string(format))
	if err != nil {
		a.t.Fatal(err)
	}
	out := families{}
	for d := expfmt.NewDecoder(bytes.NewReader(body), format); ; {
		f := &dto.MetricFamily{}
		switch err := d.Decode(f); {
		case errors.Is(err, io.EOF):
			return out
		case err != nil:
			a.t.Fatalf("/metrics as protobuf: %v", err)
		}
		out[f.GetName()] = f
	}
}

// metricColumns are the metrics of a table's columns, behind lvs_service_ and
// lvs_real_server_.
var metricColumns = map[string]string{
	"connections_total": "connections", "incoming_packets_total": "in_packets", "outgoing_packets_total": "out_packets",
	"incoming_bytes_total": "in_bytes", "outgoing_bytes_total": "out_bytes",
	"connections_active": "active", "connections_inactive": "inactive", "connections_persistent": "persistent", "weight": "weight",
}

// table is the scrape as a table. Without configured names the labels service
// and real are the canonical ones.
func (f families) table() (table, error) {
	tb := table{}
	for suffix, column := range metricColumns {
		for _, prefix := range []string{"lvs_service_", "lvs_real_server_"} {
			family := f[prefix+suffix]
			if family == nil {
				return nil, fmt.Errorf("no %s%s", prefix, suffix)
			}
			for _, m := range family.Metric {
				var r row
				for _, l := range m.Label {
					switch l.GetName() {
					case "service":
						r.service = l.GetValue()
					case "real":
						r.real = l.GetValue()
					default:
						return nil, fmt.Errorf("%s has a label %s", family.GetName(), l.GetName())
					}
				}
				if (r.real != "") != (prefix == "lvs_real_server_") {
					return nil, fmt.Errorf("%s: labels %v", family.GetName(), m.Label)
				}
				v := value(m)
				if v != float64(uint64(v)) {
					return nil, fmt.Errorf("%s of %v is %v", family.GetName(), r, v)
				}
				if err := tb.set(r, column, uint64(v)); err != nil {
					return nil, err
				}
			}
		}
	}
	return tb, nil
}

// value is that of a counter or gauge; parsers without types call it untyped.
func value(m *dto.Metric) float64 {
	switch {
	case m.Counter != nil:
		return m.Counter.GetValue()
	case m.Gauge != nil:
		return m.Gauge.GetValue()
	}
	return m.Untyped.GetValue()
}

// sample is the value of the one series of a family that has all these labels,
// given as name, value, name, value; -1 if there is none.
func (f families) sample(name string, labels ...string) float64 {
	family := f[name]
	if family == nil {
		return -1
	}
	for _, m := range family.Metric {
		have := map[string]string{}
		for _, l := range m.Label {
			have[l.GetName()] = l.GetValue()
		}
		match := true
		for i := 0; i < len(labels); i += 2 {
			match = match && have[labels[i]] == labels[i+1]
		}
		if match {
			return value(m)
		}
	}
	return -1
}

// testMetricsLint asks Prometheus's own judge.
func testMetricsLint(t *testing.T, s *site) {
	cmd := exec.Command("promtool", "check", "metrics")
	cmd.Stdin = strings.NewReader(string(s.get("/metrics")))
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
	protobuf, text := s.protobuf(), s.metrics("")
	for name := range text {
		if protobuf[name] == nil {
			t.Errorf("%s is in the text only", name)
		}
	}
	if len(protobuf) != len(text) || len(text) < 50 {
		t.Errorf("%d families as protobuf, %d as text", len(protobuf), len(text))
	}
}
