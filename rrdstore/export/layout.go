package export

import (
	"fmt"
	"slices"

	"lvs/rrdstore"
)

// A layout is which columns the lines of a table have: every source under every
// function.
type layout struct {
	sources   []string
	functions []rrdstore.Function
}

// layoutOf is the layout of what has r's columns.
func layoutOf(r *rrdstore.Result) layout {
	var l layout
	for i := range r.Columns {
		c := &r.Columns[i]
		if !slices.Contains(l.sources, c.Source.Name) {
			l.sources = append(l.sources, c.Source.Name)
		}
		if !slices.Contains(l.functions, c.Function) {
			l.functions = append(l.functions, c.Function)
		}
	}
	l.sources = standardFirst(l.sources)
	return l
}

// standardFirst puts the standard sources first, in their order.
func standardFirst(names []string) []string {
	sorted := make([]string, 0, len(names))
	for _, s := range rrdstore.StandardSources() {
		if slices.Contains(names, s.Name) {
			sorted = append(sorted, s.Name)
		}
	}
	for _, n := range names {
		if !slices.Contains(sorted, n) {
			sorted = append(sorted, n)
		}
	}
	return sorted
}

// names are the columns' names: those of the sources alone where there is one
// function.
func (l *layout) names() (names []string) {
	for _, s := range l.sources {
		for _, f := range l.functions {
			if len(l.functions) > 1 {
				names = append(names, s+"_"+f.String())
			} else {
				names = append(names, s)
			}
		}
	}
	return names
}

// taken are names of columns that no source may have.
var taken = []string{"time", "service", "real"}

// free reports the first source that has the name of another column.
func (l *layout) free() error {
	for _, s := range l.sources {
		if slices.Contains(taken, s) {
			return fmt.Errorf("a source named %q cannot be told from the column of that name; choose other sources or csv-long", s)
		}
	}
	return nil
}

// A group is the columns of one series, in the order of a layout; nil where it
// has none.
type group struct {
	series *rrdstore.Series
	values [][]float64
}

// groups sorts the columns of r, which may be fewer than the layout's.
func (l *layout) groups(r *rrdstore.Result) ([]group, error) {
	var all []group
	at := map[*rrdstore.Series]int{}
	for i := range r.Columns {
		c := &r.Columns[i]
		s, f := slices.Index(l.sources, c.Source.Name), slices.Index(l.functions, c.Function)
		if s < 0 || f < 0 || len(c.Values) != r.Rows {
			return nil, fmt.Errorf("%w: %d values of %s %v of %s", errShape, len(c.Values), c.Function, c.Source.Name, SeriesKey(c.Series.Key, c.Series.RIP))
		}
		n, ok := at[c.Series]
		if !ok {
			n = len(all)
			at[c.Series] = n
			all = append(all, group{c.Series, make([][]float64, len(l.sources)*len(l.functions))})
		}
		all[n].values[s*len(l.functions)+f] = c.Values
	}
	return all, nil
}

// at is row i of column j; NaN where there is no such column.
func (g *group) at(i, j int) float64 {
	if g.values[j] == nil {
		return nan
	}
	return g.values[j][i]
}
