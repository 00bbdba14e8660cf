package export

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"lvs/rrdstore"
)

// A RawWriter writes rows as they came: totals as exact integers, and gauges as
// they were at that time. What was not there has no line; a value that was not
// taken at that time is empty, null, or no sample, and in the long form of CSV has
// no line. One that was taken and not known is the same, but NaN in CSV and empty in
// its long form: so both read back as what they were. It may be used by one goroutine at a
// time.
type RawWriter struct {
	format  Format
	out     *bufio.Writer
	layout  rawLayout
	enc     rawEncoder
	metrics *openMetrics // instead of enc
}

// A rawEncoder is a format that has its lines in order of time.
type rawEncoder interface {
	beginRaw(sources []string) error
	// entry writes one series of one row, a value for each source.
	entry(t time.Time, s *rrdstore.Series, values []rawValue) error
}

// NewRawWriter begins a stream in the format f, which is any but JSON. sources are
// by name; nil is the standard ones.
func NewRawWriter(w io.Writer, f Format, sources []string, o Options) (*RawWriter, error) {
	x := &RawWriter{format: f, out: bufio.NewWriterSize(w, 64<<10), layout: newRawLayout(sources)}
	switch f {
	case CSV:
		x.enc = &csvWide{out: x.out}
	case CSVLong:
		x.enc = &csvLong{out: x.out}
	case NDJSON:
		x.enc = &ndjson{out: x.out}
	case OpenMetrics:
		x.metrics = &openMetrics{out: x.out, names: o.Names}
		return x, nil
	default:
		return nil, fmt.Errorf("write %v: raw rows are not on one grid of times; ask for consolidated ones or another format", f)
	}
	if l := (layout{sources: x.layout.sources}); f != CSVLong && l.free() != nil {
		return nil, x.wrap(l.free())
	}
	return x, x.wrap(x.enc.beginRaw(x.layout.sources))
}

// Write writes the rows of the part p: of its series and, in OpenMetrics, of its
// sources; see [Parts]. An error of the rows is returned as it is, after what came
// before it was written.
//
// OpenMetrics holds the part's values in memory, 16 bytes each.
func (x *RawWriter) Write(p Part, rows iter.Seq2[*rrdstore.Row, error]) error {
	if x.metrics != nil {
		return x.collect(p, rows)
	}
	director := directorOf(p.Series)
	values := make([]rawValue, len(x.layout.sources))
	for row, err := range rows {
		if err != nil {
			return err
		}
		if director != nil {
			x.layout.director(values, row)
			if err := x.enc.entry(row.Tick, director, values); err != nil {
				return x.wrap(err)
			}
		}
		for i := range row.Entries {
			x.layout.entry(values, &row.Entries[i])
			if err := x.enc.entry(row.Tick, row.Entries[i].Series, values); err != nil {
				return x.wrap(err)
			}
		}
	}
	return nil
}

// End writes what the format ends with.
func (x *RawWriter) End() error {
	if x.metrics != nil {
		if err := x.metrics.end(); err != nil {
			return x.wrap(err)
		}
	}
	return x.Flush()
}

// Flush hands everything written so far to the io.Writer.
func (x *RawWriter) Flush() error { return x.wrap(x.out.Flush()) }

func (x *RawWriter) wrap(err error) error { return wrapWrite(x.format, x.out, err) }

// collect turns rows into columns for OpenMetrics.
func (x *RawWriter) collect(p Part, rows iter.Seq2[*rrdstore.Row, error]) error {
	for _, name := range p.Sources {
		if !slices.Contains(x.layout.sources, name) {
			return x.wrap(fmt.Errorf("%w: source %q", errShape, name))
		}
	}
	l := newRawLayout(p.Sources)
	c := rawColumns{series: p.Series, columns: make([][]rrdstore.Value, len(p.Series)*len(l.sources))}
	index := make(map[identity]int, len(p.Series))
	for i, s := range p.Series {
		index[identityOf(s)] = i
	}
	director := directorOf(p.Series)
	values := make([]rawValue, len(l.sources))
	for row, err := range rows {
		if err != nil {
			return err
		}
		c.times = append(c.times, row.Tick.Unix())
		if director != nil {
			l.director(values, row)
			c.add(index[identityOf(director)], values)
		}
		for i := range row.Entries {
			if at, ok := index[identityOf(row.Entries[i].Series)]; ok {
				l.entry(values, &row.Entries[i])
				c.add(at, values)
			}
		}
	}
	c.sources = l.described()
	return x.wrap(x.metrics.raw(&c))
}

// rawColumns are rows as columns: one for each source of each series, which may
// end before the times do.
type rawColumns struct {
	series  []*rrdstore.Series
	sources []rrdstore.Source
	times   []int64
	columns [][]rrdstore.Value
}

// add takes the values of the series i at the last time.
func (c *rawColumns) add(i int, values []rawValue) {
	for j, v := range values {
		column := &c.columns[i*len(values)+j]
		for len(*column) < len(c.times)-1 { // it was not there
			*column = append(*column, rrdstore.Value{})
		}
		*column = append(*column, v.Value)
	}
}
