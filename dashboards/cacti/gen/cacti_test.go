package main

import (
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"lvs/dataplane"
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
	if out := c.install(); strings.Contains(out, "[new]") || strings.Contains(out, "[updated]") {
		t.Errorf("the second import does more than the first:\n%s", out)
	}
	d.pass()
	m := &monitor{cacti: c, director: d, names: identifiers(mib.Objects()), owners: map[string]string{}, drawn: map[string]bool{}}
	m.addDevice()
	m.addGraphs()
	m.poll()
	m.check("first poll")
	if got, want := len(m.dataSources()), m.wanted(); got != want {
		t.Errorf("%d RRD files for what fits into %d", got, want)
	}
	d.pass()
	m.poll()
	m.check("second poll")
	m.checkRates()

	// One removed and one added between two polls: their number stays the same.
	dns := d.removeService("udp/192.0.2.11:53")
	d.addService("tcp/192.0.2.13:25", dataplane.Masquerade, "10.0.0.2:25", "10.0.0.11:25")
	d.quiesce("tcp/192.0.2.10:80")
	d.pass()
	m.poll()
	m.awaitIndex()
	m.addGraphs()
	for range 2 {
		d.pass()
		m.poll()
	}
	m.check("after the change")
	m.checkRates()

	// What was removed comes back, and so do its graphs.
	d.source.Services = append(d.source.Services, dns)
	d.pass()
	m.poll()
	m.awaitIndex()
	d.pass()
	m.poll()
	m.check("after its return")
	m.checkTitles()
	m.checkPictures()

	// Where rows have keys, graphs find them again under other numbers.
	before := d.rows("lvsd_services")
	d.forget()
	d.pass()
	if maps.Equal(before, d.rows("lvsd_services")) {
		t.Fatal("every service has the number that it had")
	}
	m.poll()
	m.awaitIndex()
	d.pass()
	m.poll()
	m.check("with other numbers", "lvs_services", "lvs_real_servers")
}

// A monitor is a Cacti that watches a director.
type monitor struct {
	*cacti
	director *director
	names    names
	host     string
	// owners are what each data source is about, since it was made.
	owners map[string]string
	// drawn are the data sources that had a value other than zero.
	drawn map[string]bool
	// before and now are the updates of the RRD files by the last two polls.
	before, now map[string]update
}

// addDevice adds the director with the pack's host template.
func (m *monitor) addDevice() {
	m.t.Helper()
	port := strconv.Itoa(int(m.director.agent.Addrs()[0].Port()))
	template := m.number("host_template", id(hostTemplateID, packs()[0].host))
	m.php("cli/add_device.php", "--description=director", "--ip=127.0.0.1", "--port="+port, "--template="+template,
		"--version=2", "--community="+lab.Community, "--avail=snmp")
	m.host = m.sql("SELECT id FROM host WHERE description = 'director'")[0][0]
}

// addGraphs adds every graph for every row that has none yet. The graphs of the
// director as a whole came with the device.
func (m *monitor) addGraphs() {
	m.t.Helper()
	m.run(10*time.Minute, absolute(m.t, "../add_graphs.sh"), m.path("cli"), m.host, "all")
}

// wanted is how many RRD files there have to be: one for each store of each row,
// however many graphs show it, and one for each scalar of each graph.
func (m *monitor) wanted() (n int) {
	for _, p := range packs() {
		for _, q := range p.queries {
			n += len(m.director.rows(q.name)) * len(q.stores)
		}
		for _, g := range p.loose {
			n += len(g.scalars)
		}
	}
	return n
}

// poll runs the poller once, in a second of its own.
func (m *monitor) poll() {
	m.t.Helper()
	for last := time.Now().Unix(); time.Now().Unix() == last; {
		time.Sleep(10 * time.Millisecond) // RRD files know whole seconds
	}
	m.sql("UPDATE poller_item SET rrd_next_step = 0") // a poll is due
	m.php("site/poller.php", "--force")
	m.before, m.now = m.now, m.updates()
}

// awaitIndex waits until the poller has noticed by itself that rows moved.
func (m *monitor) awaitIndex() {
	m.t.Helper()
	lab.Wait(m.t, "the new rows in Cacti's index", func() bool {
		for _, p := range packs() {
			for _, q := range p.queries {
				got := m.sql("SELECT snmp_index, field_value FROM host_snmp_cache WHERE field_name = '" + q.order[0] +
					"' AND snmp_query_id = " + m.number("snmp_query", id(dataQuery, q.name)))
				rows := m.director.rows(q.name)
				if len(got) != len(rows) {
					return false
				}
				for _, row := range got {
					if rows[row[0]] == "" || strings.HasPrefix(q.name, "lvsd") && rows[row[0]] != row[1] {
						return false
					}
				}
			}
		}
		return true
	})
}
