package history

import (
	"context"
	"io"
	"iter"
	"net/netip"
	"slices"
	"time"

	"lvs/dataplane"
	"lvs/rrdstore"
	"lvs/rrdstore/export"
)

// A Reader is what the history is read from: an [rrdstore.Reader].
type Reader interface {
	Fetcher
	Info(ctx context.Context) (rrdstore.Info, error)
	Rows(ctx context.Context, start, end time.Time, want func(*rrdstore.Series) bool) iter.Seq2[*rrdstore.Row, error]
}

// metricsSeries is how many series of a family are collected at once where a
// format has them one after another.
const metricsSeries = 64

// An Answer is a question's answer as it is to be written.
type Answer struct {
	*Question
	Format export.Format
	// Limit is how many values it may have; zero is no limit.
	Limit int
	// Progress is told how much is done of what there is to do; it may be nil.
	Progress func(done, total int)
}

// Raw reports whether the answer is rows as they were stored. The shape of JSON is
// that of consolidated ones.
func (a *Answer) Raw() bool { return !a.Consolidated() && a.Format != export.JSON }

// Write writes the answer. Where reading fails, what came before was written.
func (a *Answer) Write(ctx context.Context, r Reader, w io.Writer) error {
	if a.Raw() {
		return a.raw(ctx, r, w)
	}
	series, err := a.Select(ctx, r)
	if err != nil {
		return err
	}
	outline, err := a.Outline(ctx, r, series)
	if err != nil {
		return err
	}
	if err := a.check(outline.Rows, len(outline.Columns), len(series), outline.Step); err != nil {
		return err
	}
	x, err := export.NewWriter(w, a.Format, outline, export.Options{Names: Names(r.Series())})
	if err != nil {
		return err
	}
	if err := a.consolidated(ctx, r, series, outline, x); err != nil {
		x.Flush()
		return err
	}
	return x.End()
}

// Names are those of the services of a catalog.
func Names(catalog []*rrdstore.Series) map[dataplane.ServiceKey]string {
	names := make(map[dataplane.ServiceKey]string)
	for _, s := range catalog {
		if s.Name != "" && !isReal(s) && !isDirector(s) {
			names[s.Key] = s.Name
		}
	}
	return names
}

// check holds the answer against its limit.
func (a *Answer) check(rows, columns, series int, step time.Duration) error {
	cells := rows * columns
	if a.Limit == 0 || cells <= a.Limit {
		return nil
	}
	times := time.Duration((cells + a.Limit - 1) / a.Limit)
	return &LimitError{
		Series: series, Rows: rows, Cells: cells, Limit: a.Limit, Step: step,
		Enough: (step*times + time.Minute - 1).Truncate(time.Minute),
	}
}

// consolidated writes the parts that the format wants, each in slices of time.
func (a *Answer) consolidated(ctx context.Context, r Reader, series []*rrdstore.Series, outline *rrdstore.Result, x *export.Writer) error {
	var sources []string
	var functions []rrdstore.Function
	for _, c := range outline.Columns {
		if !slices.Contains(sources, c.Source.Name) {
			sources = append(sources, c.Source.Name)
		}
		if !slices.Contains(functions, c.Function) {
			functions = append(functions, c.Function)
		}
	}
	limit := 0
	if a.Format == export.OpenMetrics { // a series has to be written in one piece
		limit = max(1, a.cells()/max(1, outline.Rows))
	}
	parts := export.Parts(a.Format, series, sources, functions, limit)
	for i, p := range parts {
		sub := *a.Question
		sub.Sources, sub.Functions = p.Sources, p.Functions
		of := *outline
		of.Columns = columnsOf(outline, p)
		err := sub.Stream(ctx, r, p.Series, &of, x.Write, a.progress(i, len(parts)))
		if err != nil {
			return err
		}
	}
	return nil
}

// columnsOf are the outline's columns that a part has.
func columnsOf(outline *rrdstore.Result, p export.Part) (columns []rrdstore.Column) {
	wanted := make(map[*rrdstore.Series]bool, len(p.Series))
	for _, s := range p.Series {
		wanted[s] = true
	}
	for _, c := range outline.Columns {
		if wanted[c.Series] && slices.Contains(p.Sources, c.Source.Name) && slices.Contains(p.Functions, c.Function) {
			columns = append(columns, c)
		}
	}
	return columns
}

// progress is that of one part of several.
func (a *Answer) progress(part, parts int) func(done, total int) {
	if a.Progress == nil {
		return nil
	}
	return func(done, total int) { a.Progress(part*total+done, parts*total) }
}

// raw writes rows as they were stored.
func (a *Answer) raw(ctx context.Context, r Reader, w io.Writer) error {
	rows, step, err := a.storedRows(ctx, r)
	if err != nil {
		return err
	}
	series, err := a.Select(ctx, r)
	if err != nil {
		return err
	}
	sources := a.Sources
	if sources == nil {
		for _, s := range rrdstore.StandardSources() {
			sources = append(sources, s.Name)
		}
	}
	if err := a.check(rows, len(series)*len(sources), len(series), step); err != nil {
		return err
	}
	x, err := export.NewRawWriter(w, a.Format, a.Sources, export.Options{Names: Names(r.Series())})
	if err != nil {
		return err
	}
	limit := 0
	if a.Format == export.OpenMetrics {
		limit = metricsSeries
	}
	parts := export.Parts(a.Format, series, sources, nil, limit)
	if len(parts) == 0 {
		return x.End()
	}
	for i, p := range parts {
		if err := x.Write(p, a.rows(ctx, r, p.Series, a.progress(i, len(parts)))); err != nil {
			x.Flush() // what came is good
			return err
		}
	}
	return x.End()
}

// storedRows is about how many rows there are in the question's time, and their
// step.
func (a *Answer) storedRows(ctx context.Context, r Reader) (rows int, step time.Duration, err error) {
	have, err := r.Info(ctx)
	if err != nil || have.Newest.IsZero() {
		return 0, have.Step, err
	}
	start, end := a.Start, a.End
	if first := have.Levels[0].First; start.Before(first) {
		start = first
	}
	if have.Newest.Before(end) {
		end = have.Newest
	}
	return max(0, int(end.Sub(start)/have.Step)+1), have.Step, nil
}

// rows are those of the question's time.
func (a *Answer) rows(ctx context.Context, r Reader, series []*rrdstore.Series, progress func(done, total int)) iter.Seq2[*rrdstore.Row, error] {
	wanted := make(map[identity]bool, len(series))
	for _, s := range series {
		wanted[identity{s.Key, s.RIP}] = true
	}
	want := func(s *rrdstore.Series) bool { return wanted[identity{s.Key, s.RIP}] }
	return func(yield func(*rrdstore.Row, error) bool) {
		for row, err := range r.Rows(ctx, a.Start, a.End, want) {
			if !yield(row, err) || err != nil {
				return
			}
			if progress != nil {
				progress(int(row.Tick.Sub(a.Start)/time.Second), int(a.End.Sub(a.Start)/time.Second))
			}
		}
	}
}

// An identity tells series of one catalog from each other, and is the same in the
// next one.
type identity struct {
	key dataplane.ServiceKey
	rip netip.AddrPort
}
