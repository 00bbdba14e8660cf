package history

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func berlin(t testing.TB) *time.Location {
	t.Helper()
	return located(t, "Europe/Berlin")
}

func located(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatalf("the time zones are missing (Debian's tzdata): %v", err)
	}
	return zone
}

func TestParseRangeReadsTimes(t *testing.T) {
	zone := berlin(t)
	now := time.Date(2026, 11, 20, 12, 34, 56, 0, zone) // a Friday
	local := func(month time.Month, day, hour, minute int) time.Time {
		return time.Date(2026, month, day, hour, minute, 0, 0, zone)
	}
	for s, want := range map[string]time.Time{
		"now":                       now,
		"n":                         now,
		"-24h":                      now.Add(-24 * time.Hour),
		"-90m":                      now.Add(-90 * time.Minute),
		"-5m":                       now.Add(-5 * time.Minute),
		"-1h30m":                    now.Add(-90 * time.Minute),
		"-1.5h":                     now.Add(-90 * time.Minute),
		"-3600":                     now.Add(-time.Hour),
		"-7d":                       local(11, 13, 12, 34).Add(56 * time.Second),
		"-30d":                      local(10, 21, 12, 34).Add(56 * time.Second), // an hour more than 30 x 24
		"now-1month":                local(10, 20, 12, 34).Add(56 * time.Second),
		"now - 1 mon 2 days":        local(10, 18, 12, 34).Add(56 * time.Second),
		"-1y":                       time.Date(2025, 11, 20, 12, 34, 56, 0, zone),
		"-1d+2h-5min":               local(11, 19, 14, 29).Add(56 * time.Second),
		"1792487200":                time.Unix(1792487200, 0),
		"0":                         time.Unix(0, 0),
		"17":                        time.Unix(17, 0),
		"epoch+100d":                time.Date(1970, 4, 11, 1, 0, 0, 0, zone),
		"2026-11-20T08:00:00Z":      time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC),
		"2026-11-20T08:00Z":         time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC),
		"2026-11-20t08:00:00+02:00": time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC),
		"2026-11-20T08:00":          local(11, 20, 8, 0),
		"2026-11-20 08:00:07":       local(11, 20, 8, 0).Add(7 * time.Second),
		"2026-11-20":                local(11, 20, 0, 0),
		"2026-11-20T08:00-1h":       local(11, 20, 7, 0),
		"2026-11-20+1w":             local(11, 27, 0, 0),
		"20261120":                  local(11, 20, 0, 0),
		"08:00 20261119":            local(11, 19, 8, 0),
		"20261119 08:00":            local(11, 19, 8, 0),
		"08:00":                     local(11, 20, 8, 0),
		"8am":                       local(11, 20, 8, 0),
		"12:30 pm":                  local(11, 20, 12, 30),
		"12am":                      local(11, 20, 0, 0),
		"24:00":                     local(11, 21, 0, 0),
		"noon":                      local(11, 20, 12, 0),
		"midnight":                  local(11, 20, 0, 0),
		"midnight-1d12h":            local(11, 18, 12, 0),
		"teatime":                   local(11, 20, 16, 0),
		"yesterday":                 local(11, 19, 12, 34).Add(56 * time.Second),
		"noon yesterday":            local(11, 19, 12, 0),
		"Noon Tomorrow":             local(11, 21, 12, 0),
		"midnight monday":           local(11, 16, 0, 0),
		"00:00 sun":                 local(11, 15, 0, 0),
		"mon-1h":                    local(11, 16, 11, 34).Add(56 * time.Second),
		"08:00 nov 3":               local(11, 3, 8, 0),
		"November 3 2025 08:00":     time.Date(2025, 11, 3, 8, 0, 0, 0, zone),
		"11/03/2026":                local(11, 3, 0, 0),
		"3.11.2026":                 local(11, 3, 0, 0),
		"noon_yesterday":            local(11, 19, 12, 0),
	} {
		got, _, err := ParseRange(s, "2027-01-01", now)
		if err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v; want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", " ", "-", "--5h", "-5x", "24h", "2026-13-01", "99999999999999999999", "-99999999d", "-100y", "20261320",
		"31.2.2026", "25:00", "12:60", "13pm", "0am", "noon noon", "monday friday", "nov", "nov 31", "now yesterday", "now 5m", "+", "-1.5d", "midday", "start", "start-1h", "1e9"} {
		if got, _, err := ParseRange(s, "now", now); err == nil {
			t.Errorf("%q: %v, want an error", s, got)
		}
	}
	// A Duration has no room for these.
	for _, s := range []string{"now+3000000h", "now+2000000h+2000000h+2000000h", "now+1000000h+1000000h"} {
		if _, got, err := ParseRange("now", s, now); err == nil {
			t.Errorf("%q: %v, want an error", s, got)
		}
	}
	if _, got, err := ParseRange("now", "now+1700000h-1700000h+1h", now); err != nil || !got.Equal(now.Add(time.Hour)) {
		t.Errorf("there and back: %v, %v", got, err)
	}
}

func TestParseRangeRelatesTheTwo(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct{ start, end, from, to string }{
		{"end-1week", "2026-11-08", "2026-11-01T00:00:00Z", "2026-11-08T00:00:00Z"},
		{"e-1month", "2026-03-31", "2026-03-03T00:00:00Z", "2026-03-31T00:00:00Z"}, // there is no 31st of February
		{"2026-11-01", "start+2h", "2026-11-01T00:00:00Z", "2026-11-01T02:00:00Z"},
		{"-1d", "s+30min", "2026-11-19T12:00:00Z", "2026-11-19T12:30:00Z"},
		{"end", "now", "2026-11-20T12:00:00Z", "2026-11-20T12:00:00Z"},
	} {
		from, to, err := ParseRange(c.start, c.end, now)
		if err != nil || from.Format(time.RFC3339) != c.from || to.Format(time.RFC3339) != c.to {
			t.Errorf("%s to %s: %v to %v, %v; want %s to %s", c.start, c.end, from, to, err, c.from, c.to)
		}
	}
	for _, c := range []struct{ start, end, want string }{
		{"end-1h", "start+1h", "each other"},
		{"now", "end-1h", "itself"},
		{"start-1h", "now", "itself"},
		{"now", "-1h", "is before start"},
		{"-1h", "20", "is before start"},
		{"x", "now", "start: time"},
		{"now", "x", "end: time"},
	} {
		if _, _, err := ParseRange(c.start, c.end, now); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s to %s: %v, want one with %q", c.start, c.end, err, c.want)
		}
	}
}

// sinceNow are times that are counted from the present, or from its day, and dated
// are others, some of them about a change of clocks.
var (
	sinceNow = [][2]string{
		{"now", "now+1h"}, {"n-1d", "now"}, {"-3600", "now"}, {"-1d2h", "now"}, {"-1d 2h", "now"}, {"now - 1 day", "now"}, {"-1w2d3h", "now"},
		{"-7h+1h30min-15min", "now"}, {"-5mon1w2d", "now"}, {"-1y", "now"}, {"-2years", "now"}, {"-1month", "now"}, {"end-1week", "now"},
		{"noon", "noon tomorrow"}, {"noon yesterday", "noon"}, {"midnight", "start+1d"}, {"00:00 yesterday", "00:00"},
		{"midnight monday-1w", "start+1w"}, {"noon sun-2w", "start+1w"}, {"teatime yesterday", "s+1h"},
	}
	dated = [][2]string{
		{"e-1mon", "20260731 00:00"}, {"end-1month", "1784900000"}, {"e-1y", "1772150400"}, {"20261120", "start+2h"}, {"08:00 20261120", "s+1d"},
		{"20261119 08:00", "s+1month"}, {"8am 20261101", "s+1h"}, {"12am 20261101", "s+1h"}, {"12:15 pm 20261101", "s+1h"},
		{"nov 3 2025 08:00", "start+1w"}, {"08:00 nov 3 2025", "start+1w"}, {"11/03/2025", "start+1w"}, {"3.11.2025", "start+1w"},
		{"08:00 11/03/2025", "start+1w"}, {"08:00 3.11.2025", "start+1y"}, {"1700000000", "start+1d"}, {"1700000000-1d", "start+1d"},
		{"02:30 20260329", "s+1h"}, {"20260328 02:30", "s+1d"}, {"20261024 12:00", "s+24h"}, {"20261026 12:00-2d", "s+1h"},
	}
)

// TestParseRangeIsRRDtools asks rrdtool what it takes the same text for. Not asked
// is what goes over a change of clocks where rrdtool is off by the hour that
// "now-1month" is not: "end-1month", and, on such a day, "midnight" to "start+1d".
// What is counted from the present is asked where no clocks are changed.
func TestParseRangeIsRRDtools(t *testing.T) {
	program, err := exec.LookPath("rrdtool")
	if err != nil {
		t.Fatal("rrdtool is missing (Debian's package rrdtool)")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "a.rrd")
	rrdtool := func(zone string, args ...string) string {
		cmd := exec.Command(program, args...)
		cmd.Env = append(os.Environ(), "TZ="+zone)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("rrdtool %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	rrdtool("UTC", "create", file, "--start", "1000000000", "--step", "86400", "DS:a:GAUGE:100000:U:U", "RRA:AVERAGE:0.5:1:10")
	bounds := regexp.MustCompile(`graph_start = (\d+)\n(?s:.*)graph_end = (\d+)\n`)
	for name, ranges := range map[string][][2]string{"Asia/Kolkata": sinceNow, "Europe/Berlin": dated} {
		zone := located(t, name)
		for _, c := range ranges {
			begin := time.Now()
			got := bounds.FindStringSubmatch(rrdtool(name, "graphv", filepath.Join(dir, "a.png"), "--start", c[0], "--end", c[1], "DEF:a="+file+":a:AVERAGE", "LINE1:a"))
			if got == nil {
				t.Fatalf("%s to %s: rrdtool tells no times", c[0], c[1])
			}
			var texts []string // of every second that it may have taken for now
			for now := begin; !now.Truncate(time.Second).After(time.Now()); now = now.Add(time.Second) {
				from, to, err := ParseRange(c[0], c[1], now.In(zone))
				texts = append(texts, fmt.Sprint(from.Unix(), " to ", to.Unix(), " ", err))
			}
			if want := got[1] + " to " + got[2] + " <nil>"; !slices.Contains(texts, want) {
				t.Errorf("%s to %s: %q; rrdtool: %s", c[0], c[1], texts, want)
			}
		}
	}
}

func TestParseSpan(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"60s": time.Minute, "60": time.Minute, "5m": 5 * time.Minute, "5min": 5 * time.Minute, "1h": time.Hour, "1h30m": 90 * time.Minute,
		"1d": 24 * time.Hour, "1w": 7 * 24 * time.Hour, "1y": 365 * 24 * time.Hour, "0.5h": 30 * time.Minute,
	} {
		if got, err := ParseSpan(s); err != nil || got != want {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "0", "-1h", "+1h", "1x", "h", "1mon", "0.5", "201y", "1h-5m", "999999999h", "2000000h2000000h2000000h", "1 h"} {
		if got, err := ParseSpan(s); err == nil {
			t.Errorf("%q: %v, want an error", s, got)
		}
	}
}

// FuzzParseRange holds that what is read lies where promised.
func FuzzParseRange(f *testing.F) {
	f.Add("end-1week", "noon yesterday+2h")
	f.Add("2026-11-20T08:00", "start+1mon2d")
	now := time.Date(2026, 11, 20, 12, 34, 56, 0, time.UTC)
	f.Fuzz(func(t *testing.T, start, end string) {
		from, to, err := ParseRange(start, end, now)
		if err == nil && (to.Before(from) || from.Unix() < 0 || to.Year() > 9999) {
			t.Errorf("%q to %q: %v to %v", start, end, from, to)
		}
	})
}
