package load

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var config = Config{Services: 100, Reals: 10, Seed: 1, Start: Start, Step: 10 * time.Second}

// values are those of all entities after some ticks.
func values(c Config, ticks int) (all []Values) {
	l := New(c)
	for range ticks - 1 {
		l.Next()
	}
	Each(l.Next(), func(i int, v Values) { all = append(all, v) })
	return all
}

func TestTheSameSeedIsTheSameLoad(t *testing.T) {
	if diff := cmp.Diff(values(config, 5), values(config, 5)); diff != "" {
		t.Errorf("a second run differs (-first +second):\n%s", diff)
	}
	other := config
	other.Seed++
	if cmp.Equal(values(config, 5), values(other, 5)) {
		t.Error("another seed gives the same")
	}
}

func TestLoadIsLikeADirectors(t *testing.T) {
	l := New(config)
	var before, after []Values
	Each(l.Next(), func(_ int, v Values) { before = append(before, v) })
	for range 100 {
		l.Next()
	}
	Each(l.Next(), func(_ int, v Values) { after = append(after, v) })
	if len(before) != config.Entities() || len(after) != len(before) {
		t.Fatalf("%d and %d entities, want %d", len(before), len(after), config.Entities())
	}
	idle, bypass, reals := 0, 0, 0
	for i := range after {
		for s := range Counters {
			if after[i][s] < before[i][s] {
				t.Fatalf("entity %d: %s fell from %d to %d", i, Sources[s], before[i][s], after[i][s])
			}
		}
		if i == 0 || i%(config.Reals+1) == 1 {
			continue // the director, a service
		}
		reals++
		if after[i] == before[i] {
			idle++
		}
		if after[i][2] == 0 && after[i][1] > 0 {
			bypass++
		}
	}
	if share := float64(idle) / float64(reals); share < 0.15 || share > 0.25 {
		t.Errorf("%.2f of the real servers are idle", share)
	}
	if share := float64(bypass) / float64(reals-idle); share < 0.6 || share > 0.8 {
		t.Errorf("%.2f of the busy real servers have no outgoing packets", share)
	}
}

func TestServicesAreTheSumsOfTheirRealServers(t *testing.T) {
	s := New(config).Next()
	var director Values
	var service, sum Values
	Each(s, func(i int, v Values) {
		switch {
		case i == 0:
			director = v
		case i%(config.Reals+1) == 1:
			if sum != service {
				t.Errorf("before entity %d: service %v, its real servers %v", i, service, sum)
			}
			service, sum = v, Values{}
			for k := range Counters {
				director[k] -= v[k]
			}
		default:
			for k := range v {
				sum[k] += v[k]
			}
		}
	})
	if sum != service {
		t.Errorf("the last service: %v, its real servers %v", service, sum)
	}
	for k := range Counters {
		if director[k] != 0 {
			t.Errorf("the director's %s are not the sum of its services'", Sources[k])
		}
	}
}

// What is measured beside it must not pay for its garbage.
func TestNextAllocatesNothing(t *testing.T) {
	l := New(config)
	if n := testing.AllocsPerRun(10, func() { Each(l.Next(), func(int, Values) {}) }); n > 1 {
		t.Errorf("%v allocations a tick", n)
	}
}

func BenchmarkNext(b *testing.B) {
	c := config
	c.Services = 1000
	l := New(c)
	b.ReportAllocs()
	for b.Loop() {
		l.Next()
	}
}
