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

// A RawWriter writes rows as they were sampled: totals as exact integers, and
// gauges as they were at that time. What was not there has no line; what was not
// known at that time is empty, null, or no sample. It may be used by one goroutine
// at a time.
type RawWriter struct {
	format  Format
	out     *bufio.Writer
	sources []string
	columns []int // of sources in values
	enc     rawEncoder
	// of OpenMetrics, which has no enc
	metrics *openMetrics
}

// A rawEncoder is a format that has its lines in order of time.
type rawEncoder interface {
	beginRaw(sources []string) error
	// entry writes one series of one row. A value that it cannot have is absent.
	entry(t time.Time, s *rrdstore.Series, values []rawValue) error
}

// A rawValue is a value of a source in a row.
type rawValue struct {
	rrdstore.Value
	absent bool // a source that such a series does not have
}

// NewRawWriter begins a stream in the format f, which is any but JSON. sources are
// some of the standard ones; nil is all of them.
func NewRawWriter(w io.Writer, f Format, sources []string, o Options) (*RawWriter, error) {
	x := &RawWriter{format: f, out: bufio.NewWriterSize(w, 64<<10)}
	standard := rrdstore.StandardSources()
	for i, s := range standard {
		if sources == nil || slices.Contains(sources, s.Name) {
			x.sources, x.columns = append(x.sources, s.Name), append(x.columns, i)
		}
	}
	for _, name := range sources {
		if !slices.Contains(x.sources, name) {
			return nil, fmt.Errorf("write %v: no source %q in raw rows; ask for consolidated ones", f, name)
		}
	}
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
	return x, x.wrap(x.enc.beginRaw(x.sources))
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
	var values [numStandard]rawValue
	picked := make([]rawValue, len(x.columns))
	for row, err := range rows {
		if err != nil {
			return err
		}
		if director != nil {
			directorValues(&values, row)
			if err := x.enc.entry(row.Tick, director, x.pick(picked, &values)); err != nil {
				return x.wrap(err)
			}
		}
		for i := range row.Entries {
			entryValues(&values, row, &row.Entries[i])
			if err := x.enc.entry(row.Tick, row.Entries[i].Series, x.pick(picked, &values)); err != nil {
				return x.wrap(err)
			}
		}
	}
	return nil
}

func (x *RawWriter) pick(picked []rawValue, values *[numStandard]rawValue) []rawValue {
	for i, c := range x.columns {
		picked[i] = values[c]
	}
	return picked
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
	p.Sources = standardFirst(p.Sources)
	var pick []int
	for _, name := range p.Sources {
		i := slices.Index(x.sources, name)
		if i < 0 {
			return x.wrap(fmt.Errorf("%w: source %q", errShape, name))
		}
		pick = append(pick, x.columns[i])
	}
	index := make(map[identity]int, len(p.Series))
	for i, s := range p.Series {
		index[identityOf(s)] = i
	}
	var times []int64
	columns := make([][]rrdstore.Value, len(p.Series)*len(pick))
	var values [numStandard]rawValue
	put := func(s *rrdstore.Series) {
		at, ok := index[identityOf(s)]
		if !ok {
			return
		}
		for j, c := range pick {
			column := &columns[at*len(pick)+j]
			for len(*column) < len(times)-1 { // it was not there
				*column = append(*column, rrdstore.Value{})
			}
			*column = append(*column, values[c].Value)
		}
	}
	director := directorOf(p.Series)
	for row, err := range rows {
		if err != nil {
			return err
		}
		times = append(times, row.Tick.Unix())
		if director != nil {
			directorValues(&values, row)
			put(director)
		}
		for i := range row.Entries {
			entryValues(&values, row, &row.Entries[i])
			put(row.Entries[i].Series)
		}
	}
	return x.wrap(x.metrics.raw(&p, times, columns))
}
