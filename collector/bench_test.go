package collector

import (
	"testing"
	"time"

	"lvs/dataplane"
)

// BenchmarkApply continues a sample of 10,000 real servers that all counted.
func BenchmarkApply(b *testing.B) {
	for _, bb := range []struct {
		name            string
		services, reals int
	}{{"services=1000,reals=10", 1000, 10}, {"services=1,reals=10000", 1, 10_000}} {
		b.Run(bb.name, func(b *testing.B) {
			src := table(0, bb.reals, upTo(bb.services)...)
			c := NewContinuity(nil, DefaultForget)
			b.ReportAllocs()
			for b.Loop() {
				sampleLater(src)
				c.Apply(src, src.Time)
			}
		})
	}
}

// sampleLater makes src the sample ten seconds on.
func sampleLater(src *dataplane.Snapshot) {
	src.Time = src.Time.Add(10 * time.Second)
	for i := range src.Services {
		s := &src.Services[i]
		s.Kernel = s.Kernel.Add(scale(10))
		for j := range s.Reals {
			s.Reals[j].Kernel = s.Reals[j].Kernel.Add(scale(1))
		}
	}
}

func TestApplyAllocatesLittle(t *testing.T) {
	src := table(0, 10, upTo(1000)...)
	c := NewContinuity(nil, DefaultForget)
	c.Apply(src, src.Time)
	if n := testing.AllocsPerRun(10, func() {
		sampleLater(src)
		c.Apply(src, src.Time)
	}); n > 8 {
		t.Errorf("%v allocations for 10,000 real servers", n)
	}
}

// BenchmarkChurn has a tenth of 10,000 real servers go with each sample and come
// back with the next, while as many as are ever remembered are gone.
func BenchmarkChurn(b *testing.B) {
	c := NewContinuity(nil, DefaultForget)
	src := table(0, 60, upTo(1250)...)
	now := src.Time
	c.Apply(src, now)
	churn := make([]*dataplane.Snapshot, 10)
	for i := range churn {
		churn[i] = table(0, 10, upTo(1000)...)
		for j := range churn[i].Services {
			s := &churn[i].Services[j]
			s.Reals = append(s.Reals[:i:i], s.Reals[i+1:]...)
		}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		src, now = churn[i%len(churn)], now.Add(time.Second)
		src.Time = now
		c.Apply(src, now)
	}
}
