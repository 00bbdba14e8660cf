package main

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"lvs/internal/lab"
)

// A dataSource is one RRD file and what Cacti says that it holds.
type dataSource struct{ id, query, index, template, path string }

func (m *monitor) dataSources() (list []dataSource) {
	m.t.Helper()
	for _, r := range m.sql(`SELECT dl.id, IFNULL(sq.hash, ''), dl.snmp_index, dt.hash, dtd.data_source_path FROM data_local AS dl
		JOIN data_template AS dt ON dt.id = dl.data_template_id JOIN data_template_data AS dtd ON dtd.local_data_id = dl.id
		LEFT JOIN snmp_query AS sq ON sq.id = dl.snmp_query_id ORDER BY dl.id`) {
		list = append(list, dataSource{r[0], r[1], r[2], r[3], strings.Replace(r[4], "<path_rra>", m.path("site/rra"), 1)})
	}
	return list
}

// find is the query and the store that a data source was made by; no query, if it
// is of a scalar.
func (m *monitor) find(ds dataSource) (query string, s store) {
	m.t.Helper()
	for _, p := range packs() {
		for _, q := range p.queries {
			for _, s := range q.stores {
				if strings.HasSuffix(id(dataTemplate, s.name), ds.template) && strings.HasSuffix(id(dataQuery, q.name), ds.query) {
					return q.name, s
				}
			}
		}
		for _, g := range p.loose {
			for _, s := range g.scalars {
				if strings.HasSuffix(id(dataTemplate, s.name), ds.template) {
					return "", s
				}
			}
		}
	}
	m.t.Fatalf("data source %v is of no store", ds)
	return "", store{}
}

// check holds the last update of every RRD file against the director, but for
// those of queries that are left out.
func (m *monitor) check(when string, leaveOut ...string) {
	m.t.Helper()
	values := 0
	for _, ds := range m.dataSources() {
		query, s := m.find(ds)
		if slices.Contains(leaveOut, query) {
			continue
		}
		index, lives := "0", true
		if query != "" {
			rows := m.director.rows(query)
			if m.owners[ds.id] == "" {
				m.owners[ds.id] = rows[ds.index]
			}
			index, lives = indexOf(rows, m.owners[ds.id])
		}
		for _, src := range s.sources {
			if !lives { // what it was about is gone, and nothing else may take its place
				if got := m.now[ds.id].values[src.name]; got != "U" {
					m.t.Errorf("%s: %s of %q, which is gone, is %s", when, src.name, m.owners[ds.id], got)
				}
				continue
			}
			oid, err := m.names.oid(src.column)
			m.must(err)
			want, ok := m.director.value(m.t, oid+"."+index)
			if got := m.now[ds.id].values[src.name]; !ok || got != strconv.FormatUint(want, 10) {
				m.t.Errorf("%s: %s of %q (%s.%s): the RRD file has %s, the director answers %d", when, src.name, m.owners[ds.id], src.column, index, got, want)
			}
			m.drawn[ds.id] = m.drawn[ds.id] || want != 0
			values++
		}
	}
	m.t.Logf("%s: %d values in %d RRD files", when, values, len(m.now))
}

func indexOf(rows map[string]string, owner string) (index string, ok bool) {
	for index, o := range rows {
		if o == owner {
			return index, true
		}
	}
	return "", false
}

// An update is the last of an RRD file: when, and the raw values by data source.
type update struct {
	at     int64
	values map[string]string
}

// updates are the last updates of the RRD files, by the id of the data source.
func (m *monitor) updates() map[string]update {
	m.t.Helper()
	all := map[string]update{}
	sources := m.dataSources()
	for i, answer := range m.rrdtool(sources, func(ds dataSource) string { return "lastupdate " + ds.path }) {
		// A line of names, an empty one, and "1700000000: 1 2 3".
		header, row, ok := strings.Cut(answer, "\n\n")
		at, values, ok2 := strings.Cut(row, ": ")
		fields := strings.Fields(values)
		if !ok || !ok2 || len(fields) != len(strings.Fields(header)) {
			m.t.Fatalf("rrdtool lastupdate %s: %s", sources[i].path, answer)
		}
		u := update{values: map[string]string{}}
		u.at, _ = strconv.ParseInt(at, 10, 64)
		for i, name := range strings.Fields(header) {
			u.values[name] = fields[i]
		}
		all[sources[i].id] = u
	}
	return all
}

// checkRates holds what the RRD files make of counters against their growth in
// the last two polls: nothing where one fell, as a Counter32 does that wraps.
func (m *monitor) checkRates() {
	m.t.Helper()
	sources, wraps, rates := m.dataSources(), 0, 0
	answers := m.rrdtool(sources, func(ds dataSource) string {
		at := m.now[ds.id].at
		return fmt.Sprintf("fetch %s AVERAGE --resolution 1 --start %d --end %d", ds.path, at-1, at-1)
	})
	for i, ds := range sources {
		_, s := m.find(ds)
		before, now := m.before[ds.id], m.now[ds.id]
		if now.at == before.at {
			continue
		}
		header, row, _ := strings.Cut(answers[i], "\n\n")
		_, row, _ = strings.Cut(row, ": ")
		fields := strings.Fields(row)
		for i, name := range strings.Fields(header) {
			if src := s.source(name); src.kind != derive {
				continue
			}
			from, err1 := strconv.ParseUint(before.values[name], 10, 64)
			to, err2 := strconv.ParseUint(now.values[name], 10, 64)
			got, err := strconv.ParseFloat(strings.TrimPrefix(fields[i], "-"), 64) // -nan; no rate is negative
			if err1 != nil || err2 != nil {
				continue // removed, or only just added
			}
			want := float64(to-from) / float64(now.at-before.at)
			if to < from {
				want = math.NaN()
				wraps++
			}
			if err != nil || math.IsNaN(got) != math.IsNaN(want) || math.Abs(got-want) > 1e-6*want {
				m.t.Errorf("%s of %q: the RRD file's rate is %v from %d to %d in %d s", name, m.owners[ds.id], got, from, to, now.at-before.at)
			}
			rates++
		}
	}
	m.t.Logf("%d rates, %d unknown because a counter wrapped", rates, wraps)
	if rates == 0 {
		m.t.Error("no rate was looked at")
	}
}

// source is the one with a name.
func (s store) source(name string) source {
	for _, src := range s.sources {
		if src.name == name {
			return src
		}
	}
	return source{}
}

// rrdtool runs a command for each data source and returns the answers in order.
func (m *monitor) rrdtool(sources []dataSource, command func(dataSource) string) []string {
	m.t.Helper()
	var commands bytes.Buffer
	for _, ds := range sources {
		fmt.Fprintln(&commands, command(ds))
	}
	out := lab.RunInput(m.t, commands.Bytes(), "rrdtool", "-")
	var answers []string
	for answer := range strings.SplitSeq(out, "OK u:") {
		if _, rest, ok := strings.Cut(answer, "\n"); ok && len(answers) > 0 {
			answer = rest // the rest of the line above is times
		}
		answers = append(answers, strings.TrimSpace(answer))
	}
	if len(answers) < len(sources) || strings.Contains(out, "ERROR") {
		m.t.Fatalf("rrdtool has %d answers for %d files:\n%.2000s", len(answers), len(sources), out)
	}
	return answers[:len(sources)]
}
