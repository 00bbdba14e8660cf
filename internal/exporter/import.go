package exporter

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"lvs/internal/history"
	"lvs/rrdstore"
	"lvs/rrdstore/export"
)

const importHelp = `Bring history in from other programs: CSV, or XML of rrdtool dump.

What the store has already stays.

CSV, in the long form that fetch -o csv-long prints (time,key,source,value) or the wide one of fetch -o csv: raw values, of counters their totals. A time is RFC 3339 or seconds since 1970, in UTC where no zone is told. A source is any name in lower case; one that the agent does not know is a gauge, unless --counter names it.

XML of rrdtool dump: one series, which --key names, with its rows of every resolution. --map DS=SOURCE says what a data source of the file is called here; DS= leaves it out. A data source whose name is that of a source need not be mapped. Its unit must be the same: bytes, packets, connections.

- is standard input. A store that an agent has open cannot be imported into: stop the agent, or import into another directory, which is made where there is none and keeps all rows.

Examples:
  lvs-exporter import --store /var/tmp/old totals.csv
  rrdtool dump web_traffic_in.rrd | lvs-exporter import --store /var/tmp/old --key tcp/192.0.2.10:443 --map traffic_in=in_bytes --map traffic_out=out_bytes -`

// An imports is the command import.
type imports struct {
	*program
	key       string
	mapping   map[string]string
	counters  []string
	step      string
	heartbeat string
	files     []string

	store *rrdstore.Store          // nil until something is imported
	kinds map[string]rrdstore.Kind // of sources, as far as they are known
	// isNew: there was no store; hasNoRaw: there was one without rows as they came.
	isNew, hasNoRaw bool
}

func addImport(p *program, app *kingpin.Application) {
	m := &imports{program: p, mapping: make(map[string]string), kinds: make(map[string]rrdstore.Kind)}
	cmd := p.command(app, "import", importHelp, m.run)
	cmd.Flag("key", "The series that XML is of.").PlaceHolder("KEY").StringVar(&m.key)
	cmd.Flag("map", "What a data source of XML is called here. Repeatable.").PlaceHolder("DS=SOURCE").StringMapVar(&m.mapping)
	cmd.Flag("counter", "A source of CSV that is a counter. Repeatable.").PlaceHolder("SOURCE").StringsVar(&m.counters)
	cmd.Flag("step", "Interval of the values, in a store that is new: 10s unless told.").PlaceHolder("SPAN").StringVar(&m.step)
	cmd.Flag("heartbeat", "Longest interval that is no gap, likewise: twice the step unless told.").PlaceHolder("SPAN").StringVar(&m.heartbeat)
	cmd.Arg("FILE", "What to read.").Required().StringsVar(&m.files)
}

func (m *imports) run(ctx context.Context) (err error) {
	options := rrdstore.Options{MaxBytes: maxBytes}
	if options.Step, err = optional("step", m.step); err != nil {
		return err
	}
	if options.Heartbeat, err = optional("heartbeat", m.heartbeat); err != nil {
		return err
	}
	if err := m.existing(ctx, &options); err != nil {
		return err
	}
	for _, name := range m.counters {
		m.kinds[name] = rrdstore.Counter
	}
	options.Logger = slog.New(slog.NewTextHandler(m.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	for _, file := range m.files {
		if err = m.file(ctx, options, file); err != nil {
			break
		}
	}
	if m.store != nil {
		err = errors.Join(err, m.store.Close())
	}
	return err
}

// optional is a flag's span; zero if it was not given.
func optional(name, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := history.ParseSpan(text)
	if err != nil {
		return 0, usageError{fmt.Errorf("--%s %w", name, err)}
	}
	return d, nil
}

// own becomes the store's owner: only when there is something to import, of which
// points says that it is raw values rather than the rows of a step.
func (m *imports) own(options rrdstore.Options, points bool, step time.Duration) (err error) {
	switch {
	case m.store != nil:
		return nil
	case points && (m.isNew || m.hasNoRaw):
		options.Retention = keepAll
		if m.isNew && options.Step != 0 {
			options.Tiers = tiersOf(options.Step)
		}
	case m.isNew: // rows of the file's own resolutions are all there is
		options.Step, options.Retention, options.Tiers = cmp.Or(options.Step, step), time.Minute, []rrdstore.Tier{}
	}
	m.store, err = rrdstore.Open(m.dir, options)
	if errors.Is(err, rrdstore.ErrLocked) {
		return fmt.Errorf("%w; stop the agent, or import into another directory (--store)", err)
	}
	return err
}

// tiersOf are the usual tiers, but for those whose rows would not be whole numbers
// of a step: its data points would have to be shorter.
func tiersOf(step time.Duration) []rrdstore.Tier {
	return slices.DeleteFunc(rrdstore.DefaultTiers(), func(t rrdstore.Tier) bool { return t.Step%step != 0 })
}

// keepAll is how long a store that an import made keeps rows as they came: until
// an agent gets it that knows better.
const keepAll = 50 * 365 * 24 * time.Hour

// maxBytes is how large an import may make a store; its agent may bound it again.
const maxBytes = 1 << 40

// existing makes options those of the store that is there, so that an import
// changes nothing of what it keeps, and learns the kinds of its sources.
func (m *imports) existing(ctx context.Context, options *rrdstore.Options) error {
	r, err := m.open(ctx)
	switch {
	case errors.Is(err, rrdstore.ErrNotExist):
		m.isNew = true
		return nil
	case errors.Is(err, rrdstore.ErrDamaged), errors.Is(err, rrdstore.ErrLocked):
		return nil // for Open to tell
	case err != nil:
		return err
	}
	have, err := r.Info(ctx)
	if err != nil {
		return err
	}
	if m.step != "" && have.Step != options.Step || m.heartbeat != "" && have.Heartbeat != options.Heartbeat {
		return usageError{fmt.Errorf("--step and --heartbeat are for a new store; this one has %v and %v", have.Step, have.Heartbeat)}
	}
	options.Step, options.Heartbeat, options.Tiers = have.Step, have.Heartbeat, []rrdstore.Tier{}
	for _, l := range have.Levels {
		switch {
		case l.Step == 0:
			options.Retention, m.hasNoRaw = l.Keep, l.First.IsZero()
		case !l.Imported:
			options.Tiers = append(options.Tiers, rrdstore.Tier{Step: l.Step, Keep: l.Keep})
		}
	}
	all := r.Series()
	if len(all) == 0 {
		return nil
	}
	row, err := r.Fetch(ctx, rrdstore.Query{Series: all[:1], Start: have.Newest, End: have.Newest})
	if err != nil {
		return err
	}
	for _, c := range row.Columns {
		m.kinds[c.Source.Name] = c.Source.Kind
	}
	return nil
}

// file imports one file, told apart by its content.
func (m *imports) file(ctx context.Context, options rrdstore.Options, name string) error {
	if name == "" { // what kingpin makes of a lone -
		name = toStdout
	}
	in, size := io.Reader(os.Stdin), int64(0)
	if name != toStdout {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil {
			size = info.Size()
		}
		in = f
	}
	line := m.progress("importing " + filepath.Base(name))
	defer line.end()
	buffered := bufio.NewReaderSize(&countingReader{in: in, tell: func(n int64) { line.tell(int(n), int(size)) }}, 64<<10)
	head, err := buffered.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: %w", name, err)
	}
	if name == toStdout {
		name = "standard input"
	}
	if export.LooksLikeDump(head) {
		return m.dump(ctx, options, name, buffered)
	}
	if m.key != "" || len(m.mapping) > 0 {
		return usageError{fmt.Errorf("%s is CSV, which names series and sources itself: --key and --map are for XML", name)}
	}
	if err := m.own(options, true, 0); err != nil {
		return err
	}
	var p pace
	done, err := m.store.ImportPoints(ctx, p.watch(export.ReadCSV(buffered, name, m.kinds)))
	m.summary(name, "csv", "values", done)
	most := m.heartbeatOf(options)
	if usual, is := p.beyond(most); err == nil && is {
		fmt.Fprintf(m.stderr, "lvs-exporter: %s: values come every %s, and in this store what is more than %s apart is a gap, of which nothing is known; a new one can be made with --step %[2]s\n",
			name, span(usual.Seconds()), span(most.Seconds()))
	}
	return err
}

// heartbeatOf is the longest interval that is no gap, in a store with these options.
func (m *imports) heartbeatOf(o rrdstore.Options) time.Duration {
	return cmp.Or(o.Heartbeat, 2*cmp.Or(o.Step, 10*time.Second))
}

// summary says what an import did.
func (p *program) summary(name, format, what string, done rrdstore.Imported) {
	fmt.Fprintf(p.stdout, "%s: %s, %d %s of %d series", name, format, done.Points, what, done.Series)
	if !done.Start.IsZero() {
		fmt.Fprintf(p.stdout, " from %s to %s", done.Start.UTC().Format(time.RFC3339), done.End.UTC().Format(time.RFC3339))
	}
	fmt.Fprintf(p.stdout, ", %d of them new\n", done.Known)
}

// A countingReader tells how much was read.
type countingReader struct {
	in   io.Reader
	n    int64
	tell func(int64)
}

func (c *countingReader) Read(b []byte) (int, error) {
	n, err := c.in.Read(b)
	c.n += int64(n)
	c.tell(c.n)
	return n, err
}
