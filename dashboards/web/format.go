package web

import (
	"math"
	"strconv"
	"time"
)

// What a cell says where there is no value: it is not known, or cannot be.
const (
	unknown      = "–"
	notAvailable = "n/a"
)

// timeLayout is how times are written: in UTC, for they are also compared.
const timeLayout = "2006-01-02 15:04:05"

// compact writes a number in at most six characters: exactly below 100,000, else
// with three digits and a decimal prefix.
func compact(v uint64) string {
	if v < 100_000 {
		return strconv.FormatUint(v, 10)
	}
	f, prefixes := float64(v)/1000, "kMGTPE"
	for f >= 999.5 && len(prefixes) > 1 {
		f, prefixes = f/1000, prefixes[1:]
	}
	digits := 2
	switch {
	case f >= 99.95:
		digits = 0
	case f >= 9.995:
		digits = 1
	}
	return strconv.FormatFloat(f, 'f', digits, 64) + " " + prefixes[:1]
}

// percent writes the share of part in whole; of nothing there is none.
func percent(part, whole uint64) string {
	if whole == 0 {
		return unknown
	}
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 1, 64) + " %"
}

// share is part in whole as a number; that of nothing sorts first.
func share(part, whole uint64) float64 {
	if whole == 0 {
		return math.Inf(-1)
	}
	return float64(part) / float64(whole)
}

// limited writes a number beside its limit; zero is no limit.
func limited(v, limit uint64) string {
	if limit == 0 {
		return strconv.FormatUint(v, 10)
	}
	return strconv.FormatUint(v, 10) + " / " + strconv.FormatUint(limit, 10)
}

// since writes when something began and why.
func since(t time.Time, why string) string {
	s := unknown
	if !t.IsZero() {
		s = t.UTC().Format(timeLayout)
	}
	if why != "" {
		s += ", " + why
	}
	return s
}
