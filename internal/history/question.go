package history

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"lvs/rrdstore"
)

// Words are a question as it is put, on a command line or in a URL.
type Words struct {
	Keys       []string // see KeyForms
	Reals      bool     // the real servers of the services as well
	Top        string   // how many of them at most; empty is all
	By         string   // what Top goes by
	Start, End string   // see TimeForms
	Resolution string   // see ParseSpan; empty is the finest there is
	Functions  []string // each may hold several, separated by commas
	Sources    []string // likewise
	XFF        string   // empty is rrdstore.DefaultXFF
}

// A Question is what is asked of the history.
type Question struct {
	Keys  []string
	Reals bool
	// Top is how many series are wanted of those that Keys ask for, the greatest
	// averages of By first; zero is all of them in the catalog's order.
	Top        int
	By         string
	Start, End time.Time
	Resolution time.Duration // zero: the finest that covers Start
	Functions  []rrdstore.Function
	Sources    []string // nil: all
	XFF        *float64 // nil: rrdstore.DefaultXFF

	slice int // values in memory at once; zero is sliceCells
}

// DefaultBy is what Top goes by where that is not told.
const DefaultBy = "in_bytes"

var sourceForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// IsSource reports whether a source can have that name.
func IsSource(name string) bool { return sourceForm.MatchString(name) }

// Question reads the words. Local times are in now's location. An error begins
// with the name of what is wrong, as it is called in flags and URLs.
func (w *Words) Question(now time.Time) (q *Question, err error) {
	q = &Question{Keys: w.Keys, Reals: w.Reals, By: w.By}
	if q.Start, q.End, err = ParseRange(w.Start, w.End, now); err != nil {
		return nil, err
	}
	if w.Resolution != "" {
		if q.Resolution, err = ParseSpan(w.Resolution); err != nil {
			return nil, fmt.Errorf("resolution %w", err)
		}
	}
	for _, name := range split(w.Functions) {
		f, err := rrdstore.ParseFunction(name)
		if err != nil {
			return nil, fmt.Errorf("cf: %w", err)
		}
		q.Functions = append(q.Functions, f)
	}
	for _, name := range split(w.Sources) {
		if !IsSource(name) {
			return nil, fmt.Errorf("source %q: want the name of one, as in_bytes", name)
		}
		q.Sources = append(q.Sources, name)
	}
	if w.XFF != "" {
		xff, err := strconv.ParseFloat(w.XFF, 64)
		if err != nil || !(xff >= 0 && xff < 1) {
			return nil, fmt.Errorf("xff %q: want a share from 0 to below 1, as 0.5", w.XFF)
		}
		q.XFF = &xff
	}
	return q, w.readTop(q)
}

func (w *Words) readTop(q *Question) (err error) {
	if w.Top == "" {
		if w.By != "" {
			return fmt.Errorf("by %q: it goes with top, as in top 10 by in_bytes", w.By)
		}
		return nil
	}
	if q.Top, err = strconv.Atoi(w.Top); err != nil || q.Top < 1 {
		return fmt.Errorf("top %q: want a number from 1 up", w.Top)
	}
	if q.By == "" {
		q.By = DefaultBy
	}
	if !IsSource(q.By) {
		return fmt.Errorf("by %q: want the name of a source, as in_bytes", q.By)
	}
	return nil
}

func split(lists []string) (all []string) {
	for _, list := range lists {
		for name := range strings.SplitSeq(list, ",") {
			all = append(all, strings.TrimSpace(name))
		}
	}
	return all
}

// Consolidated reports whether the question is for consolidated values rather
// than for rows as they were stored.
func (q *Question) Consolidated() bool {
	return q.Functions != nil || q.Resolution != 0 || q.XFF != nil
}

// query is the question about these series.
func (q *Question) query(series []*rrdstore.Series) rrdstore.Query {
	return rrdstore.Query{
		Series: series, Sources: q.Sources, Functions: q.Functions,
		Start: q.Start, End: q.End, Resolution: q.Resolution, XFF: q.XFF,
	}
}
