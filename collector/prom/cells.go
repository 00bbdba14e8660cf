package prom

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// An arena hands out values of one type, which stay where they are, and takes
// all of them back at once.
type arena[T any] struct {
	chunks []*[256]T
	n      int
}

// next is a value that nobody holds; what it had before is still in it.
func (a *arena[T]) next() *T {
	i := a.n
	a.n++
	if i/256 == len(a.chunks) {
		a.chunks = append(a.chunks, new([256]T))
	}
	return &a.chunks[i/256][i%256]
}

func (a *arena[T]) reset() { a.n = 0 }

type gaugeCell struct {
	metric dto.Metric
	gauge  dto.Gauge
	value  float64
}

type counterCell struct {
	metric  dto.Metric
	counter dto.Counter
	value   float64
}

type pairCell struct {
	pair  dto.LabelPair
	value string
}

// cells holds the metrics of one family. Ten thousand real servers have more
// than a hundred thousand series; with one family in memory at a time, in cells
// that the next family and the next scrape use again, a scrape costs a few
// megabytes and leaves no garbage behind.
type cells struct {
	// dry only counts: no series is kept, and their labels may be nil.
	dry   bool
	count int

	// director is put at place at among the labels of every series; nil is none.
	director *dto.LabelPair
	at       int

	family   dto.MetricFamily
	gauges   arena[gaugeCell]
	counters arena[counterCell]
	pairs    arena[pairCell]
	refs     []*dto.LabelPair // backing of labels
}

// reset gives back everything handed out.
func (c *cells) reset() {
	c.count, c.director = 0, nil
	c.family.Metric = c.family.Metric[:0]
	c.gauges.reset()
	c.counters.reset()
	c.pairs.reset()
	c.refs = c.refs[:0]
}

// label is the pair of a label; name must outlive the cells.
func (c *cells) label(name *string, value string) *dto.LabelPair {
	p := c.pairs.next()
	p.value = value
	p.pair.Name, p.pair.Value = name, &p.value
	return &p.pair
}

// labels is the list of pairs, which must be in the order of their names.
func (c *cells) labels(pairs ...*dto.LabelPair) []*dto.LabelPair {
	out := c.room(len(pairs))
	copy(out, pairs)
	return out
}

// room is a list for n pairs, which stays where it is.
func (c *cells) room(n int) []*dto.LabelPair {
	from := len(c.refs)
	if from+n > cap(c.refs) {
		c.refs, from = make([]*dto.LabelPair, 0, max(2*cap(c.refs), 256)), 0
	}
	c.refs = c.refs[:from+n]
	return c.refs[from : from+n : from+n]
}

// placed is labels with that of the director among them.
func (c *cells) placed(labels []*dto.LabelPair) []*dto.LabelPair {
	if c.director == nil {
		return labels
	}
	out := c.room(len(labels) + 1)
	copy(out, labels[:c.at])
	out[c.at] = c.director
	copy(out[c.at+1:], labels[c.at:])
	return out
}

// gauge adds a series of a gauge.
func (c *cells) gauge(labels []*dto.LabelPair, v float64) {
	c.count++
	if c.dry {
		return
	}
	g := c.gauges.next()
	g.value = v
	g.gauge.Value = &g.value
	g.metric.Label, g.metric.Gauge = c.placed(labels), &g.gauge
	c.family.Metric = append(c.family.Metric, &g.metric)
}

// counter adds a series of a counter; began is when it was zero, and may be nil.
func (c *cells) counter(labels []*dto.LabelPair, v uint64, began *timestamppb.Timestamp) {
	c.count++
	if c.dry {
		return
	}
	g := c.counters.next()
	g.value = float64(v)
	g.counter.Value, g.counter.CreatedTimestamp = &g.value, began
	g.metric.Label, g.metric.Counter = c.placed(labels), &g.counter
	c.family.Metric = append(c.family.Metric, &g.metric)
}

// histogram adds the series of h as it is now.
func (c *cells) histogram(h prometheus.Histogram) {
	m := new(dto.Metric)
	if h == nil || h.Write(m) != nil {
		return
	}
	m.Label = nil
	c.count++
	c.family.Metric = append(c.family.Metric, m)
}

// seconds since the Unix epoch; zero for the zero Time.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.Unix()) + float64(t.Nanosecond())/1e9
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
