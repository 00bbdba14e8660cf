package export

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"lvs/rrdstore"
)

// WriteRRD writes d as XML for rrdtool restore.
func WriteRRD(w io.Writer, d *RRD) error {
	if err := d.check(); err != nil {
		return fmt.Errorf("write rrd: %w", err)
	}
	x := &rrdWriter{out: bufio.NewWriterSize(w, 64<<10), RRD: d, last: d.LastUpdate.Unix()}
	x.header()
	for i := range d.Sources {
		x.source(&d.Sources[i])
	}
	x.out.WriteString("\n\t<!-- Round Robin Archives -->\n")
	for i := range d.Archives {
		if err := x.archive(&d.Archives[i]); err != nil {
			return fmt.Errorf("write rrd: %w", err)
		}
	}
	x.out.WriteString("</rrd>\n")
	if err := x.out.Flush(); err != nil {
		return fmt.Errorf("write rrd: %w", err)
	}
	return nil
}

// An rrdWriter lays out the XML as rrdtool dump does.
type rrdWriter struct {
	*RRD
	out  *bufio.Writer
	last int64 // LastUpdate
	line []byte
}

func (x *rrdWriter) printf(format string, args ...any) { fmt.Fprintf(x.out, format, args...) }

func (x *rrdWriter) header() {
	x.out.WriteString("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n")
	if x.Comment != "" {
		x.printf("<!-- %s -->\n", x.Comment)
	}
	x.printf("<rrd>\n\t<version>0003</version>\n\t<step>%d</step> <!-- Seconds -->\n\t<lastupdate>%d</lastupdate> <!-- %s -->\n",
		seconds(x.Step), x.last, stampText(x.last))
}

// source writes a data source and the state of its open data point.
func (x *rrdWriter) source(s *RRDSource) {
	kind, least, last := "GAUGE", nan, s.Last
	if s.Kind == rrdstore.Counter {
		kind, least = "DERIVE", 0
		if _, whole := last.Uint(); !whole {
			last = rrdstore.Value{}
		}
	}
	lastText := "U"
	if last.Known() {
		lastText = string(last.Append(nil))
	}
	x.out.WriteString("\n\t<ds>")
	if s.DS != s.Name {
		x.printf(" <!-- %s -->", s.Name)
	}
	pending, unknown := s.Pending, int64(0)
	switch open := x.last % seconds(x.Step); {
	case open == 0:
		pending = 0
	case !isNumber(pending):
		pending, unknown = nan, open
	}
	x.printf("\n\t\t<name>%s</name>\n\t\t<type>%s</type>\n\t\t<minimal_heartbeat>%d</minimal_heartbeat>\n\t\t<min>%s</min>\n\t\t<max>NaN</max>\n\n",
		s.DS, kind, seconds(s.Heartbeat), number(least))
	x.printf("\t\t<!-- PDP Status -->\n\t\t<last_ds>%s</last_ds>\n\t\t<value>%s</value>\n\t\t<unknown_sec>%d</unknown_sec>\n\t</ds>\n",
		lastText, number(pending), unknown)
}

func (x *rrdWriter) archive(a *RRDArchive) error {
	r := a.Result
	columns := make([][]float64, len(x.Sources))
	for i := range r.Columns {
		for j, s := range x.Sources {
			if c := &r.Columns[i]; c.Function == a.Function && c.Source.Name == s.Name {
				columns[j] = c.Values
			}
		}
	}
	per := seconds(r.Step) / seconds(x.Step)
	x.printf("\t<rra>\n\t\t<cf>%s</cf>\n\t\t<pdp_per_row>%d</pdp_per_row> <!-- %d seconds -->\n\n\t\t<params>\n\t\t<xff>%s</xff>\n\t\t</params>\n",
		a.Function, per, seconds(r.Step), number(a.XFF))

	step := seconds(r.Step)
	end := x.last - x.last%step
	rows := int64(a.rows())
	at := func(column []float64, t int64) float64 { // the row that ends at t
		i := (t-r.Start.Unix())/step - 1
		if t <= r.Start.Unix() || i >= int64(len(column)) {
			return nan
		}
		return column[i]
	}
	x.out.WriteString("\t\t<cdp_prep>\n")
	for j, s := range x.Sources {
		value, unknown := x.begun(a.Function, s.Name, end, per)
		x.printf("\t\t\t<ds>\n\t\t\t<primary_value>%s</primary_value>\n\t\t\t<secondary_value>NaN</secondary_value>\n\t\t\t<value>%s</value>\n\t\t\t<unknown_datapoints>%d</unknown_datapoints>\n\t\t\t</ds>\n",
			number(at(columns[j], end)), number(value), unknown)
	}
	x.out.WriteString("\t\t</cdp_prep>\n\t\t<database>\n")
	for t := end - (rows-1)*step; t <= end; t += step {
		x.line = append(append(x.line[:0], "\t\t\t<!-- "...), stampText(t)...)
		x.line = append(strconv.AppendInt(append(x.line, " / "...), t, 10), " --> <row>"...)
		for _, column := range columns {
			x.line = append(appendRRDNumber(append(x.line, "<v>"...), at(column, t)), "</v>"...)
		}
		x.line = append(x.line, "</row>\n"...)
		if _, err := x.out.Write(x.line); err != nil {
			return err
		}
	}
	_, err := x.out.WriteString("\t\t</database>\n\t</rra>\n")
	return err
}

// begun consolidates the data points of a source that came after the last
// complete row: rrdtool goes on from there. NaN is none yet.
func (x *rrdWriter) begun(f rrdstore.Function, source string, end, per int64) (value float64, unknown int64) {
	value = nan
	if per == 1 {
		return value, 0
	}
	points := x.points(source)
	for t := end + seconds(x.Step); t <= x.last; t += seconds(x.Step) {
		v := points(t)
		switch {
		case !isNumber(v):
			unknown++
		case math.IsNaN(value), f == rrdstore.Last:
			value = v
		case f == rrdstore.Average:
			value += v // a sum until the row is complete
		case f == rrdstore.Min:
			value = min(value, v)
		case f == rrdstore.Max:
			value = max(value, v)
		}
	}
	return value, unknown
}

// points finds the primary data points of a source.
func (x *rrdWriter) points(source string) func(t int64) float64 {
	r := x.Points
	for i := range x.Archives {
		if r == nil && x.Archives[i].Result.Step == x.Step {
			r = x.Archives[i].Result
		}
	}
	if r != nil {
		for i := range r.Columns {
			if c := &r.Columns[i]; c.Source.Name == source {
				return func(t int64) float64 {
					n := (t-r.Start.Unix())/seconds(r.Step) - 1
					if t <= r.Start.Unix() || n >= int64(len(c.Values)) {
						return nan
					}
					return c.Values[n]
				}
			}
		}
	}
	return func(int64) float64 { return nan }
}

// stampText is a time as rrdtool dump has it in comments.
func stampText(unix int64) string { return time.Unix(unix, 0).UTC().Format("2006-01-02 15:04:05 UTC") }

func number(v float64) string { return string(appendRRDNumber(nil, v)) }

// appendRRDNumber writes a number with an exponent, as rrdtool dump does, in as
// many digits as it takes.
func appendRRDNumber(b []byte, v float64) []byte {
	if !isNumber(v) {
		return append(b, "NaN"...)
	}
	return strconv.AppendFloat(b, v, 'e', -1, 64)
}
