package export

import (
	"bufio"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"lvs/dataplane"
	"lvs/rrdstore"
)

// errOrder is for what would have to be written further up.
var errOrder = errors.New("OpenMetrics wants the families one after another and each series in one piece, in order of time; write in the order of Parts")

// openMetrics is the encoder of OpenMetrics. Times are seconds. Counters are
// integers in full, which Prometheus rounds beyond 2^53.
type openMetrics struct {
	out   *bufio.Writer
	names map[dataplane.ServiceKey]string

	done   map[string]bool // families that were begun
	now    string          // the family being written
	past   map[identity]bool
	series identity // the series of it being written
	any    bool     // there is such a series
	last   int64    // its last time
	prefix []byte   // name and labels
	line   []byte
}

func (e *openMetrics) begin(*rrdstore.Result) error { return nil }

func (e *openMetrics) result(r *rrdstore.Result) error {
	order := make([]int, 0, len(r.Columns))
	for i := range r.Columns {
		if len(r.Columns[i].Values) != r.Rows {
			return fmt.Errorf("%w: %d values in %d rows", errShape, len(r.Columns[i].Values), r.Rows)
		}
		order = append(order, i)
	}
	l := layoutOf(r)
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := &r.Columns[i], &r.Columns[j]
		return familyOrder(&l, scopeOf(a.Series), a.Source.Name, a.Function) - familyOrder(&l, scopeOf(b.Series), b.Source.Name, b.Function)
	})
	for _, i := range order {
		c := &r.Columns[i]
		f := consolidatedFamily(scopeOf(c.Series), c.Source, c.Function, r.Step)
		for n, v := range c.Values {
			if !isNumber(v) {
				continue
			}
			if err := e.sample(f, c.Series, r.Time(n).Unix(), func(b []byte) []byte { return appendNumber(b, v) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// familyOrder numbers the families of a layout as Parts has them.
func familyOrder(l *layout, sc scope, source string, f rrdstore.Function) int {
	n := int(sc)*len(l.sources) + slices.Index(l.sources, source)
	return n*len(l.functions) + slices.Index(l.functions, f)
}

// raw writes the values of raw rows.
func (e *openMetrics) raw(c *rawColumns) error {
	for sc := range numScopes {
		for j, source := range c.sources {
			f := rawFamily(sc, source)
			for i, s := range c.series {
				if scopeOf(s) != sc {
					continue
				}
				for n, v := range c.columns[i*len(c.sources)+j] {
					if !v.Known() {
						continue
					}
					if err := e.sample(f, s, c.times[n], func(b []byte) []byte { return appendValue(b, v) }); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// sample writes one value, and before it what the family begins with.
func (e *openMetrics) sample(f family, s *rrdstore.Series, t int64, value func([]byte) []byte) error {
	if f.name != e.now {
		if e.done[f.name] {
			return fmt.Errorf("%s again: %w", f.name, errOrder)
		}
		if e.done == nil {
			e.done = map[string]bool{}
		}
		e.done[f.name] = true
		e.now, e.past, e.any = f.name, map[identity]bool{}, false
		fmt.Fprintf(e.out, "# HELP %s %s\n# TYPE %s %s\n", f.name, f.help, f.name, f.kind)
	}
	if id := identityOf(s); !e.any || id != e.series {
		if e.past[id] {
			return fmt.Errorf("%s of %s again: %w", f.name, SeriesKey(s.Key, s.RIP), errOrder)
		}
		e.past[id] = true
		e.series, e.any, e.last = id, true, t-1
		e.prefix = append(append(append(e.prefix[:0], f.name...), f.suffix...), labels(s, e.names)...)
		e.prefix = append(e.prefix, ' ')
	}
	if t <= e.last {
		return fmt.Errorf("%s of %s at %d after %d: %w", f.name, SeriesKey(s.Key, s.RIP), t, e.last, errOrder)
	}
	e.last = t
	e.line = append(value(append(e.line[:0], e.prefix...)), ' ')
	e.line = append(strconv.AppendInt(e.line, t, 10), '\n')
	_, err := e.out.Write(e.line)
	return err
}

func (e *openMetrics) end() error {
	_, err := e.out.WriteString("# EOF\n")
	return err
}
