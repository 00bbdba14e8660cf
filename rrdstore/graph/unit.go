package graph

import (
	"math"
	"strconv"
	"strings"
)

// A Unit is the name of what values count. Those that end in "/s" are rates,
// whose sum over time is a total in the unit before it. Values are shown with the
// prefixes of the SI, in thousands, never in 1024s.
type Unit string

// The units of the sources a store keeps.
const (
	BytesPerSecond       Unit = "bytes/s"
	BitsPerSecond        Unit = "bits/s"
	PacketsPerSecond     Unit = "packets/s"
	ConnectionsPerSecond Unit = "connections/s"
	ConnectionCount      Unit = "connections"
	BytesPerPacket       Unit = "bytes/packet"
	Weight               Unit = "weight"
)

// total is the unit of sums over time; ok is false for what has none.
func (u Unit) total() (name string, ok bool) { return strings.CutSuffix(string(u), "/s") }

// prefixes of 1000^0 to 1000^8.
var prefixes = [...]string{"", "k", "M", "G", "T", "P", "E", "Z", "Y"}

// siText is v with four digits that count and its prefix, "12.18 M". Small values
// are written out ("0.0512"), not in thousandths: an "m" reads as millions.
func siText(v float64) string {
	a := math.Abs(v)
	switch {
	case math.IsNaN(v):
		return "–"
	case a == 0:
		return "0"
	case a < 1e-4 || a >= 999.95*math.Pow10(3*(len(prefixes)-1)):
		return strconv.FormatFloat(v, 'e', 2, 64)
	case a < 1:
		return strconv.FormatFloat(v, 'f', 2-int(math.Floor(math.Log10(a))), 64)
	case a < 999.95 && v == math.Trunc(v):
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	p := 0
	for a >= 999.95 {
		a, v, p = a/1000, v/1000, p+1
	}
	digits := 3
	switch {
	case a >= 99.995:
		digits = 1
	case a >= 9.9995:
		digits = 2
	}
	text := strconv.FormatFloat(v, 'f', digits, 64)
	if p > 0 {
		text += " " + prefixes[p]
	}
	return text
}

// trimZeros drops zeros at the end of a decimal fraction.
func trimZeros(s string) string {
	if strings.Contains(s, ".") {
		s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	return s
}
