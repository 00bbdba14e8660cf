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
const timeLayout = "2006-01-02 15:04:05 UTC"

// compact writes a number in at most six characters: exactly below 100,000, else
// with a decimal prefix.
func compact(v uint64) string {
	if v < 100_000 {
		return strconv.FormatUint(v, 10)
	}
	return quantity(v, "")
}

// quantity writes a number of a unit with a decimal prefix: "999 B", "1.4 kB",
// "43.7 kB", "437 kB".
func quantity(v uint64, unit string) string {
	if v < 1000 {
		return strconv.FormatUint(v, 10) + " " + unit
	}
	f, prefixes := float64(v)/1000, "kMGTPE"
	for f >= 999.5 && len(prefixes) > 1 {
		f, prefixes = f/1000, prefixes[1:]
	}
	digits := 1
	if f >= 99.95 {
		digits = 0
	}
	return strconv.FormatFloat(f, 'f', digits, 64) + " " + prefixes[:1] + unit
}

// percent writes the share of part in whole with some digits after the point; of
// nothing there is none.
func percent(part, whole uint64, digits int) string {
	if whole == 0 {
		return unknown
	}
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', digits, 64) + " %"
}

// share is part in whole as a number; that of nothing sorts first.
func share(part, whole uint64) float64 {
	if whole == 0 {
		return math.Inf(-1)
	}
	return float64(part) / float64(whole)
}

// hundredths is part in whole, rounded: where a bar of 100 ends.
func hundredths(part, whole uint64) int {
	if whole == 0 {
		return 0
	}
	return int(math.Round(100 * math.Min(float64(part)/float64(whole), 1)))
}

// age writes how long something has been, as people say it: "42 s", "3 min",
// "2 h 10 min", "1 d 4 h", "14 d". The script of the page writes the same.
func age(d time.Duration) string {
	s := max(int64(d/time.Second), 0)
	two := func(n int64, unit string, m int64, lesser string) string {
		text := strconv.FormatInt(n, 10) + " " + unit
		if m > 0 {
			text += " " + strconv.FormatInt(m, 10) + " " + lesser
		}
		return text
	}
	switch {
	case s < 60:
		return two(s, "s", 0, "")
	case s < 3600:
		return two(s/60, "min", 0, "")
	case s < 86400:
		return two(s/3600, "h", s%3600/60, "min")
	case s < 7*86400:
		return two(s/86400, "d", s%86400/3600, "h")
	}
	return two(s/86400, "d", 0, "")
}
