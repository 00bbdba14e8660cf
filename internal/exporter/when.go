package exporter

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// parseTime reads a time of the command line; local forms are in now's location.
func parseTime(s string, now time.Time) (time.Time, error) {
	if s == "now" {
		return now, nil
	}
	if span, ok := strings.CutPrefix(s, "-"); ok {
		d, err := parseSpan(span)
		if err != nil {
			return time.Time{}, badTime(s)
		}
		return now.Add(-d), nil
	}
	if sec, err := strconv.ParseInt(s, 10, 64); err == nil && sec < 1<<40 {
		return time.Unix(sec, 0), nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, form := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(form, s, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, badTime(s)
}

func badTime(s string) error {
	return fmt.Errorf("time %q: want 2026-11-20T08:00:00Z, local 2026-11-20T08:00 or 2026-11-20, seconds since 1970, now, or a span before now as -90m, -24h or -7d", s)
}

// parseSpan is time.ParseDuration with days.
func parseSpan(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err
	}
	d, err := time.ParseDuration(s)
	if err == nil && d < 0 {
		err = fmt.Errorf("span %q is negative", s)
	}
	return d, err
}
