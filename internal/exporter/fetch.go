package exporter

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"lvs/internal/history"
	"lvs/rrdstore"
	"lvs/rrdstore/export"
)

const fetchHelp = `Print a window of the history.

Without --cf, --resolution and --xff: rows as they were stored, one line for each tick and series, with the totals connections, in_packets, out_packets, in_bytes, out_bytes as exact integers, and as they were at that time active, inactive and persistent connections and weight, of a service the sums over its real servers. A tick that was not stored has no line. -o csv and csv-long of those are what import reads: in csv a value that was not taken at that time is empty, and one that is told to be unknown NaN; in csv-long the one has no line, and the other is empty.

With any of them: consolidated values, counters per second, on a grid of times, which name the ends of the intervals. The step is --resolution wherever there is data fine enough, else the nearest there is; without it the finest that reaches back to --start. -o json is always of these, in the shape of rrdtool xport.

A value that is not known is empty (null in JSON). Times in the output are UTC.

` + history.KeyForms + `

Times are ` + history.TimeForms + `.

Examples:
  lvs-exporter fetch --start -1h --real web
  lvs-exporter fetch --start -7d --resolution 1h --cf AVERAGE --cf MAX --source in_bytes 'tcp/*:443'
  lvs-exporter fetch --top 10 by in_bytes -r 1d -s -1month -o json '*,*'`

// formatNames are the formats that hold many series.
func formatNames() (names []string) {
	for _, f := range export.Formats() {
		names = append(names, f.String())
	}
	return names
}

// A fetch is the command fetch.
type fetch struct {
	*program
	words  history.Words
	format string
}

func addFetch(p *program, app *kingpin.Application) {
	f := &fetch{program: p}
	cmd := p.command(app, "fetch", fetchHelp, f.run)
	timeFlags(cmd, &f.words, "end-24h")
	valueFlags(cmd, &f.words)
	cmd.Flag("output", "Format: "+strings.Join(formatNames(), ", ")+".").Short('o').Default("csv").EnumVar(&f.format, formatNames()...)
	seriesFlags(cmd, &f.words)
}

func (f *fetch) run(ctx context.Context) error {
	q, err := f.question(&f.words)
	if err != nil {
		return err
	}
	format, err := export.ParseFormat(f.format)
	if err != nil {
		return usageError{err}
	}
	r, err := f.open(ctx)
	if err != nil {
		return err
	}
	a := &history.Answer{Question: q, Format: format}
	if a.Raw() {
		if err := f.note(ctx, r, q); err != nil {
			return err
		}
	}
	if err := a.Write(ctx, r, f.stdout); err != nil {
		return err
	}
	f.warnDamaged(r)
	return nil
}

// note says on stderr where there is older history than the rows as they were
// stored.
func (f *fetch) note(ctx context.Context, r *rrdstore.Reader, q *history.Question) error {
	have, err := r.Info(ctx)
	if err != nil {
		return err
	}
	rows := have.Levels[0].First
	if oldest := oldestOf(r.Series()); !oldest.IsZero() && q.Start.Before(rows) && oldest.Before(rows) {
		fmt.Fprintf(f.stderr, "lvs-exporter: rows as they were stored begin at %s; consolidated history begins at %s: --resolution 60s or --cf AVERAGE prints it\n",
			rows.UTC().Format(time.RFC3339), oldest.UTC().Format(time.RFC3339))
	}
	return nil
}

// oldestOf is when the first of series was first there; zero where there is none.
func oldestOf(series []*rrdstore.Series) (oldest time.Time) {
	for _, s := range series {
		if oldest.IsZero() || s.First.Before(oldest) {
			oldest = s.First
		}
	}
	return oldest
}
