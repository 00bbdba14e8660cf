package rrd

import "fmt"

// A Type says what the raw values of a data source are: RRDtool's DST.
type Type uint8

const (
	// Gauge values are taken as they are.
	Gauge Type = iota
	// Counter values only grow; a decrease is taken for a wrap at 32 or 64 bits.
	Counter
	// Derive values grow and shrink. With a least rate of 0 a decrease makes the
	// interval unknown, which is what a counter that may be reset wants.
	Derive
	// Absolute values are amounts since the update before.
	Absolute
)

var typeNames = [...]string{"GAUGE", "COUNTER", "DERIVE", "ABSOLUTE"}

// String is the type as RRDtool writes it, "GAUGE".
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return fmt.Sprintf("type %d", uint8(t))
}

// A Source says how raw values become data points: RRDtool's DS. The zero
// Source knows nothing, for its Heartbeat is none.
type Source struct {
	Type Type
	// Heartbeat is in seconds: an interval between two updates that is longer is
	// unknown.
	Heartbeat uint32
	// Min and Max bound the rate in a second, of a Gauge the value: an interval
	// with one outside is unknown. NaN is no bound.
	Min, Max float64
}

// A Mark says what else is to be known of an update.
type Mark uint8

const (
	// Unknown is an update without a value, RRDtool's U: the interval before it is
	// unknown, and so is that after it unless the source is a Gauge or Absolute.
	Unknown Mark = 1 << iota
	// Reset says that counters began anew since the update before: their interval
	// is unknown, and the value is what the next one counts from. A Gauge and an
	// Absolute take no notice.
	Reset
)

// Updates are the updates of one data source. The slices that are used have one
// element for each, and are only read.
type Updates struct {
	// Times are in seconds since 1970 and rise. An update that is not later than
	// the one before is passed over with its marks, as RRDtool refuses it.
	Times []uint32
	// Uints are the values, exactly.
	Uints []uint64
	// Floats are the values where Uints is nil, for negative ones and fractions;
	// NaN is Unknown.
	Floats []float64
	// Marks may be nil where there are none.
	Marks []Mark
	// Left says that the next update comes later than the heartbeat after the last
	// one: this makes known what is open there. Otherwise there is no next one.
	Left bool
}

// unknown reports whether update i has no value.
func (u *Updates) unknown(i int) bool {
	return u.Marks != nil && u.Marks[i]&Unknown != 0 || u.Uints == nil && u.Floats[i] != u.Floats[i]
}

// reset reports whether counters began anew before update i.
func (u *Updates) reset(i int) bool { return u.Marks != nil && u.Marks[i]&Reset != 0 }

// value is update i's, rounded above 2^53.
func (u *Updates) value(i int) float64 {
	if u.Uints != nil {
		return float64(u.Uints[i])
	}
	return u.Floats[i]
}
