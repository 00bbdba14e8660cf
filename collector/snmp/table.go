package snmp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gosnmp/gosnmp"
)

// A tableSpec is a table to be read: its entry's name and the columns wanted. The
// first column has a cell in every row.
type tableSpec struct {
	name  string
	entry string // ".1.3.6.1.4.1.8225.4711.17.1"
	cols  []int  // sub-identifiers
	// sparse says that other columns may lack the cells of some rows. Otherwise a
	// column has a cell in each row or, where the agent does not know it, none.
	sparse bool
}

// A table is what was read: the rows' indexes, rising, and in each column a value
// for each of them.
type table struct {
	spec    *tableSpec
	index   []string // ".3.1": as dotted arcs
	columns [][]value
}

// A column is one being read. Its cells are of rising indexes.
type column struct {
	prefix string // its name and a dot
	index  []string
	cells  []value
	ended  bool
}

// A reading is a table being read.
type reading struct {
	*client
	spec    *tableSpec
	columns []*column
	atOnce  *int // variables in an answer; it shrinks where that is too much
	expect  int  // rows, by the last reading; 0 is unknown
	most    int  // rows there may be
	size    int  // bytes of what was taken, roughly
}

// maxRoom bounds what is made ready for rows that an agent says it has.
const maxRoom = 4096

// read reads a table as it is now. Rows that came or went meanwhile are an
// ErrChanged.
func (c *client) read(ctx context.Context, spec *tableSpec, atOnce *int, expect, most int) (*table, error) {
	r := &reading{client: c, spec: spec, atOnce: atOnce, expect: expect, most: most}
	room := min(expect, maxRoom)
	for _, sub := range spec.cols {
		r.columns = append(r.columns, &column{prefix: spec.entry + "." + strconv.Itoa(sub) + ".", index: make([]string, 0, room), cells: make([]value, 0, room)})
	}
	for failures := 0; ; {
		live := r.live()
		if len(live) == 0 {
			break
		}
		err := r.step(ctx, live, failures)
		if err == nil {
			failures = 0
			continue
		}
		// One answer may have been lost for any reason.
		if errors.Is(err, errTooBig) && r.shrink(len(live)) {
			continue
		}
		if errors.Is(err, ErrTimeout) && failures > 0 {
			r.shrink(len(live))
		}
		if failures++; failures >= c.tries || hopeless(ctx, err) || errors.Is(err, ErrTooMuch) {
			return nil, fmt.Errorf("%s: %w", spec.name, err)
		}
	}
	return r.join()
}

// live are the columns to ask for next: those that are furthest behind, which are
// all of them where they fit into one answer.
func (r *reading) live() []*column {
	var live []*column
	for _, c := range r.columns {
		if !c.ended {
			live = append(live, c)
		}
	}
	if most := max(1, *r.atOnce); len(live) > most {
		slices.SortStableFunc(live, func(a, b *column) int { return len(a.index) - len(b.index) })
		live = live[:most]
	}
	return live
}

// errTooBig is the agent's tooBig, or an answer cut off before its first row.
var errTooBig = fmt.Errorf("%w: the answer would be too big", ErrStatus)

// shrink asks for less from now on: the answer was, or may have been, too big for
// its way. It reports whether that was possible.
func (r *reading) shrink(columns int) bool {
	if *r.atOnce <= 1 {
		return false
	}
	*r.atOnce = max(1, min(*r.atOnce, columns*r.repetitions(columns))/2)
	return true
}

// repetitions are how many rows to ask for: no more than fit, and not far beyond
// the end of the table.
func (r *reading) repetitions(columns int) int {
	if r.g.Version == gosnmp.Version1 {
		return 1
	}
	n := *r.atOnce / columns
	if left := r.expect - len(r.columns[0].index) + 1; r.expect > 0 && left > 0 {
		n = min(n, left)
	}
	return max(1, n)
}

// step asks for the next cells of the live columns.
func (r *reading) step(ctx context.Context, live []*column, again int) error {
	asked := make([]string, len(live))
	for i, c := range live {
		asked[i] = strings.TrimSuffix(c.prefix, ".")
		if n := len(c.index); n > 0 {
			asked[i] += c.index[n-1]
		}
	}
	kind, repetitions := getBulk, r.repetitions(len(live))
	if r.g.Version == gosnmp.Version1 {
		kind = getNext
	}
	p, err := r.try(ctx, kind, asked, repetitions, again)
	if err != nil {
		return err
	}
	switch {
	case p.Error == gosnmp.NoSuchName && kind == getNext && p.ErrorIndex > 0 && int(p.ErrorIndex) <= len(live):
		live[p.ErrorIndex-1].ended = true // v1: behind the last variable of all
		return nil
	case p.Error == gosnmp.TooBig:
		return errTooBig
	case p.Error != gosnmp.NoError:
		return fmt.Errorf("%w: %v", ErrStatus, p.Error)
	case len(p.Variables) > len(live)*repetitions:
		return badAnswer("it has %d variables, more than the %d asked for", len(p.Variables), len(live)*repetitions)
	case len(p.Variables) < len(live) && kind == getNext:
		return badAnswer("it has %d variables of %d", len(p.Variables), len(live))
	case len(p.Variables) < len(live) && len(live) > 1:
		return errTooBig
	case len(p.Variables) < len(live):
		return badAnswer("it has no variable")
	}
	return r.take(live, p.Variables)
}

// maxTable bounds what is kept of a table while it is read, of which each cell
// takes cellSize bytes and its text.
const (
	maxTable = 128 << 20
	cellSize = 64
)

// take adds the whole rows of an answer to the columns, or nothing.
func (r *reading) take(live []*column, vars []gosnmp.SnmpPDU) (err error) {
	type mark struct {
		n     int
		ended bool
	}
	before := make([]mark, len(live))
	for i, c := range live {
		before[i] = mark{len(c.index), c.ended}
	}
	rows := len(vars) / len(live)
	for i := 0; i < rows*len(live) && err == nil; i++ {
		err = live[i%len(live)].add(&vars[i], live[0])
	}
	for i, c := range live {
		for _, v := range c.cells[before[i].n:] {
			r.size += cellSize + len(v.text)
		}
		if err == nil && len(c.index) > r.most {
			err = fmt.Errorf("%w: more than %d rows", ErrTooMuch, r.most)
		}
		if err == nil && r.size > maxTable {
			err = fmt.Errorf("%w: more than %d MiB", ErrTooMuch, maxTable>>20)
		}
		if err != nil {
			c.index, c.cells, c.ended = c.index[:before[i].n], c.cells[:before[i].n], before[i].ended
		}
	}
	return err
}

// add takes the variable that follows the column's last cell. Where another column
// has the same index there, one text of it is kept.
func (c *column) add(v *gosnmp.SnmpPDU, other *column) error {
	if c.ended {
		return nil
	}
	if v.Type == gosnmp.EndOfMibView {
		c.ended = true
		return nil
	}
	if !strings.HasPrefix(v.Name, c.prefix) {
		if compare(v.Name, c.prefix) <= 0 {
			return badAnswer("%s follows %s: names do not rise", v.Name, c.prefix)
		}
		c.ended = true
		return nil
	}
	index := v.Name[len(c.prefix)-1:] // with its dot, as it is appended to names
	if n := len(c.index); n > 0 && compare(index, c.index[n-1]) <= 0 {
		return badAnswer("%s follows %s%s: names do not rise", v.Name, strings.TrimSuffix(c.prefix, "."), c.index[n-1])
	}
	cell, err := valueOf(v)
	if err != nil {
		return err
	}
	if cell.kind == absent {
		return badAnswer("%s is %v", v.Name, v.Type)
	}
	if at := len(c.index); at < len(other.index) && other.index[at] == index {
		index = other.index[at]
	}
	c.index, c.cells = append(c.index, index), append(c.cells, cell)
	return nil
}

// compare orders dotted names by their arcs. What is not a number is less than
// any.
func compare(a, b string) int {
	for a != "" || b != "" {
		var x, y int64
		x, a = arc(a)
		y, b = arc(b)
		if x != y {
			if x < y {
				return -1
			}
			return 1
		}
	}
	return 0
}

// arc takes the first arc off a dotted name; -1 where there is none.
func arc(s string) (n int64, rest string) {
	s = strings.TrimPrefix(s, ".")
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' && n < 1<<40 {
		n = 10*n + int64(s[i]-'0')
		i++
	}
	if i == 0 {
		return -1, ""
	}
	return n, s[i:]
}

// join makes rows of the columns.
func (r *reading) join() (*table, error) {
	key := r.columns[0]
	t := &table{spec: r.spec, index: key.index}
	for _, c := range r.columns {
		switch {
		case len(c.index) == 0:
			t.columns = append(t.columns, nil)
		case slices.Equal(c.index, key.index):
			t.columns = append(t.columns, c.cells)
		case !r.spec.sparse:
			return nil, fmt.Errorf("%s: %w: %d rows have %s and %d have %s", r.spec.name, ErrChanged, len(c.index), c.prefix, len(key.index), key.prefix)
		default:
			cells, ok := spread(c, key.index)
			if !ok {
				return nil, fmt.Errorf("%s: %w: %s has rows that %s has not", r.spec.name, ErrChanged, c.prefix, key.prefix)
			}
			t.columns = append(t.columns, cells)
		}
	}
	return t, nil
}

// spread puts the cells of a column where their rows are.
func spread(c *column, rows []string) ([]value, bool) {
	cells := make([]value, len(rows))
	at := 0
	for i, index := range rows {
		if at < len(c.index) && c.index[at] == index {
			cells[i] = c.cells[at]
			at++
		}
	}
	return cells, at == len(c.index)
}
