package export

import (
	"slices"
	"time"

	"lvs/rrdstore"
)

// A rawLayout says where the values of an entry belong.
type rawLayout struct {
	sources  []string
	standard []int          // the place of each standard source; -1 where it is not wanted
	others   map[string]int // that of every source by name
	kinds    map[string]rrdstore.Kind
}

// newRawLayout has the named sources, the standard ones first; nil is these.
func newRawLayout(sources []string) rawLayout {
	standard := rrdstore.StandardSources()
	if sources == nil {
		for _, s := range standard {
			sources = append(sources, s.Name)
		}
	}
	l := rawLayout{sources: standardFirst(sources), others: map[string]int{}, kinds: map[string]rrdstore.Kind{}}
	for _, s := range standard {
		l.standard = append(l.standard, slices.Index(l.sources, s.Name))
		l.kinds[s.Name] = s.Kind
	}
	for i, name := range l.sources {
		l.others[name] = i
	}
	return l
}

// described are the sources with the kinds that entries told.
func (l *rawLayout) described() (all []rrdstore.Source) {
	for _, name := range l.sources {
		all = append(all, rrdstore.Source{Name: name, Kind: l.kinds[name]})
	}
	return all
}

// A rawValue is the value that a series had at a tick, if one was taken.
type rawValue struct {
	rrdstore.Value
	taken bool // an unknown Value, if it is, was looked for
}

// entry puts the values of e into their places.
func (l *rawLayout) entry(values []rawValue, e *rrdstore.Entry) {
	clear(values)
	for i, v := range [...]uint64{
		e.Total.Connections, e.Total.InPackets, e.Total.OutPackets, e.Total.InBytes, e.Total.OutBytes,
		e.Active, e.Inactive, e.Persistent, e.Weight,
	} {
		if at := l.standard[i]; at >= 0 && e.Has(i) {
			values[at] = rawValue{rrdstore.UintValue(v), true}
		}
	}
	for _, o := range e.Others {
		if at, ok := l.others[o.Source.Name]; ok {
			values[at].taken = true
			if isNumber(o.Value.Float()) {
				values[at].Value = o.Value
			}
			l.kinds[o.Source.Name] = o.Source.Kind
		}
	}
}

// director puts the director's values of a row into their places. Of the gauges
// it has the first alone, its connections, unless an import brought others.
func (l *rawLayout) director(values []rawValue, row *rrdstore.Row) {
	e := rrdstore.Entry{Total: row.Total, Active: row.Connections, Others: row.Others}
	if row.HasStats {
		e.Known = 1<<numCounters - 1
	}
	if row.HasConnections {
		e.Known |= 1 << numCounters
	}
	l.entry(values, &e)
}

// numCounters is how many of the standard sources are counters, which come first.
const numCounters = 5

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

func (e *csvWide) beginRaw(sources []string) error {
	_, err := e.out.WriteString(wideHeader(sources))
	return err
}

// entry tells a value that was not known from one that was not taken.
func (e *csvWide) entry(t time.Time, s *rrdstore.Series, values []rawValue) error {
	e.lines.at(t)
	line := e.lines.begin(s)
	for _, v := range values {
		line = append(line, ',')
		if v.taken && !v.Known() {
			line = append(line, "NaN"...)
		}
		line = appendValue(line, v.Value)
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

// entry leaves out what was not taken.
func (e *csvLong) entry(t time.Time, s *rrdstore.Series, values []rawValue) error {
	e.time = append(t.UTC().AppendFormat(e.time[:0], time.RFC3339), ',')
	e.time = append(e.time, e.keys.of(s, func() string { return quotedKey(s) })...)
	for i, v := range values {
		if !v.taken {
			continue
		}
		e.line = append(append(e.line[:0], e.time...), e.tails[i]...)
		e.line = append(appendValue(e.line, v.Value), '\n')
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
		line = appendValue(line, v.Value)
	}
	return e.lines.end(e.out, line)
}
