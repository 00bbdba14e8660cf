package config

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lvs/rrdstore"
)

func TestParseTiers(t *testing.T) {
	day := 24 * time.Hour
	for text, want := range map[string][]rrdstore.Tier{
		"1m:7d, 5m:31d,1h:2y": {{Step: time.Minute, Keep: 7 * day}, {Step: 5 * time.Minute, Keep: 31 * day}, {Step: time.Hour, Keep: 730 * day}},
		"30s:12h":             {{Step: 30 * time.Second, Keep: 12 * time.Hour}},
		"off":                 {},
	} {
		got, err := ParseTiers(text)
		if diff := cmp.Diff(want, got.List()); err != nil || diff != "" {
			t.Errorf("%q: %v (-want +got)\n%s", text, err, diff)
		}
	}
	for _, text := range []string{"", "1m", "1m:7d,1m:8d", "5m:31d,1m:7d", "7s:1d", "1m:1s", "1m:7d,,", "1m:7d:8d", "x:y"} {
		if got, err := ParseTiers(text); err == nil {
			t.Errorf("%q: %v, want an error", text, got)
		}
	}
	if diff := cmp.Diff(rrdstore.DefaultTiers(), Tiers("").List()); diff != "" {
		t.Error(diff)
	}
}
