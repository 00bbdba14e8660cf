package export

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"lvs/rrdstore"
)

// An RRD is one series as a round robin database of RRDtool's: [WriteRRD] writes
// what rrdtool restore makes a file of that rrdtool fetch reads and rrdtool update
// goes on with.
type RRD struct {
	// Comment says what it is of; empty is none. It has no "--".
	Comment string
	// Step is the interval of a primary data point, whole seconds.
	Step time.Duration
	// LastUpdate is when the last raw values were taken, whole seconds. Every
	// archive ends at or less than one of its rows before it; what its Result has
	// after that is the beginning of a row, which rrdtool keeps elsewhere, and is
	// left out.
	LastUpdate time.Time
	Sources    []RRDSource
	Archives   []RRDArchive
	// Points are rows of Step, from which the rows begun at LastUpdate are made up;
	// nil: those of an archive of that step. What they do not tell is unknown.
	Points *rrdstore.Result
}

// An RRDSource is a data source (DS): a GAUGE, or for a Counter a DERIVE whose
// least rate is 0.
type RRDSource struct {
	rrdstore.Source
	// DS is its name in the file: letters, digits and _, at most 19.
	DS string
	// Heartbeat is the longest interval between updates that is not unknown.
	Heartbeat time.Duration
	// Last is its raw value at LastUpdate, from which the next update counts on;
	// the zero Value is unknown. It is written of a Counter if it is an integer.
	Last rrdstore.Value
	// Pending is by how much it grew since the last multiple of Step before
	// LastUpdate, of a Gauge the value times the seconds; NaN is unknown. It counts
	// only where LastUpdate is no multiple of Step.
	Pending float64
}

// An RRDArchive is an archive (RRA).
type RRDArchive struct {
	Function rrdstore.Function
	// XFF is the share of unknown data points up to which rows to come are known.
	XFF float64
	// Rows is how many rows the archive keeps; zero is as many as Result has.
	Rows int
	// Result has the rows, in its columns of Function. A source without such a
	// column is unknown. Its Step is a multiple of the RRD's.
	Result *rrdstore.Result
}

// NewRRD makes an RRD of results that are all of the same series: one archive for
// each function of each of them. The caller sets Last of each source, if known, and
// whatever else is to be different.
func NewRRD(step, heartbeat time.Duration, lastUpdate time.Time, xff float64, results ...*rrdstore.Result) (*RRD, error) {
	d := &RRD{Step: step, LastUpdate: lastUpdate}
	var of *rrdstore.Series
	var sources []rrdstore.Source
	for _, r := range results {
		l := layoutOf(r)
		for i := range r.Columns {
			c := &r.Columns[i]
			if of != nil && identityOf(of) != identityOf(c.Series) {
				return nil, errors.New("rrd: results are of several series; each has a file of its own")
			}
			of = c.Series
			if !slices.ContainsFunc(sources, func(s rrdstore.Source) bool { return s.Name == c.Source.Name }) {
				sources = append(sources, c.Source)
			}
		}
		for _, f := range l.functions {
			d.Archives = append(d.Archives, RRDArchive{Function: f, XFF: xff, Result: r})
		}
	}
	if of == nil {
		return nil, errors.New("rrd: there is nothing in the results")
	}
	d.Comment = SeriesKey(of.Key, of.RIP)
	for i, name := range dsNames(sources) {
		d.Sources = append(d.Sources, RRDSource{Source: sources[i], DS: name, Heartbeat: heartbeat})
	}
	return d, nil
}

// maxDS is how long the name of a data source may be.
const maxDS = 19

// dsNames are names for data sources: the sources' own where they are short
// enough.
func dsNames(sources []rrdstore.Source) []string {
	var names []string
	for _, s := range sources {
		name := s.Name
		for n := 1; len(name) > maxDS || slices.Contains(names, name); n++ {
			end := fmt.Sprint("_", n)
			name = s.Name[:min(len(s.Name), maxDS-len(end))] + end
		}
		names = append(names, name)
	}
	return names
}

var dsName = regexp.MustCompile(`^[a-zA-Z0-9_]{1,19}$`)

// check says what rrdtool would not take, or would take for something else.
func (d *RRD) check() error {
	if d.Step < time.Second || d.Step%time.Second != 0 {
		return fmt.Errorf("step %v is not whole seconds", d.Step)
	}
	if d.LastUpdate.Unix() <= 0 || d.LastUpdate.Nanosecond() != 0 {
		return fmt.Errorf("last update %v is not whole seconds after 1970", d.LastUpdate)
	}
	if len(d.Sources) == 0 || len(d.Archives) == 0 {
		return errors.New("an RRD needs a source and an archive")
	}
	seen := map[string]bool{}
	for _, s := range d.Sources {
		if !dsName.MatchString(s.DS) || seen[s.DS] {
			return fmt.Errorf("data source name %q: it takes 1 to %d letters, digits and _, and each only once", s.DS, maxDS)
		}
		seen[s.DS] = true
		if s.Heartbeat < time.Second {
			return fmt.Errorf("heartbeat %v of %s is below a second", s.Heartbeat, s.DS)
		}
	}
	for i := range d.Archives {
		if err := d.Archives[i].check(d.Step); err != nil {
			return fmt.Errorf("archive %d: %w", i+1, err)
		}
	}
	if d.Points != nil && d.Points.Step != d.Step {
		return fmt.Errorf("points are of %v, want %v", d.Points.Step, d.Step)
	}
	return nil
}

func (a *RRDArchive) check(step time.Duration) error {
	r := a.Result
	switch {
	case r.Step < step || r.Step%step != 0:
		return fmt.Errorf("its step %v is no multiple of %v", r.Step, step)
	case mod(r.Start.Unix(), seconds(r.Step)) != 0:
		return fmt.Errorf("its start %v is no multiple of its step %v", r.Start, r.Step)
	case a.XFF < 0 || a.XFF >= 1 || a.XFF != a.XFF:
		return fmt.Errorf("xff %v is not from 0 to below 1", a.XFF)
	case a.rows() < 1:
		return errors.New("it has no rows")
	}
	for i := range r.Columns {
		if len(r.Columns[i].Values) != r.Rows {
			return fmt.Errorf("%w: %d values in %d rows", errShape, len(r.Columns[i].Values), r.Rows)
		}
	}
	return nil
}

func (a *RRDArchive) rows() int {
	if a.Rows > 0 {
		return a.Rows
	}
	return a.Result.Rows
}

// seconds is d in seconds.
func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// mod is the remainder of a floored division.
func mod(a, b int64) int64 { return (a%b + b) % b }
