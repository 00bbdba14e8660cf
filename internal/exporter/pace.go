package exporter

import (
	"iter"
	"slices"
	"time"

	"lvs/rrdstore"
)

// A pace learns how often values come, from the first series and source that it
// sees of.
type pace struct {
	first *rrdstore.Point
	times []int64
}

// paceTimes is how many times are looked at.
const paceTimes = 10_000

// watch passes points on.
func (p *pace) watch(points iter.Seq2[rrdstore.Point, error]) iter.Seq2[rrdstore.Point, error] {
	return func(yield func(rrdstore.Point, error) bool) {
		for pt, err := range points {
			if err == nil && p.first == nil {
				first := pt
				p.first = &first
			}
			if err == nil && len(p.times) < paceTimes && pt.Key == p.first.Key && pt.RIP == p.first.RIP && pt.Source == p.first.Source {
				p.times = append(p.times, pt.Time.Unix())
			}
			if !yield(pt, err) {
				return
			}
		}
	}
}

// beyond tells the usual interval, if nearly all are longer than a heartbeat.
func (p *pace) beyond(heartbeat time.Duration) (usual time.Duration, is bool) {
	if len(p.times) < 20 {
		return 0, false // too few to tell
	}
	slices.Sort(p.times)
	gaps := make([]int64, len(p.times)-1)
	for i := range gaps {
		gaps[i] = p.times[i+1] - p.times[i]
	}
	slices.Sort(gaps)
	return time.Duration(gaps[len(gaps)/2]) * time.Second, time.Duration(gaps[len(gaps)/10])*time.Second > heartbeat
}
