package rrdstore

import (
	"fmt"
	"math"
	"slices"
	"time"
)

const day = 24 * time.Hour

// A Tier is a resolution at which history is kept besides the rows as they came.
type Tier struct {
	Step time.Duration // of a row; whole seconds
	Keep time.Duration // how long rows are kept
}

// DefaultTiers are a week of minutes, a month of five minutes and two years of
// hours.
func DefaultTiers() []Tier {
	return []Tier{{time.Minute, 7 * day}, {5 * time.Minute, 31 * day}, {time.Hour, 730 * day}}
}

// CheckTiers says what is wrong with a list of tiers: steps are whole seconds,
// each a multiple of the one before and a divisor of the windows they are kept
// in, an hour, a day or a week. A tier may be kept for a shorter time than a finer
// one.
func CheckTiers(tiers []Tier) error {
	for i, t := range tiers {
		switch {
		case t.Step < time.Second || t.Step%time.Second != 0 || t.Step > 364*day:
			return fmt.Errorf("tier %d: step %s is not a whole number of seconds up to 364 days", i+1, t.Step)
		case t.Keep < t.Step || t.Keep > math.MaxUint32*time.Second:
			return fmt.Errorf("tier %d: rows of %s cannot be kept for %s", i+1, t.Step, t.Keep)
		case i > 0 && (t.Step <= tiers[i-1].Step || t.Step%tiers[i-1].Step != 0):
			return fmt.Errorf("tier %d: step %s is not a multiple of the step before, %s", i+1, t.Step, tiers[i-1].Step)
		case spanOf(uint32(t.Step/time.Second))%uint32(t.Step/time.Second) != 0:
			return fmt.Errorf("tier %d: step %s does not divide an hour, a day or a week", i+1, t.Step)
		}
	}
	return nil
}

// usable leaves out the tiers that are finer than the rows come.
func usable(tiers []Tier, step time.Duration) []Tier {
	return slices.DeleteFunc(slices.Clone(tiers), func(t Tier) bool { return t.Step < step })
}

// dataStep is the step of primary data points, in seconds: that of the rows, or
// the longest below it of which every tier's step is a multiple.
func dataStep(step time.Duration, tiers []Tier) uint32 {
	s := uint32(max(step, time.Second) / time.Second)
	if len(tiers) > 0 {
		for first := uint32(tiers[0].Step / time.Second); first%s != 0; {
			s--
		}
	}
	return s
}

// The spans of windows, in seconds: each is a multiple of the one before, and a
// window begins at a multiple of its span since 1970.
var spans = [...]uint32{3600, 86400, 7 * 86400, 364 * 86400}

// spanOf is how long a window of rows with that step is: the shortest that holds
// sixty of them.
func spanOf(step uint32) uint32 {
	for _, s := range spans {
		if step <= s/60 {
			return s
		}
	}
	return spans[len(spans)-1]
}

// A level is a tier as the archive keeps it. Step 0 is the raw rows.
type level struct {
	step uint32
	span uint32 // of its windows; never changes
	keep uint32 // seconds; zero: for ever
	// frontier is the end of the windows that are complete: what is later is made
	// from the level below when it is asked for.
	frontier uint32
	// first is where the oldest rows begin that an import brought, whether anything
	// is known of them or not; zero: none were. It makes a level cover as much as
	// RRDtool's archive did.
	first uint32
	// fed says that windows are made as time goes by. Others came by an import, or
	// the configuration has them no more.
	fed bool
}

// floor is the beginning of the window that t is in.
func (l *level) floor(t uint32) uint32 { return t - t%l.span }

// addTick is t+d, at most the end of time.
func addTick(t, d uint32) uint32 {
	if t > math.MaxUint32-d {
		return math.MaxUint32
	}
	return t + d
}

// subTick is t-d, at least 0.
func subTick(t, d uint32) uint32 {
	if t < d {
		return 0
	}
	return t - d
}
