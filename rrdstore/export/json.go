package export

import (
	"bufio"
	"encoding/json"
	"fmt"
	"time"

	"lvs/rrdstore"
)

// ndjson is the encoder of NDJSON.
type ndjson struct {
	out     *bufio.Writer
	layout  layout
	members []string // `,"in_bytes":` of each column
	lines   ndjsonLine
}

func (e *ndjson) begin(whole *rrdstore.Result) error {
	e.layout = layoutOf(whole)
	for _, name := range e.layout.names() {
		e.members = append(e.members, `,"`+name+`":`)
	}
	return e.layout.free()
}

func (e *ndjson) result(r *rrdstore.Result) error {
	groups, err := e.layout.groups(r)
	if err != nil {
		return err
	}
	for i := range r.Rows {
		t := r.Time(i)
		for g := range groups {
			line := e.lines.begin(t, groups[g].series)
			for j, name := range e.members {
				line = appendNumberOrNull(append(line, name...), groups[g].at(i, j))
			}
			if err := e.lines.end(e.out, line); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *ndjson) end() error { return nil }

// An ndjsonLine makes the lines of NDJSON. Times and texts of series never need
// escapes.
type ndjsonLine struct {
	line   []byte
	labels texts
}

func (l *ndjsonLine) begin(t time.Time, s *rrdstore.Series) []byte {
	line := t.UTC().AppendFormat(append(l.line[:0], `{"time":"`...), time.RFC3339)
	return append(line, l.labels.of(s, func() string { return `","service":"` + serviceText(s) + `","real":"` + realText(s) + `"` })...)
}

func (l *ndjsonLine) end(out *bufio.Writer, line []byte) error {
	l.line = append(line, "}\n"...)
	_, err := out.Write(l.line)
	return err
}

func appendNumberOrNull(b []byte, v float64) []byte {
	if !isNumber(v) {
		return append(b, "null"...)
	}
	return appendNumber(b, v)
}

// xport is the encoder of JSON. The shape, white space included, is that of
// rrdtool xport --json; where rrdtool leaves a quote in a legend as it is, this
// writes JSON.
type xport struct {
	out   *bufio.Writer
	whole rrdstore.Result
	rows  int // written
	line  []byte
}

func (e *xport) begin(whole *rrdstore.Result) error {
	e.whole = *whole
	fmt.Fprintf(e.out, "{ \"about\": \"RRDtool graph JSON output\",\n  \"meta\": {\n    \"start\": %d,\n    \"end\": %d,\n    \"step\": %d,\n    \"legend\": [",
		whole.Start.Add(whole.Step).Unix(), whole.End().Unix(), int64(whole.Step/time.Second))
	l := layoutOf(whole)
	for i := range whole.Columns {
		c := &whole.Columns[i]
		legend := SeriesKey(c.Series.Key, c.Series.RIP) + " " + c.Source.Name
		if len(l.functions) > 1 {
			legend += " " + c.Function.String()
		}
		text, err := json.Marshal(legend)
		if err != nil {
			return err
		}
		fmt.Fprintf(e.out, "%s\n      %s", comma(i), text)
	}
	_, err := e.out.WriteString("\n          ]\n     },\n  \"data\": [")
	return err
}

// comma goes before everything but the first.
func comma(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}

func (e *xport) result(r *rrdstore.Result) error {
	if err := e.fits(r); err != nil {
		return err
	}
	for i := range r.Rows {
		e.line = append(append(e.line[:0], comma(e.rows)...), "\n    [ "...)
		for j := range r.Columns {
			if j > 0 {
				e.line = append(e.line, ", "...)
			}
			e.line = appendNumberOrNull(e.line, r.Columns[j].Values[i])
		}
		e.line = append(e.line, " ]"...)
		if _, err := e.out.Write(e.line); err != nil {
			return err
		}
		e.rows++
	}
	return nil
}

// fits holds r against what meta and legend promise.
func (e *xport) fits(r *rrdstore.Result) error {
	if want := e.whole.Start.Add(time.Duration(e.rows) * e.whole.Step); r.Step != e.whole.Step || !r.Start.Equal(want) || e.rows+r.Rows > e.whole.Rows {
		return fmt.Errorf("%w: %d rows of %v from %v, want at most %d of %v from %v", errShape, r.Rows, r.Step, r.Start, e.whole.Rows-e.rows, e.whole.Step, want)
	}
	if len(r.Columns) != len(e.whole.Columns) {
		return fmt.Errorf("%w: %d columns, want %d", errShape, len(r.Columns), len(e.whole.Columns))
	}
	for i := range r.Columns {
		c, w := &r.Columns[i], &e.whole.Columns[i]
		if identityOf(c.Series) != identityOf(w.Series) || c.Source != w.Source || c.Function != w.Function || len(c.Values) != r.Rows {
			return fmt.Errorf("%w: column %d is of %s", errShape, i, SeriesKey(c.Series.Key, c.Series.RIP))
		}
	}
	return nil
}

func (e *xport) end() error {
	if e.rows != e.whole.Rows {
		return fmt.Errorf("%w: %d rows, want %d", errShape, e.rows, e.whole.Rows)
	}
	_, err := e.out.WriteString("\n  ]\n}\n")
	return err
}
