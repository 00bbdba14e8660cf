package main

import "strings"

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
		g("connections_per_second", "connections", "connections/s", "",
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

// grapher makes graphs of one store: the name's end, what the title says of
// what, the axis, the note, the items.
func grapher(prefix, store, what, of string) func(name, title, vertical, note string, items ...item) graph {
	return func(name, title, vertical, note string, items ...item) graph {
		return graph{name: prefix + "_" + name, title: what + " " + title + " (" + of + ")",
			vertical: vertical, store: store, note: note, items: items}
	}
}
