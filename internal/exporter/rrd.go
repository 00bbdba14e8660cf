package exporter

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"lvs/dataplane"
	"lvs/internal/history"
	"lvs/rrdstore"
	"lvs/rrdstore/export"
)

// maxArchive is how many rows an archive of RRDtool's is made long for the sake of
// rows to come; one that is to be kept longer gets as many as there are.
const maxArchive = 1 << 20

// rrd writes a file of RRDtool's for each series.
func (e *exportCommand) rrd(ctx context.Context, r *rrdstore.Reader, q *history.Question) error {
	have, err := r.Info(ctx)
	if err != nil {
		return err
	}
	x := &rrdFile{r: r, q: q, have: &have, end: q.End}
	if have.Newest.Before(x.end) {
		x.end = have.Newest
	}
	if x.last, err = lastTotals(ctx, r, x.end); err != nil {
		return err
	}
	series, err := q.Select(ctx, r)
	if err != nil {
		return err
	}
	if e.dir == "" && len(series) != 1 {
		return usageError{fmt.Errorf("rrd has a file for each series, and these are %d: give --dir", len(series))}
	}
	if q.Functions == nil {
		q.Functions = []rrdstore.Function{rrdstore.Average, rrdstore.Min, rrdstore.Max, rrdstore.Last}
	}
	if e.dir == "" {
		d, err := x.of(ctx, series[0])
		if err != nil {
			return err
		}
		return e.writeTo(e.out, func(w io.Writer) error { return export.WriteRRD(w, d) })
	}
	if err := os.MkdirAll(e.dir, 0o755); err != nil {
		return err
	}
	taken := make(map[string]bool)
	line := e.progress("writing")
	defer line.end()
	for i, s := range series {
		d, err := x.of(ctx, s)
		if err != nil {
			return fmt.Errorf("%s: %w", history.Label(s), err)
		}
		name := filepath.Join(e.dir, fileName(history.Label(s), taken)+".xml")
		if err := e.writeTo(name, func(w io.Writer) error { return export.WriteRRD(w, d) }); err != nil {
			return err
		}
		line.tell(i+1, len(series))
	}
	return nil
}

// An rrdFile makes files of RRDtool's.
type rrdFile struct {
	r    *rrdstore.Reader
	q    *history.Question
	have *rrdstore.Info
	end  time.Time
	last map[string]dataplane.Counters // by label, as of end
}

// of is the file of a series: an archive for each resolution and function.
func (x *rrdFile) of(ctx context.Context, s *rrdstore.Series) (*export.RRD, error) {
	xff := rrdstore.DefaultXFF
	if x.q.XFF != nil {
		xff = *x.q.XFF
	}
	var results []*rrdstore.Result
	rows := make(map[*rrdstore.Result]int)
	var finer rrdstore.LevelInfo
	for _, l := range x.have.Levels {
		if l.First.IsZero() && !l.Imported { // none of its windows is over: it is made of finer rows
			l.First, l.Last = finer.First, finer.Last
		}
		if !l.Imported {
			finer = l
		}
		res, err := x.level(ctx, s, &l)
		if err != nil {
			return nil, err
		}
		if res == nil {
			continue
		}
		results = append(results, res)
		if n := int(l.Keep / res.Step); n <= maxArchive && n > res.Rows {
			rows[res] = n
		}
	}
	if len(results) == 0 {
		return nil, fmt.Errorf("there are no rows from %s to %s", x.q.Start.UTC().Format(time.RFC3339), x.end.UTC().Format(time.RFC3339))
	}
	d, err := export.NewRRD(x.have.Step, x.have.Heartbeat, x.end, xff, results...)
	if err != nil {
		return nil, err
	}
	for i := range d.Archives {
		d.Archives[i].Rows = rows[d.Archives[i].Result]
	}
	if c, known := x.last[history.Label(s)]; known {
		values := [...]uint64{c.Connections, c.InPackets, c.OutPackets, c.InBytes, c.OutBytes}
		for i := range d.Sources {
			for j, v := range values {
				if d.Sources[i].Name == rrdstore.StandardSources()[j].Name {
					d.Sources[i].Last = rrdstore.UintValue(v)
				}
			}
		}
	}
	return d, nil
}

// level reads the rows of one resolution; nil if there are none in the time asked
// for. Rows as they were sampled are those of a step.
func (x *rrdFile) level(ctx context.Context, s *rrdstore.Series, l *rrdstore.LevelInfo) (*rrdstore.Result, error) {
	query := rrdstore.Query{
		Series: []*rrdstore.Series{s}, Sources: x.q.Sources, Functions: x.q.Functions, XFF: x.q.XFF,
		Start: x.q.Start, End: x.end, Resolution: l.Step,
	}
	if l.Step == 0 { // all functions are the same of one data point
		query.Resolution, query.Functions = x.have.Step, []rrdstore.Function{rrdstore.Average}
	}
	if l.First.After(query.Start) {
		query.Start = l.First
	}
	if l.Last.Before(query.End) {
		query.End = l.Last
	}
	if l.First.IsZero() || query.End.Before(query.Start) || query.Resolution%x.have.Step != 0 {
		return nil, nil
	}
	res, err := x.r.Fetch(ctx, query)
	if err != nil || res.Step != query.Resolution {
		return nil, err
	}
	return res, nil
}

// lastTotals are everybody's totals at a time, from which rrdtool update goes on.
func lastTotals(ctx context.Context, r *rrdstore.Reader, end time.Time) (map[string]dataplane.Counters, error) {
	totals := make(map[string]dataplane.Counters)
	for row, err := range r.Rows(ctx, end, end, func(*rrdstore.Series) bool { return true }) {
		if err != nil {
			return nil, err
		}
		if row.HasStats {
			totals[history.DirectorKey] = row.Total
		}
		for i := range row.Entries {
			if e := &row.Entries[i]; !row.Partial {
				totals[history.Label(e.Series)] = e.Total
			}
		}
	}
	return totals, nil
}
