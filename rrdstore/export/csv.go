package export

import (
	"bufio"
	"strings"
	"time"

	"lvs/rrdstore"
)

// csvWide is the encoder of CSV.
type csvWide struct {
	out    *bufio.Writer
	layout layout
	lines  lineStart
}

func (e *csvWide) begin(whole *rrdstore.Result) error {
	e.layout = layoutOf(whole)
	if err := e.layout.free(); err != nil {
		return err
	}
	e.out.WriteString(wideHeader(e.layout.names()))
	return nil
}

func wideHeader(columns []string) string {
	return strings.Join(append([]string{"time", "service", "real"}, columns...), ",") + "\n"
}

func (e *csvWide) result(r *rrdstore.Result) error {
	groups, err := e.layout.groups(r)
	if err != nil {
		return err
	}
	for i := range r.Rows {
		e.lines.at(r.Time(i))
		for g := range groups {
			line := e.lines.begin(groups[g].series)
			for j := range groups[g].values {
				line = appendNumber(append(line, ','), groups[g].at(i, j))
			}
			if err := e.lines.end(e.out, line); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *csvWide) end() error { return nil }

// lineStart makes the first three columns of a line of CSV, which never need
// quotes.
type lineStart struct {
	time, line []byte
	labels     texts
}

func (l *lineStart) at(t time.Time) { l.time = t.UTC().AppendFormat(l.time[:0], time.RFC3339) }

func (l *lineStart) begin(s *rrdstore.Series) []byte {
	label := l.labels.of(s, func() string { return "," + serviceText(s) + "," + realText(s) })
	return append(append(l.line[:0], l.time...), label...)
}

// end writes a line that begin began, and keeps its memory.
func (l *lineStart) end(out *bufio.Writer, line []byte) error {
	line = append(line, '\n')
	l.line = line
	_, err := out.Write(line)
	return err
}

// csvLong is the encoder of CSVLong.
type csvLong struct {
	out    *bufio.Writer
	layout layout
	tails  []string // ",in_bytes," of each column
	ends   []string // ",AVERAGE\n" of each column
	keys   texts
	time   []byte
	line   []byte
}

const longHeader = "time,key,source,value"

func (e *csvLong) begin(whole *rrdstore.Result) error {
	e.layout = layoutOf(whole)
	e.out.WriteString(longHeader)
	if len(e.layout.functions) > 1 {
		e.out.WriteString(",function")
	}
	for _, s := range e.layout.sources {
		for _, f := range e.layout.functions {
			end := "\n"
			if len(e.layout.functions) > 1 {
				end = "," + f.String() + "\n"
			}
			e.tails, e.ends = append(e.tails, ","+s+","), append(e.ends, end)
		}
	}
	return e.out.WriteByte('\n')
}

func (e *csvLong) result(r *rrdstore.Result) error {
	groups, err := e.layout.groups(r)
	if err != nil {
		return err
	}
	for i := range r.Rows {
		e.time = append(r.Time(i).UTC().AppendFormat(e.time[:0], time.RFC3339), ',')
		for g := range groups {
			key := e.keys.of(groups[g].series, func() string { return quotedKey(groups[g].series) })
			for j, values := range groups[g].values {
				if values == nil {
					continue
				}
				e.line = append(append(append(e.line[:0], e.time...), key...), e.tails[j]...)
				e.line = append(appendNumber(e.line, values[i]), e.ends[j]...)
				if _, err := e.out.Write(e.line); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (e *csvLong) end() error { return nil }

// quotedKey is the text of a series as a field of CSV: a real server's has a
// comma.
func quotedKey(s *rrdstore.Series) string {
	key := SeriesKey(s.Key, s.RIP)
	if strings.Contains(key, ",") {
		return `"` + key + `"`
	}
	return key
}
