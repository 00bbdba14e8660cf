package export

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"lvs/dataplane"
	"lvs/rrdstore"
)

// A scope is what kind of thing a series is of. Metrics are named after it.
type scope uint8

const (
	scopeDirector scope = iota
	scopeService
	scopeReal
	numScopes
)

var scopes = [numScopes]struct{ prefix, whose string }{
	scopeDirector: {"lvs_director_", "the director"},
	scopeService:  {"lvs_service_", "the service"},
	scopeReal:     {"lvs_real_server_", "the real server"},
}

func scopeOf(s *rrdstore.Series) scope {
	switch {
	case s.Key == (dataplane.ServiceKey{}):
		return scopeDirector
	case s.RIP == (netip.AddrPort{}):
		return scopeService
	}
	return scopeReal
}

// metrics are what the agent's own metrics call the sources, and what they are.
var metrics = map[string]struct{ name, what string }{
	"connections":        {"connections", "Connections"},
	"in_packets":         {"incoming_packets", "Packets from clients"},
	"out_packets":        {"outgoing_packets", "Packets to clients"},
	"in_bytes":           {"incoming_bytes", "Bytes from clients"},
	"out_bytes":          {"outgoing_bytes", "Bytes to clients"},
	"active":             {"connections_active", "Active connections"},
	"inactive":           {"connections_inactive", "Inactive connections"},
	"persistent":         {"connections_persistent", "Persistence templates"},
	"weight":             {"weight", "Weight"},
	rrdstore.ResetSource: {"resets", "Data points in which the kernel's counters began anew (1, else 0)"},
}

// A family is what OpenMetrics calls a MetricFamily.
type family struct {
	name, kind, help string
	suffix           string // of its samples
}

// base is the name of a source's metric without what was done to it. What imports
// brought is kept apart, so that no name of theirs is one of ours.
func base(sc scope, source string) (name, what string) {
	m, ok := metrics[source]
	switch {
	case !ok:
		return scopes[sc].prefix + "imported_" + source, "Imported values of " + source
	case sc == scopeDirector && source == "active":
		return "lvs_connection_table_entries", "Connections in the kernel's connection table"
	}
	return scopes[sc].prefix + m.name, m.what
}

// rawFamily is the agent's own: a total, or a gauge as it was at that time.
func rawFamily(sc scope, src rrdstore.Source) family {
	name, what := base(sc, src.Name)
	help := what + " of " + scopes[sc].whose
	if src.Kind != rrdstore.Counter {
		return family{name, "gauge", help + ".", ""}
	}
	if _, ours := metrics[src.Name]; ours {
		help += ", continued over resets of the kernel's counter"
	}
	return family{name, "counter", help + ".", "_total"}
}

// consolidatedFamily is named as recording rules are, metric:operation: the
// operation is the function with its interval, avg5m, and of counters' rates
// rate5m, rate_max5m. The last value of a gauge is just the gauge.
func consolidatedFamily(sc scope, src rrdstore.Source, f rrdstore.Function, step time.Duration) family {
	if src.Kind == rrdstore.Gauge && f == rrdstore.Last {
		return rawFamily(sc, src)
	}
	name, what := base(sc, src.Name)
	operation := [...]string{rrdstore.Average: "avg", rrdstore.Min: "min", rrdstore.Max: "max", rrdstore.Last: "last"}[f]
	words := [...]string{rrdstore.Average: "average", rrdstore.Min: "least", rrdstore.Max: "greatest", rrdstore.Last: "last"}[f]
	if src.Kind == rrdstore.Counter {
		what += " per second"
		operation = "rate_" + operation
		if f == rrdstore.Average {
			operation = "rate"
		}
	}
	span := spanText(step)
	help := fmt.Sprintf("%s of %s: the %s data point of %s.", what, scopes[sc].whose, words, span)
	if f == rrdstore.Average {
		help = fmt.Sprintf("%s of %s: the average over %s.", what, scopes[sc].whose, span)
	}
	return family{name + ":" + operation + span, "gauge", help, ""}
}

// spanText is a whole number of seconds as Prometheus writes it, "5m".
func spanText(d time.Duration) string {
	for _, u := range []struct {
		name string
		unit time.Duration
	}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}} {
		if d >= u.unit && d%u.unit == 0 {
			return fmt.Sprint(int64(d/u.unit), u.name)
		}
	}
	return fmt.Sprint(int64(d/time.Second), "s")
}

// labels are those of the agent's metrics: the service by its configured name if
// it has one, the real server by its RIP.
func labels(s *rrdstore.Series, names map[dataplane.ServiceKey]string) string {
	sc := scopeOf(s)
	if sc == scopeDirector {
		return ""
	}
	service := names[s.Key]
	if service == "" {
		service = s.Key.String()
	}
	text := `service="` + labelEscapes.Replace(strings.ToValidUTF8(service, "\uFFFD")) + `"}`
	if sc == scopeReal {
		return `{real="` + s.RIP.String() + `",` + text
	}
	return "{" + text
}

var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
