package e2e

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// A row names a service by its canonical key, or one of its real servers by its
// address besides; real is empty for the service itself.
type row struct{ service, real string }

func (r row) String() string {
	if r.real == "" {
		return r.service
	}
	return r.service + " " + r.real
}

func (r row) compare(o row) int {
	return cmp.Or(cmp.Compare(r.service, o.service), cmp.Compare(r.real, o.real))
}

// Columns of a table, named as the JSON document names them.
var (
	counters = []string{"connections", "in_packets", "out_packets", "in_bytes", "out_bytes"}
	gauges   = []string{"active", "inactive", "persistent", "weight"}
	all      = slices.Concat(counters, gauges)
)

// cells are the integers of a row by column. Gauges of a service are the sums
// over its real servers.
type cells map[string]uint64

// A table is what a window shows.
type table map[row]cells

// set puts a value into its cell, once.
func (tb table) set(r row, column string, value uint64) error {
	if tb[r] == nil {
		tb[r] = cells{}
	}
	if old, twice := tb[r][column]; twice {
		return fmt.Errorf("%v: %s is there twice, %d and %d", r, column, old, value)
	}
	tb[r][column] = value
	return nil
}

// add adds the counters of o to those of tb, as a total goes on after the kernel
// has begun anew.
func (tb table) add(o table) {
	for r, from := range o {
		if tb[r] == nil {
			tb[r] = cells{}
		}
		for _, c := range counters {
			tb[r][c] += from[c]
		}
	}
}

// only are those rows of tb that keep wants.
func (tb table) only(keep func(row) bool) table {
	out := maps.Clone(tb)
	maps.DeleteFunc(out, func(r row, _ cells) bool { return !keep(r) })
	return out
}

// rows in an order for people.
func (tb table) rows() []row { return slices.SortedFunc(maps.Keys(tb), row.compare) }

// counted reports whether anything was.
func (c cells) counted() bool {
	return slices.ContainsFunc(counters, func(name string) bool { return c[name] != 0 })
}

// A window is a table and the columns that this way of reading has; a cell that
// is missing among those is an error like a wrong one.
type window struct {
	name           string
	table          table
	services, real []string
}

// compare holds a window against want and returns how many cells were compared:
// those that want has.
func (w window) compare(t *testing.T, want table) (compared int) {
	t.Helper()
	var wrong []string
	for _, r := range want.rows() {
		have, there := w.table[r]
		if !there {
			wrong = append(wrong, fmt.Sprintf("%v is missing", r))
			continue
		}
		columns := w.services
		if r.real != "" {
			columns = w.real
		}
		for _, c := range columns {
			v, known := want[r][c]
			if !known {
				continue
			}
			compared++
			if got, ok := have[c]; !ok {
				wrong = append(wrong, fmt.Sprintf("%v has no %s", r, c))
			} else if got != v {
				wrong = append(wrong, fmt.Sprintf("%v %s is %d, want %d", r, c, got, v))
			}
		}
	}
	for _, r := range w.table.rows() {
		if _, there := want[r]; !there {
			wrong = append(wrong, fmt.Sprintf("%v should not be there", r))
		}
	}
	if n := len(wrong); n > 0 {
		t.Errorf("%s: %d of %d cells wrong:\n\t%s", w.name, n, compared, strings.Join(wrong[:min(n, 20)], "\n\t"))
	}
	return compared
}
