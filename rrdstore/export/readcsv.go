package export

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"lvs/rrdstore"
)

// ReadCSV reads raw values from CSV, in the long form
//
//	time,key,source,value
//	2026-11-20T08:00:00Z,tcp/192.0.2.10:443,in_bytes,123456
//	1763625610,"tcp/192.0.2.10:443,10.0.0.1:80",in_bytes,98765
//
// with or without that first line, or in the wide one, whose first line names the
// columns:
//
//	time,service,real,in_bytes,out_bytes
//
// The columns are told by their names and may come in any order; without a first
// line they are those four. A time is RFC 3339, which is taken for UTC where it has
// no zone, wherever it is read, or in seconds since 1970, of which a fraction is
// cut off. A key is as [SeriesKey] writes it; a source is named in lower case
// letters, digits and _, and is a gauge unless it is a standard one or kinds says
// otherwise. A value is what [rrdstore.ParseValue] reads: "U", "NaN" and "null" are
// unknown, and so is nothing in the long form. In the wide one, where a line has
// room for what a series does not have, nothing says nothing.
//
// Values are taken for raw ones: totals of counters, not rates. What can be seen
// to be consolidated is refused.
//
// The sequence ends with the first error, which tells file, line and what to do.
// name is the file's, for errors.
func ReadCSV(r io.Reader, name string, kinds map[string]rrdstore.Kind) iter.Seq2[rrdstore.Point, error] {
	return func(yield func(rrdstore.Point, error) bool) {
		c := newCSVReader(r, kinds)
		line := 1
		for first := true; ; first = false {
			record, at, err := c.next()
			if at > 0 {
				line = at
			}
			if errors.Is(err, io.EOF) && !first {
				return
			}
			if errors.Is(err, io.EOF) {
				err = errors.New("there is nothing in it; want a line time,key,source,value and values")
			}
			if err == nil && first {
				var data bool
				if data, err = c.header(record); err == nil && !data {
					continue
				}
			}
			if err == nil {
				var more bool
				if more, err = c.record(record, yield); err == nil && !more {
					return
				}
			}
			if err != nil {
				yield(rrdstore.Point{}, fmt.Errorf("%s:%d: %w", name, line, err))
				return
			}
		}
	}
}

// A csvReader turns records into points.
type csvReader struct {
	limit  *limitReader
	csv    *csv.Reader
	kinds  map[string]rrdstore.Kind
	keys   map[string]identity
	names  map[string]rrdstore.Source
	fields int // of each record

	time, key, source, value int // columns of the long form
	service, real            int // of the wide one
	wide                     []wideColumn
}

type wideColumn struct {
	field  int
	source rrdstore.Source
}

func newCSVReader(r io.Reader, kinds map[string]rrdstore.Kind) *csvReader {
	limit := &limitReader{r: r}
	limit.reset()
	c := &csvReader{limit: limit, csv: csv.NewReader(skipBOM(limit)), kinds: kinds, keys: map[string]identity{}, names: map[string]rrdstore.Source{}}
	c.csv.ReuseRecord = true
	c.csv.FieldsPerRecord = -1 // counted here, with better advice
	return c
}

// next is the next record and its line.
func (c *csvReader) next() (record []string, line int, err error) {
	c.limit.reset()
	record, err = c.csv.Read()
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return nil, parse.StartLine, fmt.Errorf("%w; quotes stand around a whole field, and one inside of it is written twice", parse.Err)
	}
	if err != nil {
		return nil, 0, err
	}
	line, _ = c.csv.FieldPos(0)
	return record, line, nil
}

// maxColumns is how many columns a file may have.
const maxColumns = 1000

var longColumns = []string{"time", "key", "source", "value"}

// header reads the first record, which may be data of the long form.
func (c *csvReader) header(record []string) (data bool, err error) {
	if record[0] != "" && record[0][0] >= '0' && record[0][0] <= '9' { // a time: no name begins so
		c.fields = len(longColumns)
		c.time, c.key, c.source, c.value = 0, 1, 2, 3
		return true, nil
	}
	if c.fields = len(record); c.fields > maxColumns {
		return false, fmt.Errorf("%d columns; at most %d are read", c.fields, maxColumns)
	}
	for i, name := range record {
		if slices.Contains(record[:i], name) {
			return false, fmt.Errorf("there are two columns %q", name)
		}
	}
	if slices.Contains(record, "function") {
		return false, errors.New("these values are consolidated, as the column function says; what is imported are raw values (of rrdtool's archives, its XML)")
	}
	column := func(name string) int { return slices.Index(record, name) }
	c.time, c.key, c.source, c.value = column("time"), column("key"), column("source"), column("value")
	c.service, c.real = column("service"), column("real")
	switch {
	case c.time >= 0 && c.key >= 0 && c.source >= 0 && c.value >= 0:
		for _, name := range record {
			if !slices.Contains(longColumns, name) {
				return false, fmt.Errorf("column %q is not known; want time,key,source,value", name)
			}
		}
		return false, nil
	case c.time >= 0 && c.service >= 0 && c.real >= 0:
		return false, c.wideHeader(record)
	}
	return false, fmt.Errorf("the first line is %.100q; want time,key,source,value or time,service,real and sources", strings.Join(record, ","))
}

func (c *csvReader) wideHeader(record []string) error {
	for i, name := range record {
		if slices.Contains(taken, name) {
			continue
		}
		source, err := c.sourceOf(name)
		if err != nil {
			return fmt.Errorf("column %d: %w", i+1, err)
		}
		c.wide = append(c.wide, wideColumn{i, source})
	}
	if len(c.wide) == 0 {
		return errors.New("there is no column of a source after time,service,real")
	}
	return nil
}

// record yields the points of a record; more is false when no more are wanted.
func (c *csvReader) record(record []string, yield func(rrdstore.Point, error) bool) (more bool, err error) {
	if len(record) != c.fields {
		advice := ""
		if c.wide == nil {
			advice = `; the key of a real server has a comma and stands in "quotes"`
		}
		return false, fmt.Errorf("%d fields, want %d%s", len(record), c.fields, advice)
	}
	t, err := parseTime(record[c.time])
	if err != nil {
		return false, err
	}
	if c.wide != nil {
		return c.wideRecord(t, record, yield)
	}
	p, err := c.point(t, record[c.key], record[c.value])
	if err != nil {
		return false, err
	}
	if p.Source, err = c.sourceOf(record[c.source]); err != nil {
		return false, err
	}
	return yield(p, nil), nil
}

func (c *csvReader) wideRecord(t time.Time, record []string, yield func(rrdstore.Point, error) bool) (more bool, err error) {
	key := record[c.service]
	if record[c.real] != "" {
		key += "," + record[c.real]
	}
	for _, w := range c.wide {
		if record[w.field] == "" {
			continue
		}
		p, err := c.point(t, key, record[w.field])
		if err != nil {
			return false, fmt.Errorf("column %s: %w", w.source.Name, err)
		}
		p.Source = w.source
		if !yield(p, nil) {
			return false, nil
		}
	}
	return true, nil
}

func (c *csvReader) point(t time.Time, key, value string) (p rrdstore.Point, err error) {
	id, ok := c.keys[key]
	if !ok {
		if id.key, id.rip, err = ParseSeriesKey(key); err != nil {
			return p, err
		}
		remember(c.keys, key, id)
	}
	v, err := rrdstore.ParseValue(value)
	if err != nil {
		return p, fmt.Errorf("value %w; what is not known is empty", err)
	}
	return rrdstore.Point{Time: t, Key: id.key, RIP: id.rip, Value: v}, nil
}

func (c *csvReader) sourceOf(name string) (rrdstore.Source, error) {
	source, ok := c.names[name]
	if !ok {
		if err := checkSource(name); err != nil {
			return source, err
		}
		source = standardSource(name)
		if kind, told := c.kinds[name]; told && !slices.Contains(rrdstore.StandardSources(), source) {
			source.Kind = kind
		}
		remember(c.names, name, source)
	}
	return source, nil
}

// remember puts a text that was parsed into a map, which it keeps small.
func remember[T any](known map[string]T, text string, v T) {
	if len(known) >= maxTexts {
		clear(known)
	}
	known[strings.Clone(text)] = v
}

// checkSource says what is wrong with the name of a source.
func checkSource(name string) error {
	for i, c := range []byte(name) {
		if c >= 'a' && c <= 'z' || i > 0 && (c >= '0' && c <= '9' || c == '_') {
			continue
		}
		for f := range rrdstore.Function(4) {
			if strings.HasSuffix(name, "_"+f.String()) {
				return fmt.Errorf("source %q: its values are consolidated, and what is imported are raw values (of rrdtool's archives, its XML)", name)
			}
		}
		return fmt.Errorf("source %.80q: a source is named in lower case letters, digits and _, as in_bytes", name)
	}
	if name == "" || len(name) > 63 {
		return fmt.Errorf("source %.80q: a source's name has 1 to 63 letters", name)
	}
	return nil
}
