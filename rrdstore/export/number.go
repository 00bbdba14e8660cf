package export

import (
	"math"
	"strconv"

	"lvs/rrdstore"
)

var nan = math.NaN()

// appendNumber writes v in the fewest digits that read back as v; see the
// package's remarks on form. It writes nothing for what is no number.
func appendNumber(b []byte, v float64) []byte {
	if !isNumber(v) {
		return b
	}
	if v == 0 {
		return append(b, '0') // and not -0, which some readers take for text
	}
	if a := math.Abs(v); a < 1e-6 || a >= 1e21 {
		return strconv.AppendFloat(b, v, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, v, 'f', -1, 64)
}

// isNumber reports whether v can be written at all.
func isNumber(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// appendValue writes a raw value: an integer in full.
func appendValue(b []byte, v rrdstore.Value) []byte {
	if _, ok := v.Uint(); ok {
		return v.Append(b)
	}
	return appendNumber(b, v.Float())
}
