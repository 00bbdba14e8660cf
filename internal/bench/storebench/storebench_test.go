package main

import (
	"math"
	"testing"
	"time"

	"lvs/internal/bench/load"
)

var config = load.Config{Services: 10, Reals: 3, Seed: 1, Start: load.Start, Step: 10 * time.Second}

func TestIngestMeasuresEverything(t *testing.T) {
	const ticks = 25 * 60 // a day and an hour
	config := config
	config.Step = time.Minute
	r, err := ingest(t.Context(), t.TempDir(), config, ticks)
	if err != nil {
		t.Fatal(err)
	}
	if r.Ticks != ticks || r.Entities != config.Entities() || r.CPU <= 0 || r.Anon <= 0 {
		t.Errorf("%+v", r)
	}
	if r.Raw <= 0 || r.Reads.OneDay <= 0 || r.Reads.AllHour <= 0 || r.Reads.PNG <= 0 || r.Reads.SVG <= 0 {
		t.Errorf("%+v", r)
	}
}

// Three windows of each step, of which the last is not over, and a file twice as
// large as they are.
func TestReckoningCountsWhatIsKept(t *testing.T) {
	const hour, ticks = time.Hour, 20 * 8640
	all := levels{}
	for step, span := range map[time.Duration]time.Duration{0: hour, time.Minute: hour, 5 * time.Minute: 24 * hour, hour: 7 * 24 * hour} {
		first := config.Start.Add(ticks*config.Step - 5*span/2)
		l := level{step: step}
		for i, bytes := range []int64{3000, 5000, 4000} {
			l.windows = append(l.windows, window{first.Add(time.Duration(i) * span), bytes})
		}
		all = append(all, l)
	}
	k, err := reckon(all, 700, 2*4*12000, config, ticks)
	if err != nil {
		t.Fatal(err)
	}
	share := 4000 * 2 / float64(config.Entities())
	want := map[string]float64{"0s": 25 * share, "1m0s": (7*24 + 1) * share, "5m0s": 32 * share, "1h0m0s": (730./7 + 1) * share,
		"open windows": 700 / float64(config.Entities())}
	sum := 0.0
	for part, bytes := range want {
		if got := k.Parts[part]; math.Abs(got-bytes) > 1e-6 {
			t.Errorf("%s takes %v, want %v", part, got, bytes)
		}
		sum += bytes
	}
	if math.Abs(k.Bytes-sum) > 1e-6 {
		t.Errorf("all take %v, want %v", k.Bytes, sum)
	}
	if k, err := reckon(all[1:], 700, 9000, config, ticks); err == nil {
		t.Errorf("a step without windows is reckoned with: %v", k)
	}
}
