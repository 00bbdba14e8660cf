package prom

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"

	"lvs/dataplane"
)

// backendLabels are the labels of node_exporter's families, by name.
var backendLabels = []string{"local_address", "local_mark", "local_port", "proto", "remote_address", "remote_port"}

// BackendLabels are the labels that [Options.BackendLabels] may choose from.
func BackendLabels() []string { return slices.Clone(backendLabels) }

// nodeFamilies are those of node_exporter's ipvs collector, with its names, help
// and labels. Their counters are the kernel's, and fall when it starts anew.
func nodeFamilies() []family {
	total := func(name, help string, i int) family {
		return family{MetricDoc{Name: "node_ipvs_" + name, Type: "counter", Scope: ScopeNodeIPVS, Option: optionNodeIPVS, Help: help}, func(s *scrape, c *cells) {
			if s.snap != nil && s.snap.Director.HasStats {
				c.counter(nil, counterOf(&s.snap.Director.Kernel, i), nil)
			}
		}}
	}
	backend := func(name, help string, value func(*nodeRow) uint64) family {
		return family{MetricDoc{Name: "node_ipvs_backend_" + name, Type: "gauge", Labels: backendLabels, Scope: ScopeNodeIPVS, Option: optionNodeIPVS, Help: help}, func(s *scrape, c *cells) {
			for i := range s.nodes.load(s) {
				c.gauge(s.nodes.rows[i].labels, float64(value(&s.nodes.rows[i])))
			}
		}}
	}
	return []family{
		total("connections_total", "The total number of connections made.", 0),
		total("incoming_packets_total", "The total number of incoming packets.", 1),
		total("outgoing_packets_total", "The total number of outgoing packets.", 2),
		total("incoming_bytes_total", "The total amount of incoming data.", 3),
		total("outgoing_bytes_total", "The total amount of outgoing data.", 4),
		backend("connections_active", "The current active connections by local and remote address.", func(r *nodeRow) uint64 { return r.active }),
		backend("connections_inactive", "The current inactive connections by local and remote address.", func(r *nodeRow) uint64 { return r.inactive }),
		backend("weight", "The current backend weight by local and remote address.", func(r *nodeRow) uint64 { return r.weight }),
	}
}

// nodeRows are the rows of node_exporter's three families of backends, made by
// the first of them that is asked for.
type nodeRows struct {
	loaded bool
	rows   []nodeRow
	cells  cells // labels
}

type nodeRow struct {
	values                   [6]string // of backendLabels; empty for those left out
	labels                   []*dto.LabelPair
	active, inactive, weight uint64
}

func (n *nodeRows) reset() {
	n.loaded, n.rows = false, n.rows[:0]
	n.cells.reset()
}

// load makes the rows sorted by their labels, one for each set of them.
func (n *nodeRows) load(s *scrape) []nodeRow {
	if n.loaded {
		return n.rows
	}
	n.loaded = true
	shown := shownLabels(s.opts.BackendLabels)
	for i := range s.services {
		svc := &s.services[i]
		local := localValues(svc.Key)
		for j := range svc.Reals {
			r := &svc.Reals[j]
			row := nodeRow{values: local, active: uint64(r.Active), inactive: uint64(r.Inactive), weight: uint64(r.Weight)}
			row.values[4], row.values[5] = r.RIP.Addr().String(), strconv.Itoa(int(r.RIP.Port()))
			for k, show := range shown {
				if !show {
					row.values[k] = ""
				}
			}
			n.rows = append(n.rows, row)
		}
	}
	slices.SortFunc(n.rows, func(a, b nodeRow) int { return slices.Compare(a.values[:], b.values[:]) })
	n.merge()
	for i := range n.rows {
		n.rows[i].labels = n.pairs(&n.rows[i], shown)
	}
	return n.rows
}

// merge adds up neighbours that look alike.
func (n *nodeRows) merge() {
	kept := n.rows[:0]
	for _, r := range n.rows {
		if last := len(kept) - 1; last >= 0 && kept[last].values == r.values {
			kept[last].active += r.active
			kept[last].inactive += r.inactive
			kept[last].weight += r.weight
			continue
		}
		kept = append(kept, r)
	}
	n.rows = kept
}

func (n *nodeRows) pairs(r *nodeRow, shown [6]bool) []*dto.LabelPair {
	var out [6]*dto.LabelPair
	k := 0
	for i, show := range shown {
		if show {
			out[k] = n.cells.label(&backendLabels[i], r.values[i])
			k++
		}
	}
	return n.cells.labels(out[:k]...)
}

func shownLabels(chosen []string) (shown [6]bool) {
	for i, l := range backendLabels {
		shown[i] = chosen == nil || slices.Contains(chosen, l)
	}
	return shown
}

// localValues are the four labels of the service as node_exporter writes them
// after /proc/net/ip_vs: a firewall mark in hexadecimal, with port 0.
func localValues(k dataplane.ServiceKey) (v [6]string) {
	if k.IsMark() {
		v[1], v[2], v[3] = fmt.Sprintf("%08X", k.FWMark), "0", "FWM"
		return v
	}
	v[0], v[2] = k.VIP.Addr().String(), strconv.Itoa(int(k.VIP.Port()))
	v[3] = strings.ToUpper(k.Protocol.String())
	return v
}
