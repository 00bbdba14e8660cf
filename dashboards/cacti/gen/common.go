package main

import (
	"slices"
	"strings"
)

// bypassed is what there is to know of the outgoing side.
const bypassed = "Outgoing packets and bytes are n/a (they stay 0) with direct routing and tunnels, whose replies bypass the director."

// trafficStore is what a director counts, for anything that it counts for.
func trafficStore(name, title, conns, inPackets, outPackets, inBytes, outBytes string) store {
	return store{name, title, []source{
		{"connections", conns, derive},
		{"in_packets", inPackets, derive},
		{"out_packets", outPackets, derive},
		{"in_bytes", inBytes, derive},
		{"out_bytes", outBytes, derive},
	}}
}

// rateStore is the director's own view of how fast that grows.
func rateStore(name, title, conns, inPackets, outPackets, inBytes, outBytes string) store {
	return store{name, title, []source{
		{"connection_rate", conns, gauge},
		{"in_packet_rate", inPackets, gauge},
		{"out_packet_rate", outPackets, gauge},
		{"in_byte_rate", inBytes, gauge},
		{"out_byte_rate", outBytes, gauge},
	}}
}

// trafficGraphs are the graphs of a trafficStore. Of names, that of the store
// makes theirs; of titles, what it is that is counted and by which MIB.
func trafficGraphs(store, what, of string) []graph {
	g := grapher(strings.TrimSuffix(store, "_traffic"), store, what, of)
	return []graph{
		g("connections_per_second", "new connections", "connections/s", "",
			item{source: "connections", label: "Connections/s", shape: area, colour: blue}),
		g("packets", "packets", "packets/s, outgoing below", bypassed,
			item{source: "in_packets", label: "In", shape: area, colour: green},
			item{source: "out_packets", label: "Out", shape: area, colour: blue, drawn: negative}),
		g("bits", "bits", "bits/s, outgoing below", bypassed,
			item{source: "in_bytes", label: "In", shape: area, colour: green, drawn: bits, told: bits},
			item{source: "out_bytes", label: "Out", shape: area, colour: blue, drawn: negativeBits, told: bits}),
		g("packet_size", "average packet size", "bytes/packet, outgoing below", bypassed,
			item{source: "in_packets", label: "Average packets/s in:"},
			item{source: "out_packets", label: "out:"},
			item{source: "in_bytes", label: "In", shape: area, colour: green, drawn: perFirst, told: perFirst},
			item{source: "out_bytes", label: "Out", shape: area, colour: blue, drawn: negativeSecond, told: perSecond}),
	}
}

// rateGraphs are those of a rateStore.
func rateGraphs(store, what, of string) []graph {
	g := grapher(strings.TrimSuffix(store, "_rates"), store, what, of)
	return []graph{
		g("packet_rates", "rates by the director", "per second, outgoing below", bypassed,
			item{source: "in_packet_rate", label: "Packets in", shape: area, colour: green},
			item{source: "out_packet_rate", label: "Packets out", shape: area, colour: blue, drawn: negative},
			item{source: "connection_rate", label: "Connections", shape: line, colour: orange}),
		g("bit_rates", "bit rates by the director", "bits/s, outgoing below", bypassed,
			item{source: "in_byte_rate", label: "In", shape: area, colour: green, drawn: bits, told: bits},
			item{source: "out_byte_rate", label: "Out", shape: area, colour: blue, drawn: negativeBits, told: bits}),
	}
}

// memberStore is what a service or host consists of.
func memberStore(name, title, reals, available, weight string) store {
	return store{name, title, []source{
		{"real_servers", reals, gauge},
		{"available", available, gauge},
		{"weight", weight, gauge},
	}}
}

// memberGraphs are those of a memberStore.
func memberGraphs(store, what string) []graph {
	g := grapher(strings.TrimSuffix(store, "_members"), store, what, "")
	return []graph{
		g("members", "real servers", "real servers", "",
			item{source: "real_servers", label: "Real servers", shape: area, colour: grey},
			item{source: "available", label: "Available", shape: area, colour: green}),
		g("weight", "weight", "sum of weights", "",
			item{source: "weight", label: "Weight", shape: line, colour: blue}),
	}
}

// changeStore is how often something changed its state, and of these how often it
// went out of service. Both are shown as the totals that they are: they change too
// seldom for a rate to be seen.
func changeStore(name, title, changes, failures string) store {
	return store{name, title, []source{{"changes", changes, gauge}, {"failures", failures, gauge}}}
}

func changeGraph(store, what string) graph {
	return grapher(strings.TrimSuffix(store, "_changes"), store, what, "")("changes", "changes of state", "since first seen", "",
		item{source: "changes", label: "Changes", shape: line, colour: blue},
		item{source: "failures", label: "Failures", shape: line, colour: red})
}

// connectionGraph is that of active, inactive and persistent connections, and
// whatever more is drawn above them.
func connectionGraph(store, what string, more ...item) graph {
	items := append([]item{
		{source: "active", label: "Active", shape: area, colour: green},
		{source: "inactive", label: "Inactive", shape: stack, colour: grey},
		{source: "persistent", label: "Persistent", shape: line, colour: blue},
	}, more...)
	return grapher(strings.TrimSuffix(store, "_connections"), store, what, "")("connections", "active connections", "connections", "", items...)
}

// loosen makes graphs of scalars out of graphs of one store, each of which gets
// those of its scalars that it draws.
func loosen(s store, graphs ...graph) (loose []looseGraph) {
	for _, g := range graphs {
		l := looseGraph{graph: g}
		for _, src := range s.sources {
			if slices.ContainsFunc(g.items, func(it item) bool { return it.source == src.name }) {
				l.scalars = append(l.scalars, store{s.name + "_" + src.name, s.title + " " + strings.ReplaceAll(src.name, "_", " "), []source{src}})
			}
		}
		loose = append(loose, l)
	}
	return loose
}

// grapher makes graphs of one store: the name's end, what the title says of
// what, the axis, the note, the items.
func grapher(prefix, store, what, of string) func(name, title, vertical, note string, items ...item) graph {
	return func(name, title, vertical, note string, items ...item) graph {
		title = what + " " + title
		if of != "" {
			title += " (" + of + ")"
		}
		return graph{name: prefix + "_" + name, title: title, vertical: vertical, store: store, note: note, items: items}
	}
}
