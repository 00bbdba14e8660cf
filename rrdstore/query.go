package rrdstore

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// A Function is a consolidation function: how the primary data points of an
// interval become one value. They are RRDtool's.
type Function uint8

// The consolidation functions.
const (
	Average Function = iota // the mean of the known data points
	Min                     // the least of them
	Max                     // the greatest
	Last                    // the last data point, unknown if that is
	numFunctions
)

var functionNames = [numFunctions]string{"AVERAGE", "MIN", "MAX", "LAST"}

// String is the name as RRDtool writes it, "AVERAGE".
func (f Function) String() string {
	if f < numFunctions {
		return functionNames[f]
	}
	return fmt.Sprintf("function %d", uint8(f))
}

// ParseFunction reads a function's name in any case.
func ParseFunction(s string) (Function, error) {
	for f, name := range functionNames {
		if strings.EqualFold(s, name) {
			return Function(f), nil
		}
	}
	return 0, fmt.Errorf("no consolidation function %q; there are %s", s, strings.Join(functionNames[:], ", "))
}

// A Kind says how a source's raw values become data points.
type Kind uint8

const (
	// Gauge values are taken as they are.
	Gauge Kind = iota
	// Counter values only grow; a data point is by how much in a second. A
	// decrease makes the interval unknown, as RRDtool's DERIVE with minimum 0.
	Counter
)

// String is "gauge" or "counter".
func (k Kind) String() string {
	if k == Counter {
		return "counter"
	}
	return "gauge"
}

// A Source is one of the quantities kept of a series: a data source in RRDtool's
// words, a column here.
type Source struct {
	Name string // "in_bytes"; lower case letters, digits and _
	Kind Kind
}

// The sources kept of every service and real server, and of the director as far
// as it has them: of the gauges only active, its connections. Imports may bring
// others.
var standardSources = [...]Source{
	{"connections", Counter}, {"in_packets", Counter}, {"out_packets", Counter}, {"in_bytes", Counter}, {"out_bytes", Counter},
	{"active", Gauge}, {"inactive", Gauge}, {"persistent", Gauge}, {"weight", Gauge},
}

// StandardSources are the sources kept of everything, in the order of columns.
func StandardSources() []Source { return append([]Source(nil), standardSources[:]...) }

// ResetSource is the name of one more source: 1 for a data point in which the
// kernel's counters began anew, 0 otherwise. It is read only where asked for.
const ResetSource = "resets"

// DefaultXFF is the share of unknown data points up to which an interval is
// known, where a Query does not tell.
const DefaultXFF = 0.5

// A Query asks for consolidated history.
type Query struct {
	// Series are whose, each once; of the same Reader, from its Series.
	Series []*Series
	// Sources are which, by name; nil is the standard ones and all that imports
	// brought for those series. A name that no series has is an error.
	Sources []string
	// Functions are how; nil is Average alone.
	Functions []Function
	// Start and End are RRDtool's: rows are the intervals that end after Start
	// rounded down to the step, up to and including the one in which End is or
	// which begins there.
	Start, End time.Time
	// Resolution is the wanted step. It is met exactly wherever there is data
	// fine enough whose step divides it; otherwise the step is the nearest there
	// is. Zero is the finest that covers Start.
	Resolution time.Duration
	// XFF is the share of unknown data points, from 0 to below 1, above which an
	// interval is unknown; nil is DefaultXFF.
	XFF *float64
}

// A Result is what a Query found: columns of values on one grid of times.
type Result struct {
	// Start is where the first interval begins, a multiple of Step since 1970.
	Start time.Time
	Step  time.Duration
	Rows  int
	// Columns are in the order of the query's series, then of sources, then of
	// functions.
	Columns []Column
}

// A Column is what was found of one source of one series.
type Column struct {
	Series   *Series
	Source   Source
	Function Function
	// Values has one for each of the result's rows: per second for a Counter.
	// NaN is unknown.
	Values []float64
}

// Time is the end of row i's interval, by which RRDtool names it.
func (r *Result) Time(i int) time.Time { return r.Start.Add(time.Duration(i+1) * r.Step) }

// End is the end of the last row.
func (r *Result) End() time.Time { return r.Time(r.Rows - 1) }

// Known reports whether v is a value.
func Known(v float64) bool { return !math.IsNaN(v) }
