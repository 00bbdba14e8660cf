//go:build lab

package e2e

import (
	"fmt"
	"time"
)

// configs are the configured cells of the rows of a document.
func (d *document) configs() (map[row]config, error) {
	m := map[row]config{}
	add := func(r row, c config) error {
		if _, twice := m[r]; twice {
			return fmt.Errorf("%v is there twice", r)
		}
		m[r] = c
		return nil
	}
	for _, s := range d.Services {
		if err := add(row{service: s.Key}, config{scheduler: s.Scheduler, timeout: s.Timeout}); err != nil {
			return nil, err
		}
		for _, r := range s.Reals {
			c := config{method: r.Method, weight: r.Weight, upper: r.Upper, lower: r.Lower}
			if err := add(row{s.Key, r.Address}, c); err != nil {
				return nil, err
			}
		}
	}
	return m, nil
}

// reading is when the table of the document was read.
func (d *document) reading() span {
	took := time.Duration(d.Took*float64(time.Second)) + time.Millisecond
	return span{d.Time.Add(-took), d.Time}
}

// A verdict is what was found of documents; wrong are the first wrong cells.
type verdict struct {
	documents, rows, cells int
	faults                 int
	wrong                  []string
	unsure                 int // rows that may be missing, as the document says, and are
}

func (v *verdict) fault(format string, args ...any) {
	v.faults++
	if len(v.wrong) < 20 {
		v.wrong = append(v.wrong, fmt.Sprintf(format, args...))
	}
}

// judge holds a document against what the table was while it was read: each row
// and all its cells must have been there at once, and none may be missing that
// was there all the while, unless the document says that it is not sure.
func (e *editor) judge(d *document, v *verdict) {
	shown, err := d.configs()
	if err != nil {
		v.fault("%v: %v", d.Tick, err)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	w := d.reading()
	v.documents++
	for at, c := range shown {
		v.rows++
		v.cells += 2 // scheduler and timeout
		if at.real != "" {
			v.cells += 2 // method, weight, and both thresholds
		}
		if l := e.lives[at]; l == nil || !l.had(c, w) {
			v.fault("%v: %v is shown as %+v, which it was not", d.Tick, at, c)
		}
	}
	for at, l := range e.lives {
		if _, there := shown[at]; !there && l.stayed(w) {
			if d.Unsure > 0 {
				v.unsure++
			} else {
				v.fault("%v: %v is missing", d.Tick, at)
			}
		}
		l.forget(w.from.Add(-time.Minute))
	}
}

// A roster holds row numbers to their promise: given once, never to another.
type roster struct {
	of map[row]number
	to map[number]row
}

// judge takes over the numbers of a document.
func (ro *roster) judge(d *document, v *verdict) {
	if ro.of == nil {
		ro.of, ro.to = map[row]number{}, map[number]row{}
	}
	rows := 0
	for _, s := range d.Services {
		rows += 1 + len(s.Reals)
	}
	numbers := d.numbers()
	if len(numbers) != rows {
		v.fault("%v: %d numbers for %d rows", d.Tick, len(numbers), rows)
	}
	for n, at := range numbers {
		if was, known := ro.of[at]; known && was != n {
			v.fault("%v: %v has number %v, had %v", d.Tick, at, n, was)
		}
		if was, known := ro.to[n]; known && was != at {
			v.fault("%v: number %v is %v, was %v", d.Tick, n, at, was)
		}
		if n.service == 0 || at.real != "" && n.real == 0 {
			v.fault("%v: %v has no number", d.Tick, at)
		}
		ro.of[at], ro.to[n] = n, at
	}
}

// differences lists what another window shows otherwise than want, in the
// columns it has.
func (w window) differences(want table) (wrong []string, cells int) {
	for r, c := range want {
		have, there := w.table[r]
		if !there {
			wrong = append(wrong, fmt.Sprintf("%s: %v is missing", w.name, r))
			continue
		}
		columns := w.services
		if r.real != "" {
			columns = w.real
		}
		for _, column := range columns {
			cells++
			if got, ok := have[column]; !ok || got != c[column] {
				wrong = append(wrong, fmt.Sprintf("%s: %v %s is %d, want %d", w.name, r, column, got, c[column]))
			}
		}
	}
	for r := range w.table {
		if _, there := want[r]; !there {
			wrong = append(wrong, fmt.Sprintf("%s: %v should not be there", w.name, r))
		}
	}
	return wrong, cells
}
