package history

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// TimeForms says how times are written, for help and errors.
const TimeForms = `2026-11-20T08:00:00Z, local 2026-11-20T08:00, 2026-11-20 or 20261120, seconds since 1970, now, ` +
	`08:00, noon or midnight with or without a day (yesterday, monday, nov 20, 20.11.2026, 11/20/2026), start or end, ` +
	`and before or after any of them a span: -90m, end-1week, start+2h, now-1month, midnight-1d12h`

// ParseRange reads two times. Local forms are in now's location; either may be
// relative to the other, as in rrdtool: "end-1week" or "start+2h".
//
// It reads what rrdtool's at-style does, with three differences: a number alone
// is seconds, never an hour; m is minutes and mon months, whatever the number;
// and a day needs no time of day.
func ParseRange(start, end string, now time.Time) (from, to time.Time, err error) {
	s, err := parseMoment(start, now)
	if err != nil {
		return from, to, fmt.Errorf("start: %w", err)
	}
	e, err := parseMoment(end, now)
	switch {
	case err != nil:
		return from, to, fmt.Errorf("end: %w", err)
	case s.anchor == atStart:
		return from, to, fmt.Errorf("start: time %q is relative to itself", start)
	case e.anchor == atEnd:
		return from, to, fmt.Errorf("end: time %q is relative to itself", end)
	case s.anchor == atEnd && e.anchor == atStart:
		return from, to, fmt.Errorf("start %q and end %q are relative to each other", start, end)
	case s.anchor == atEnd:
		to = e.time(time.Time{})
		from = s.time(to)
	default:
		from = s.time(time.Time{})
		to = e.time(from)
	}
	switch {
	case from.Unix() < 0 || from.Year() > 9999:
		return from, to, fmt.Errorf("start: time %q is outside the years 1970 to 9999", start)
	case to.Unix() < 0 || to.Year() > 9999:
		return from, to, fmt.Errorf("end: time %q is outside the years 1970 to 9999", end)
	case to.Before(from):
		return from, to, fmt.Errorf("end %s is before start %s", to.Format(time.RFC3339), from.Format(time.RFC3339))
	}
	return from, to, nil
}

// A moment is a time as it was written.
type moment struct {
	anchor              anchor
	reference           time.Time // of atReference
	years, months, days int
	span                time.Duration
}

// An anchor is what a moment's spans are added to.
type anchor uint8

const (
	atReference anchor = iota
	atStart            // of the range
	atEnd
)

// time is the moment, given the range's other end. Days and longer keep the time
// of day, as calendars do; shorter spans are exact.
func (m *moment) time(other time.Time) time.Time {
	t := m.reference
	if m.anchor != atReference {
		t = other
	}
	return t.AddDate(m.years, m.months, m.days).Add(m.span)
}

func parseMoment(s string, now time.Time) (*moment, error) {
	m := &moment{reference: now}
	rest := strings.TrimSpace(strings.ToLower(s))
	if rest == "" {
		return nil, badTime(s)
	}
	rest, ok := m.refer(rest, now)
	if !ok || !m.spans(rest) {
		return nil, badTime(s)
	}
	return m, nil
}

func badTime(s string) error { return fmt.Errorf("time %q: want %s", s, TimeForms) }

var (
	isoForm    = regexp.MustCompile(`^\d{4}-\d\d-\d\d(?:[t _]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:z|[+-]\d\d:\d\d)?)?`)
	numberForm = regexp.MustCompile(`^\d+(?:\.\d+)?`)
	wordForm   = regexp.MustCompile(`^[a-z]+`)
)

// isoLayouts are the forms of isoForm, which has a T for each separator.
var isoLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", time.DateOnly}

// refer takes the reference from the front of text, which leaves spans.
func (m *moment) refer(text string, now time.Time) (rest string, ok bool) {
	if iso := isoForm.FindString(text); iso != "" {
		rest = text[len(iso):]
		iso = strings.ToUpper(strings.NewReplacer(" ", "T", "_", "T").Replace(iso))
		for _, layout := range isoLayouts {
			if t, err := time.ParseInLocation(layout, iso, now.Location()); err == nil {
				m.reference = t
				return rest, true
			}
		}
		return rest, false
	}
	end := strings.IndexAny(text, "+-")
	if end < 0 {
		end = len(text)
	}
	reference, rest := strings.TrimSpace(text[:end]), text[end:]
	switch reference {
	case "", "now", "n":
	case "start", "s":
		m.anchor = atStart
	case "end", "e":
		m.anchor = atEnd
	case "epoch":
		m.reference = time.Unix(0, 0).In(now.Location())
	default:
		if sec, err := strconv.ParseInt(reference, 10, 64); err == nil && !isDate(reference) {
			m.reference = time.Unix(sec, 0).In(now.Location())
			return rest, sec < 1<<40
		}
		m.reference, ok = parseCalendar(reference, now)
		return rest, ok
	}
	return rest, true
}

// units are those of spans. A calendar unit has no fixed length.
var units = []struct {
	names               string
	years, months, days int
	length              time.Duration
}{
	{" s sec second seconds ", 0, 0, 0, time.Second},
	{" m min minute minutes ", 0, 0, 0, time.Minute},
	{" h hr hour hours ", 0, 0, 0, time.Hour},
	{" d day days ", 0, 0, 1, 0},
	{" w wk week weeks ", 0, 0, 7, 0},
	{" mon month months ", 0, 1, 0, 0},
	{" y yr year years ", 1, 0, 0, 0},
}

// spans adds "-1d2h+5min" to m.
func (m *moment) spans(text string) bool {
	sign := 0
	for text = strings.TrimLeft(text, " _,"); text != ""; text = strings.TrimLeft(text, " _,") {
		if text[0] == '-' || text[0] == '+' {
			sign = 1
			if text[0] == '-' {
				sign = -1
			}
			text = strings.TrimLeft(text[1:], " ")
		}
		number := numberForm.FindString(text)
		text = strings.TrimLeft(text[len(number):], " ")
		unit := wordForm.FindString(text)
		text = text[len(unit):]
		if sign == 0 || !m.add(sign, number, unit) {
			return false
		}
	}
	return true
}

// longest is the longest span of hours or less, alone and added up. A Duration has
// room for some more.
const longest = 200 * 365 * 24 * time.Hour

func (m *moment) add(sign int, number, unit string) bool {
	if unit == "" {
		unit = "s"
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || n > 1e9 {
		return false
	}
	for _, u := range units {
		if !strings.Contains(u.names, " "+unit+" ") {
			continue
		}
		if u.length != 0 {
			d := n * float64(u.length)
			if most := float64(longest); d > most || math.Abs(float64(m.span)+float64(sign)*d) > most {
				return false
			}
			m.span += time.Duration(sign) * time.Duration(d)
			return true
		}
		whole := sign * int(n)
		m.years, m.months, m.days = m.years+whole*u.years, m.months+whole*u.months, m.days+whole*u.days
		return n == float64(int(n)) && n <= 1e5
	}
	return false
}

// ParseSpan reads the length of a step: 60s, 5m, 1h, 1d, 1w, 1y (365 days), added
// up as in 1h30m; a number alone is seconds. It is at least one second.
func ParseSpan(s string) (time.Duration, error) {
	var m moment
	if s == "" || strings.ContainsAny(s, "+- ") || !m.spans("+"+strings.ToLower(s)) || m.months != 0 {
		return 0, badSpan(s)
	}
	d := time.Duration(m.years*365+m.days)*24*time.Hour + m.span
	if m.years > 200 || m.days > 200*365 || d < time.Second || d%time.Second != 0 {
		return 0, badSpan(s)
	}
	return d, nil
}

func badSpan(s string) error {
	return fmt.Errorf("%q: want a span of whole seconds as 60s, 5m, 1h, 1d, 1w or 1y; a number alone is seconds", s)
}
