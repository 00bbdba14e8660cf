package graph

import (
	"fmt"
	"slices"
	"strings"

	"lvs/rrdstore"
)

// A Kind is one of the usual pictures, by the name it has on a command line:
// one of the constants, or what Reals and Single make. The zero Kind is none.
type Kind string

// The kinds that show one series.
const (
	// Traffic is what came in, above the axis, and what went out, below, in bytes.
	Traffic Kind = "traffic"
	// Bits is Traffic in bits.
	Bits Kind = "bits"
	// Packets are packets in and out.
	Packets Kind = "packets"
	// Connections are new connections per second.
	Connections Kind = "connections"
	// Active are active and inactive connections.
	Active Kind = "active"
	// Size is how large packets were in the mean, in and out.
	Size Kind = "size"
)

const (
	reals  = "reals"
	single = "source"
	// realsSource is what "reals" shows.
	realsSource = "in_bytes"
)

// Reals is one source of the real servers of a service, one upon the other:
// "reals:active", and "reals" of in_bytes.
func Reals(source string) Kind {
	if source == realsSource {
		return reals
	}
	return reals + ":" + Kind(source)
}

// Single is one source of a series, perhaps one that an import brought:
// "source:temperature".
func Single(source string) Kind { return single + ":" + Kind(source) }

// Kinds are the kinds that have a name without a source, in the order in which
// they are shown.
func Kinds() []Kind {
	return []Kind{Traffic, Bits, Packets, Connections, Active, Size, reals}
}

// ParseKind reads the name of a kind.
func ParseKind(s string) (Kind, error) {
	k := Kind(s)
	if slices.Contains(Kinds(), k) {
		return k, nil
	}
	name, source, ok := strings.Cut(s, ":")
	switch {
	case ok && source != "" && name == reals:
		return Reals(source), nil
	case ok && source != "" && name == single:
		return k, nil
	}
	var names []string
	for _, k := range Kinds() {
		names = append(names, string(k))
	}
	return "", fmt.Errorf("no graph %q; there are %s, %s:SOURCE and %s:SOURCE", s, strings.Join(names, ", "), reals, single)
}

// source is the one that the kind names; empty if it names none.
func (k Kind) source() string {
	if k == reals {
		return realsSource
	}
	_, source, _ := strings.Cut(string(k), ":")
	return source
}

// OfReals reports whether k shows the real servers of a service together, rather
// than one series: its query is to ask for all of them, and for the service as
// well if that is wanted as their sum.
func (k Kind) OfReals() bool { return k == reals || strings.HasPrefix(string(k), reals+":") }

// Query is what a query for this kind is to ask: the picture's own sources and
// those that marks are made of.
func (k Kind) Query() (sources []string, functions []rrdstore.Function) {
	add := func(s string) {
		if s != "" && !slices.Contains(sources, s) {
			sources = append(sources, s)
		}
	}
	for _, p := range k.parts() {
		add(p.source)
		add(p.per)
	}
	add(weightSource)
	add(rrdstore.ResetSource)
	return sources, []rrdstore.Function{rrdstore.Average, rrdstore.Min, rrdstore.Max}
}

// weightSource is the source that tells which real servers are quiesced.
const weightSource = "weight"

// A part is a trace of a kind: where it comes from and how it looks.
type part struct {
	label  string
	source string
	per    string // divided by this source
	factor float64
	below  bool
	style  Style
}

// parts are the traces of a kind, but of real servers the one for each of them.
func (k Kind) parts() []part {
	inOut := func(what string, factor float64) []part {
		return []part{
			{label: "in", source: "in_" + what, factor: factor},
			{label: "out", source: "out_" + what, factor: factor, below: true}}
	}
	switch k {
	case Traffic:
		return inOut("bytes", 1)
	case Bits:
		return inOut("bytes", 8)
	case Packets:
		return inOut("packets", 1)
	case Connections:
		return []part{{label: "new connections", source: "connections", factor: 1}}
	case Active:
		return []part{{label: "active", source: "active", factor: 1}, {label: "inactive", source: "inactive", factor: 1, style: Line}}
	case Size:
		return []part{
			{label: "in", source: "in_bytes", per: "in_packets", factor: 1, style: Line},
			{label: "out", source: "out_bytes", per: "out_packets", factor: 1, style: Line}}
	}
	return []part{{label: k.source(), source: k.source(), factor: 1}}
}

// unit is that of the values shown; gauge says that the source is one.
func (k Kind) unit(gauge bool) Unit {
	switch k {
	case Bits:
		return BitsPerSecond
	case Size:
		return BytesPerPacket
	}
	source := k.parts()[0].source
	switch source {
	case "connections":
		return ConnectionsPerSecond
	case "in_packets", "out_packets":
		return PacketsPerSecond
	case "in_bytes", "out_bytes":
		return BytesPerSecond
	case "active", "inactive", "persistent":
		return ConnectionCount
	case weightSource:
		return Weight
	}
	if gauge {
		return Unit(source)
	}
	return Unit(source + "/s")
}

// heading is the subtitle.
func (k Kind) heading() string {
	switch k {
	case Traffic, Bits:
		return "traffic"
	case Packets:
		return "packets"
	case Size:
		return "packet size"
	case Active:
		return "active and inactive connections"
	case Connections:
		return "new connections"
	}
	what := strings.ReplaceAll(k.source(), "_", " ")
	if k.OfReals() {
		what += " by real server"
	}
	return what
}
