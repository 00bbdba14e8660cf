//go:build lab

package e2e

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp/cmpopts"

	"lvs/internal/lab"
)

// A site is the rich configuration with an agent and an snmpd, and what the
// totals of the rows are ahead of the kernel's counters by now.
type site struct {
	*agent
	master *lab.MasterAgent
	ahead  table
	last   *reading
}

// A reading is what all windows showed while no counter moved.
type reading struct {
	doc *document
	// kernel is the table by ipvsadm. Gauges that changed meanwhile, as old
	// connections expire when they want to, are left out, and counted in expired.
	kernel  table
	expired int
	all     []window
}

// read reads all windows, again where a counter moved meanwhile.
func (s *site) read(t *testing.T) *reading {
	t.Helper()
	for range 5 {
		before := ipvsadm(t)
		r := &reading{doc: s.sampled(), kernel: before}
		r.all = s.windows(t, r.doc)
		if r.still(ipvsadm(t)) {
			s.last = r
			return r
		}
	}
	t.Fatal("the kernel's counters go on moving")
	return nil
}

// now is the last reading while that still holds, else a new one.
func (s *site) now(t *testing.T) *reading {
	t.Helper()
	if s.last != nil && s.last.still(ipvsadm(t)) {
		return s.last
	}
	return s.read(t)
}

// still compares with what ipvsadm says after the reading.
func (r *reading) still(after table) bool {
	if len(after) != len(r.kernel) {
		return false
	}
	for at, c := range r.kernel {
		for _, column := range counters {
			if v, there := after[at][column]; !there || v != c[column] {
				return false
			}
		}
		for _, column := range gauges {
			if after[at][column] != c[column] {
				delete(c, column)
				r.expired++
			}
		}
	}
	return true
}

// window is the window of that name.
func (r *reading) window(name string) (w window, found bool) {
	for _, w := range r.all {
		if w.name == name {
			return w, true
		}
	}
	return window{}, false
}

// ipvsadm is the table now, by ipvsadm. Its listings are taken one after the
// other, and a connection may end in between: what contradicts itself is taken up
// again, five times at most.
func ipvsadm(t *testing.T) table {
	t.Helper()
	var err error
	for range 5 {
		var texts [3]string
		for i, l := range []listing{statsListing, plainListing, persistListing} {
			texts[i] = lab.Run(t, append([]string{"ipvsadm"}, l.options...)...)
		}
		var tb table
		if tb, err = ipvsadmTable(texts[0], texts[1], texts[2]); err == nil {
			return tb
		}
	}
	t.Fatalf("ipvsadm: %v", err)
	return nil
}

// windows reads every window but ipvsadm, the history for the document's tick.
func (s *site) windows(t *testing.T, doc *document) (out []window) {
	t.Helper()
	add := func(name string, services, real []string) func(table, error) {
		return func(tb table, err error) {
			t.Helper()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			out = append(out, window{name, tb, services, real})
		}
	}
	add("/api/v1/snapshot", counters, all)(doc.table())
	add("/metrics", all, all)(s.metrics("").table())
	add("/metrics as protobuf", all, all)(s.protobuf().table())
	w, err := parseWalk(slices.Concat(walk(t, s.master, ".17"), walk(t, s.master, ".18")))
	if err != nil {
		t.Fatalf("snmpbulkwalk: %v", err)
	}
	add("snmpbulkwalk", counters, append(counters[:len(counters):len(counters)], "weight"))(w.table(doc.numbers()))
	add("lvs-exporter fetch", all, all)(historyTable(t, s.store(), doc.Tick))
	return out
}

// check reads all windows and holds each against the kernel's counters, as
// ipvsadm tells them, and what totals are ahead of those. It returns the reading
// and how many cells were compared.
func (s *site) check(t *testing.T) (*reading, int) {
	t.Helper()
	r := s.read(t)
	want := table{}
	for at, c := range r.kernel {
		want[at] = maps.Clone(c)
	}
	want.add(s.ahead.only(func(at row) bool { return want[at] != nil }))
	compared := 0
	for _, w := range r.all {
		compared += w.compare(t, want)
	}
	own, err := r.doc.kernelTable()
	if err != nil {
		t.Fatal(err)
	}
	compared += window{"the kernel's in /api/v1/snapshot", own, counters, counters}.compare(t, r.kernel)
	return r, compared
}

// comparable has cmp compare names of rows as a whole.
var comparable = cmpopts.EquateComparable(row{}, number{})

// missed notes that the kernel has begun anew with these rows: what it had
// counted, totals are ahead by from now on.
func (s *site) missed(kernel table) { s.ahead.add(kernel) }

// traffic sends n connections from the client to one service. The kernel shows
// them with its next update.
func traffic(t *testing.T, n, family, address string) {
	t.Helper()
	lab.Run(t, lab.InNetNS(lab.Client, lab.Labnet(t), "get", "-n", n, "-family", family, address)...)
}

// resets are the resets of every row, none left out.
func (d *document) resetsOf() map[row]map[string]uint64 {
	m := map[row]map[string]uint64{}
	for at, a := range d.accounts() {
		m[at] = maps.Clone(a.Resets)
		if m[at] == nil {
			m[at] = map[string]uint64{}
		}
	}
	return m
}

// waitDocument waits until a document is as wanted.
func (a *agent) waitDocument(what string, ok func(*document) bool) (doc *document) {
	a.t.Helper()
	lab.Wait(a.t, what, func() bool { doc = a.document(); return ok(doc) })
	return doc
}

// counted waits until the kernel counts n connections of a service.
func (a *agent) counted(key string, n uint64) {
	a.t.Helper()
	a.waitDocument(fmt.Sprintf("%d connections of %s", n, key), func(d *document) bool {
		s := d.service(key)
		return s != nil && s.Kernel["connections"] == n
	})
}

// service is the service of that key; nil if there is none.
func (d *document) service(key string) *serviceDocument {
	for i := range d.Services {
		if d.Services[i].Key == key {
			return &d.Services[i]
		}
	}
	return nil
}
