package graph

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestTicks is about days on which clocks are changed.
func TestTicks(t *testing.T) {
	const layout = "2006-01-02 15:04"
	tests := []struct {
		name, zone, start, end string
		p                      period
		want                   []string // local times and offsets
	}{
		{"put forward", "Europe/Berlin", "2026-03-29 00:00", "2026-03-29 05:00", period{3600, seconds},
			[]string{"29 00:00 +0100", "29 01:00 +0100", "29 03:00 +0200", "29 04:00 +0200", "29 05:00 +0200"}},
		{"put back", "Europe/Berlin", "2026-10-25 00:00", "2026-10-25 05:00", period{3600, seconds},
			[]string{"25 00:00 +0200", "25 01:00 +0200", "25 02:00 +0200", "25 02:00 +0100", "25 03:00 +0100", "25 04:00 +0100", "25 05:00 +0100"}},
		{"three hours across it", "Europe/Berlin", "2026-10-24 22:00", "2026-10-25 08:00", period{3 * 3600, seconds},
			[]string{"25 00:00 +0200", "25 03:00 +0100", "25 06:00 +0100"}},
		{"a zone of half hours", "Asia/Kolkata", "2026-11-20 10:10", "2026-11-20 16:00", period{2 * 3600, seconds},
			[]string{"20 12:00 +0530", "20 14:00 +0530", "20 16:00 +0530"}},
		{"half an hour forward", "Australia/Lord_Howe", "2026-10-04 00:30", "2026-10-04 04:00", period{3600, seconds},
			[]string{"04 01:00 +1030", "04 03:00 +1100", "04 04:00 +1100"}},
		{"half an hour back", "Australia/Lord_Howe", "2026-04-05 00:30", "2026-04-05 03:00", period{1800, seconds},
			[]string{"05 00:30 +1100", "05 01:00 +1100", "05 01:30 +1100", "05 01:30 +1030", "05 02:00 +1030", "05 02:30 +1030", "05 03:00 +1030"}},
		{"days around it", "Europe/Berlin", "2026-10-24 12:00", "2026-10-27 00:00", byDay,
			[]string{"25 00:00 +0200", "26 00:00 +0100", "27 00:00 +0100"}},
		{"no midnight", "America/Sao_Paulo", "2018-11-03 12:00", "2018-11-05 12:00", byDay,
			[]string{"04 01:00 -0200", "05 00:00 -0200"}},
		{"two midnights", "America/Havana", "2026-10-31 12:00", "2026-11-02 12:00", byDay,
			[]string{"01 00:00 -0400", "02 00:00 -0500"}},
		{"a day that was skipped", "Pacific/Apia", "2011-12-29 00:00", "2011-12-31 12:00", byDay,
			[]string{"29 00:00 -1000", "31 00:00 +1400"}},
		{"weeks begin on Monday", "Europe/Berlin", "2026-11-01 00:00", "2026-11-20 00:00", period{1, weeks},
			[]string{"02 00:00 +0100", "09 00:00 +0100", "16 00:00 +0100"}},
		{"quarters", "UTC", "2026-02-02 00:00", "2026-12-31 00:00", period{3, months},
			[]string{"01 00:00 +0000", "01 00:00 +0000", "01 00:00 +0000"}},
		{"an odd offset of old", "Africa/Monrovia", "1970-01-01 10:00", "1970-01-01 12:00", period{3600, seconds},
			[]string{"01 10:00 -0044", "01 11:00 -0044", "01 12:00 -0044"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			z := zone(t, tt.zone)
			start, err := time.ParseInLocation(layout, tt.start, z)
			if err != nil {
				t.Fatal(err)
			}
			end, err := time.ParseInLocation(layout, tt.end, z)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, k := range tt.p.ticks(start, end) {
				got = append(got, k.Format("02 15:04 -0700"))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestRungs is about which ticks a length of time gets.
func TestRungs(t *testing.T) {
	start := time.Date(2026, 11, 19, 13, 7, 0, 0, zone(t, "Europe/Berlin"))
	measure := func(s string) float64 { return 7 * float64(len(s)) }
	for _, tt := range []struct {
		window time.Duration
		width  float64
		want   string // the first labels, and all of the second row
	}{
		{time.Minute, 840, "13:07:00 13:07:05 13:07:10 | Thursday 19 November 2026"},
		{time.Hour, 840, "13:10 13:15 13:20 | Thursday 19 November 2026"},
		{6 * time.Hour, 840, "13:30 14:00 14:30 | Thursday 19 November 2026"},
		{24 * time.Hour, 840, "14:00 16:00 18:00 | Thursday 19 November 2026, Friday 20 November 2026"},
		{24 * time.Hour, 260, "18:00 00:00 06:00 | Thu 19 Nov 2026, Fri 20 Nov 2026"},
		{7 * 24 * time.Hour, 840, "00:00 12:00 00:00 | Fri 20 Nov 2026, Sat 21 Nov 2026, Sun 22 Nov 2026, Mon 23 Nov 2026, Tue 24 Nov 2026, Wed 25 Nov 2026"},
		{14 * 24 * time.Hour, 840, "Fri 20 Sat 21 Sun 22 | November 2026, December 2026"},
		{31 * 24 * time.Hour, 1500, "20 21 22 | November 2026, December 2026"},
		{31 * 24 * time.Hour, 840, "23 Nov 30 Nov 7 Dec | 2026"},
		{365 * 24 * time.Hour, 840, "Dec Jan Feb | 2026, 2027"},
		{3 * 365 * 24 * time.Hour, 840, "Jan Mar May | 2027, 2028, 2029"},
		{10 * 365 * 24 * time.Hour, 840, "Jan Jul Jan | 2027, 2028, 2029, 2030, 2031, 2032, 2033, 2034, 2035, 2036"},
		{10 * 365 * 24 * time.Hour, 320, "2028 2030 2032 | "},
	} {
		t.Run(fmt.Sprint(tt.window, " on ", tt.width), func(t *testing.T) {
			a := newTimeAxis(start, start.Add(tt.window), tt.width, measure)
			var labels, groups []string
			for _, k := range a.major[:3] {
				labels = append(labels, k.label)
			}
			for _, k := range a.groups {
				groups = append(groups, k.label)
			}
			if got := strings.Join(labels, " ") + " | " + strings.Join(groups, ", "); got != tt.want {
				t.Errorf("got %q\nwant %q", got, tt.want)
			}
		})
	}
}

// TestLabelsApart draws axes of all lengths in many zones, in which no two labels
// may touch, and none may leave the picture.
func TestLabelsApart(t *testing.T) {
	for _, name := range []string{"UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/Havana", "Pacific/Apia"} {
		z := zone(t, name)
		for _, width := range []int{160, 320, 900, 1600} {
			for window := 45 * time.Second; window < 80*365*24*time.Hour; window += window / 10 * 7 {
				g := &Graph{Zone: z, Width: width, Start: time.Date(2026, 10, 3, 13, 7, 11, 0, z)}
				g.End = g.Start.Add(window)
				s, err := g.scene(1)
				if err != nil {
					t.Fatal(err)
				}
				checkLabels(t, fmt.Sprintf("%s, %d px, %v", name, width, window), s)
			}
		}
	}
}

// checkLabels finds labels of time that touch, or the lack of them.
func checkLabels(t *testing.T, what string, s *scene) {
	t.Helper()
	var m ruler
	ends := map[float64]float64{} // of the row at this height
	rows := 0
	for _, it := range s.items {
		k := it.text
		if k == nil || k.anchor != atMiddle || k.size != tickSize {
			continue
		}
		if ends[k.at.y] == 0 {
			rows++
		}
		w := m.measure(k.s, k.size, false)
		if end, ok := ends[k.at.y]; ok && k.at.x-w/2 < end {
			t.Errorf("%s: %q touches the label before it", what, k.s)
		}
		ends[k.at.y] = k.at.x + w/2
		if k.at.x+w/2 > s.width || k.at.x-w/2 < 0 {
			t.Errorf("%s: %q leaves the picture", what, k.s)
		}
	}
	if rows == 0 {
		t.Errorf("%s: no labels", what)
	}
}
