package exporter

import (
	"strings"
	"testing"
)

func TestJoinArgs(t *testing.T) {
	for args, want := range map[string]string{
		"fetch|--start|-24h|web":                "fetch|--start=-24h|web",
		"fetch|-s|-1h|-e|-5m":                   "fetch|--start=-1h|--end=-5m",
		"fetch|-s|now|-e|now":                   "fetch|-s|now|-e|now",
		"fetch|--top|10|by|in_bytes|web":        "fetch|--top=10|--by=in_bytes|web",
		"fetch|--top=10|by|in_bytes|web":        "fetch|--top=10|--by=in_bytes|web",
		"fetch|--top|10 by in_bytes|web":        "fetch|--top=10|--by=in_bytes|web",
		"fetch|--top=10 by in_bytes|web":        "fetch|--top=10|--by=in_bytes|web",
		"fetch|--top|10|--by|active|by":         "fetch|--top=10|--by|active|by",
		"fetch|--top|10|web|by":                 "fetch|--top=10|web|by",
		"fetch|--top|10|by":                     "fetch|--top=10|by",
		"fetch|--top":                           "fetch|--top",
		"fetch|--start":                         "fetch|--start",
		"fetch|--|--start|-24h|--top|1|by|name": "fetch|--|--start|-24h|--top|1|by|name",
	} {
		if got := strings.Join(joinArgs(strings.Split(args, "|")), "|"); got != want {
			t.Errorf("%s: %s, want %s", args, got, want)
		}
	}
}
