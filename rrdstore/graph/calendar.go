package graph

import "time"

// A period is a stretch of the calendar that ticks follow each other by.
type period struct {
	n    int
	unit calendarUnit
}

type calendarUnit uint8

const (
	seconds calendarUnit = iota // n divides a day
	days                        // n is 1
	weeks                       // on Mondays, counted from 5 January 1970
	months                      // n divides 12
	years
)

// nominal is how long a period is in seconds, more or less.
func (p period) nominal() float64 {
	const day = 24 * 3600
	return float64(p.n) * [...]float64{1, day, 7 * day, 30 * day, 365 * day}[p.unit]
}

// ticks are the beginnings of periods from start to end, by the clocks of their
// zone: clocks that are put forward or back shift no tick after it, a time that
// is skipped has none and an hour that comes twice has them twice.
func (p period) ticks(start, end time.Time) []time.Time {
	if p.unit == seconds {
		return clockTicks(start, end, int64(p.n))
	}
	var all []time.Time
	y, m, d := start.Date()
	switch p.unit {
	case weeks:
		const monday = 4 // days after 1 January 1970
		d -= mod(int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix()/(24*3600))-monday, 7*p.n)
	case months:
		m, d = m-(m-1)%time.Month(p.n), 1
	case years:
		y, m, d = y-mod(y, p.n), time.January, 1
	}
	for {
		t := midnight(y, m, d, start.Location())
		if t.After(end) {
			return all
		}
		if !t.Before(start) && (len(all) == 0 || t.After(all[len(all)-1])) {
			all = append(all, t)
		}
		switch p.unit {
		case days:
			d++
		case weeks:
			d += 7 * p.n
		case months:
			m += time.Month(p.n)
		case years:
			y += p.n
		}
	}
}

// clockTicks are the times from start to end at which the seconds since the
// clock's midnight are a multiple of n. Between two changes of the clocks these
// are evenly spaced.
func clockTicks(start, end time.Time, n int64) []time.Time {
	var all []time.Time
	for t := start; ; {
		_, until := t.ZoneBounds()
		_, offset := t.Zone()
		wall := ceil(t, n, int64(offset))
		for ; ; wall += n {
			tick := time.Unix(wall-int64(offset), 0).In(start.Location())
			if tick.After(end) {
				return all
			}
			if !until.IsZero() && !tick.Before(until) {
				break
			}
			all = append(all, tick)
		}
		t = until
	}
}

// ceil is the first second of the clock at or after t that is a multiple of n.
func ceil(t time.Time, n, offset int64) int64 {
	wall := t.Unix() + offset
	if t.Nanosecond() > 0 {
		wall++
	}
	if r := wall % n; r > 0 {
		return wall + n - r
	} else {
		return wall - r
	}
}

// midnight is when the day begins: at 00:00, the first of two, or where clocks
// are put forward then, at the first time there is.
func midnight(y int, m time.Month, d int, zone *time.Location) time.Time {
	t := time.Date(y, m, d, 0, 0, 0, 0, zone)
	since, until := t.ZoneBounds()
	if h, min, sec := t.Clock(); h*3600+min*60+sec != 0 {
		// There is no 00:00, and Go names a time before or after the gap.
		if h >= 12 {
			return until
		}
		return since
	}
	if since.IsZero() {
		return t
	}
	_, before := since.Add(-1).Zone()
	_, after := t.Zone()
	if first := t.Add(time.Duration(after-before) * time.Second); first.Before(since) {
		return first
	}
	return t
}

func mod(a, n int) int { return ((a % n) + n) % n }
