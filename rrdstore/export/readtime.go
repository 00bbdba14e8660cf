package export

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// timeForms are those of RFC 3339 with and without a zone, and with the space that
// spreadsheets and databases put for the T.
var timeForms = []string{
	time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04",
}

// parseTime reads a time of an import, in whole seconds.
func parseTime(s string) (time.Time, error) {
	t, ok := parseUnix(s)
	for i := 0; !ok && i < len(timeForms); i++ {
		var err error
		t, err = time.Parse(timeForms[i], s) // UTC where there is no zone
		ok = err == nil
	}
	if !ok {
		return time.Time{}, fmt.Errorf("time %.80q: want 2026-11-20T08:00:00Z, which is UTC also without the Z, or seconds since 1970", s)
	}
	switch unix := t.Unix(); {
	case unix > 1e11 && unix < 1e13:
		return time.Time{}, fmt.Errorf("time %s is in the year %d: milliseconds? want seconds since 1970", s, t.Year())
	case unix <= 0 || unix > math.MaxUint32:
		return time.Time{}, fmt.Errorf("time %s is not between 1970 and 2106", s)
	}
	return t.UTC().Truncate(time.Second), nil
}

// parseUnix reads seconds since 1970, and cuts off their fraction.
func parseUnix(s string) (time.Time, bool) {
	whole, fraction, has := strings.Cut(s, ".")
	if has && (fraction == "" || strings.Trim(fraction, "0123456789") != "") {
		return time.Time{}, false
	}
	n, err := strconv.ParseUint(whole, 10, 63)
	if err != nil || n > 1<<53 {
		return time.Time{}, false
	}
	return time.Unix(int64(n), 0), true
}
