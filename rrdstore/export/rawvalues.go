package export

import (
	"time"

	"lvs/dataplane"
	"lvs/rrdstore"
)

// numStandard is how many standard sources there are; numCounters, how many of
// them are counters, which come first.
const (
	numStandard = 9
	numCounters = 5
)

// standardSource is the standard source of that name.
func standardSource(name string) rrdstore.Source {
	for _, s := range rrdstore.StandardSources() {
		if s.Name == name {
			return s
		}
	}
	return rrdstore.Source{Name: name}
}

// directorOf is the director among series; nil if it is not there.
func directorOf(series []*rrdstore.Series) *rrdstore.Series {
	for _, s := range series {
		if scopeOf(s) == scopeDirector {
			return s
		}
	}
	return nil
}

// directorValues are a row's of the director, which has no gauges but the number
// of its connections.
func directorValues(values *[numStandard]rawValue, row *rrdstore.Row) {
	counterValues(values, row.Total, row.HasStats)
	for i := numCounters; i < numStandard; i++ {
		values[i] = rawValue{absent: true}
	}
	values[numCounters] = rawValue{}
	if row.HasConnections {
		values[numCounters] = integer(row.Connections)
	}
}

// entryValues are those of a service or real server.
func entryValues(values *[numStandard]rawValue, row *rrdstore.Row, e *rrdstore.Entry) {
	counterValues(values, e.Total, !row.Partial)
	for i, v := range [...]uint64{e.Active, e.Inactive, e.Persistent, e.Weight} {
		values[numCounters+i] = integer(v)
	}
}

func counterValues(values *[numStandard]rawValue, c dataplane.Counters, known bool) {
	for i, v := range [numCounters]uint64{c.Connections, c.InPackets, c.OutPackets, c.InBytes, c.OutBytes} {
		values[i] = rawValue{}
		if known {
			values[i] = integer(v)
		}
	}
}

func integer(u uint64) rawValue { return rawValue{Value: rrdstore.UintValue(u)} }

func (e *csvWide) beginRaw(sources []string) error {
	_, err := e.out.WriteString(wideHeader(sources))
	return err
}

func (e *csvWide) entry(t time.Time, s *rrdstore.Series, values []rawValue) error {
	e.lines.at(t)
	line := e.lines.begin(s)
	for _, v := range values {
		line = v.Append(append(line, ','))
	}
	return e.lines.end(e.out, line)
}

func (e *csvLong) beginRaw(sources []string) error {
	for _, s := range sources {
		e.tails = append(e.tails, ","+s+",")
	}
	_, err := e.out.WriteString(longHeader + "\n")
	return err
}

func (e *csvLong) entry(t time.Time, s *rrdstore.Series, values []rawValue) error {
	e.time = append(t.UTC().AppendFormat(e.time[:0], time.RFC3339), ',')
	e.time = append(e.time, e.keys.of(s, func() string { return quotedKey(s) })...)
	for i, v := range values {
		if v.absent {
			continue
		}
		e.line = append(append(e.line[:0], e.time...), e.tails[i]...)
		e.line = append(v.Append(e.line), '\n')
		if _, err := e.out.Write(e.line); err != nil {
			return err
		}
	}
	return nil
}

func (e *ndjson) beginRaw(sources []string) error {
	for _, s := range sources {
		e.members = append(e.members, `,"`+s+`":`)
	}
	return nil
}

func (e *ndjson) entry(t time.Time, s *rrdstore.Series, values []rawValue) error {
	line := e.lines.begin(t, s)
	for i, v := range values {
		line = append(line, e.members[i]...)
		if !v.Known() {
			line = append(line, "null"...)
			continue
		}
		line = v.Append(line)
	}
	return e.lines.end(e.out, line)
}
