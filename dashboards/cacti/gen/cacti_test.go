package main

import (
	"bytes"
	"fmt"
	"image/png"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"lvs/internal/lab"
	"lvs/mib"
)

// TestCactiShowsTheDirector installs the pack in a real Cacti as an operator does
// and lets it poll a director, whose services change meanwhile. Every RRD file has
// to hold what the director answered for the very service, real server or host
// that its graph is titled with.
func TestCactiShowsTheDirector(t *testing.T) {
	t.Parallel()
	d := startDirector(t)
	c := installCacti(t)
	c.install()
	d.pass()
	m := &monitor{cacti: c, director: d, names: identifiers(mib.Objects()), owners: map[string]string{}}
	m.addDevice()
	m.addGraphs()
	m.poll()
	m.check("first poll")
	d.pass()
	m.poll()
	m.check("second poll")

	// Removed and added between two polls: their number stays the same.
	d.removeService("udp/192.0.2.11:53")
	d.addService("tcp/192.0.2.13:25", 0, "10.0.0.2:25", "10.0.0.11:25")
	d.pass()
	m.poll()
	m.awaitIndex("tcp/192.0.2.13:25")
	m.addGraphs()
	for range 2 {
		d.pass()
		m.poll()
	}
	m.check("after the change")
	m.pictures()
}

// A monitor is a Cacti that watches a director.
type monitor struct {
	*cacti
	director *director
	names    names
	host     string
	// owners are the data sources: what each of them is about, since it was made.
	owners map[string]string
	polls  int
}

// addDevice adds the director with the pack's host template.
func (m *monitor) addDevice() {
	m.t.Helper()
	_, port, err := net.SplitHostPort(m.director.addr)
	m.must(err)
	template := m.number("host_template", id(hostTemplateID, packs()[0].host))
	m.php("cli/add_device.php", "--description=director", "--ip=127.0.0.1", "--port="+port, "--template="+template,
		"--version=2", "--community="+lab.Community, "--avail=snmp")
	m.host = m.sql("SELECT id FROM host WHERE description = 'director'")[0][0]
}

// addGraphs adds every graph for every row that has none yet. The graphs of the
// director as a whole came with the device.
func (m *monitor) addGraphs() {
	m.t.Helper()
	for _, p := range packs() {
		for _, q := range p.queries {
			for _, g := range q.graphs {
				m.php("cli/add_graphs.php", "--graph-type=ds", "--host-id="+m.host,
					"--graph-template-id="+m.number("graph_templates", id(graphTemplate, g.name)),
					"--snmp-query-id="+m.number("snmp_query", id(dataQuery, q.name)),
					"--snmp-query-type-id="+m.number("snmp_query_graph", id(queryGraph, q.name, g.name)),
					"--snmp-field="+q.order[0], "--snmp-value-regex=.*")
			}
		}
	}
}

// poll runs the poller once, in a second of its own.
func (m *monitor) poll() {
	m.t.Helper()
	last := time.Now().Unix()
	for time.Now().Unix() == last {
		time.Sleep(10 * time.Millisecond) // RRD files are of whole seconds
	}
	m.sql("UPDATE poller_item SET rrd_next_step = 0") // a poll is due
	m.php("site/poller.php", "--force")
	m.polls++
}

// awaitIndex waits until the poller has noticed by itself that rows moved.
func (m *monitor) awaitIndex(key string) {
	m.t.Helper()
	number := ""
	for index, owner := range m.director.rows("lvs_services") {
		if owner == key {
			number = index
		}
	}
	lab.Wait(m.t, "the new service in Cacti's index", func() bool {
		return len(m.sql("SELECT 1 FROM host_snmp_cache WHERE field_name = 'lvsServiceNumber' AND snmp_index = '"+number+"'")) > 0
	})
}

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

// check holds every RRD file against the director.
func (m *monitor) check(when string) {
	m.t.Helper()
	sources, values := m.dataSources(), 0
	updates := m.lastUpdates(sources)
	for _, ds := range sources {
		query, s := m.find(ds)
		rows := m.director.rows(query)
		if query != "" && m.owners[ds.id] == "" {
			m.owners[ds.id] = rows[ds.index]
		}
		index, lives := "0", true
		if query != "" {
			index, lives = indexOf(rows, m.owners[ds.id])
		}
		for i, src := range s.sources {
			got := updates[ds.id][i]
			if !lives {
				continue // its row is gone
			}
			oid, err := m.names.oid(src.column)
			m.must(err)
			want, ok := m.director.value(m.t, oid+"."+index)
			if !ok || got != strconv.FormatUint(want, 10) {
				m.t.Errorf("%s: %s of %q (%s.%s): the RRD file has %s, the director answers %d", when, src.name, m.owners[ds.id], src.column, index, got, want)
			}
			values++
		}
	}
	m.t.Logf("%s: %d RRD files, %d values", when, len(sources), values)
}

func indexOf(rows map[string]string, owner string) (index string, ok bool) {
	for index, o := range rows {
		if o == owner {
			return index, true
		}
	}
	return "", false
}

// find is the query and the store that a data source was made by.
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

// lastUpdates are the raw values of the last update of each RRD file, in the
// order of its store's sources.
func (m *monitor) lastUpdates(sources []dataSource) map[string][]string {
	m.t.Helper()
	var commands bytes.Buffer
	for _, ds := range sources {
		fmt.Fprintf(&commands, "lastupdate %s\n", ds.path)
	}
	out := lab.RunInput(m.t, commands.Bytes(), "rrdtool", "-")
	updates := map[string][]string{}
	for i, answer := range strings.Split(out, "OK u:")[:len(sources)] {
		ds := sources[i]
		_, s := m.find(ds)
		names, values, ok := strings.Cut(answer, "\n\n")
		if !ok {
			m.t.Fatalf("rrdtool lastupdate %s: %s", ds.path, answer)
		}
		at := map[string]string{}
		_, values, _ = strings.Cut(values, ": ")
		if lines := strings.Split(names, "\n"); len(lines) > 0 {
			names = lines[len(lines)-1]
		}
		fields := strings.Fields(values)
		for i, name := range strings.Fields(names) {
			at[name] = fields[i]
		}
		for _, src := range s.sources {
			updates[ds.id] = append(updates[ds.id], at[src.name])
		}
	}
	return updates
}

// pictures renders every graph and looks whether something is drawn in it.
func (m *monitor) pictures() {
	m.t.Helper()
	dir := m.t.TempDir()
	m.php(absolute(m.t, "testdata/render.php"), m.path("site"), dir, "60")
	graphs := m.sql("SELECT local_graph_id, title_cache FROM graph_templates_graph WHERE local_graph_id > 0 ORDER BY local_graph_id")
	for _, g := range graphs {
		b, err := os.ReadFile(filepath.Join(dir, g[0]+".png"))
		m.must(err)
		img, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			m.t.Errorf("%s: %v: %.200q", g[1], err, b)
			continue
		}
		colours := map[string]int{}
		for y := range img.Bounds().Dy() {
			for x := range img.Bounds().Dx() {
				r, gr, bl, _ := img.At(x, y).RGBA()
				colours[fmt.Sprintf("%02X%02X%02X", r>>8, gr>>8, bl>>8)]++
			}
		}
		drawn := colours[green] + colours[blue] + colours[orange] + colours[red] + colours[purple] + colours[grey]
		if drawn < 300 {
			m.t.Errorf("%s: nothing is drawn in it: %v", g[1], drawn)
		}
		if keep := os.Getenv("CACTI_KEEP"); keep != "" {
			os.WriteFile(filepath.Join(keep, g[0]+".png"), b, 0o644)
		}
	}
	m.t.Logf("%d pictures", len(graphs))
	_ = slices.Sorted(maps.Keys(m.owners))
}
