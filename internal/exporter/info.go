package exporter

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"lvs/rrdstore"
)

const infoHelp = `Show what a store keeps.

That is its files, how many series there are, and for each resolution from when to when there are rows. Rows as they were sampled are "raw".

Examples:
  lvs-exporter info
  lvs-exporter info --store /var/backups/lvs -o json`

// An info is the command info.
type info struct {
	*program
	format string
}

func addInfo(p *program, app *kingpin.Application) {
	i := &info{program: p}
	cmd := p.command(app, "info", infoHelp, i.run)
	cmd.Flag("output", "Format: text or json.").Short('o').Default("text").EnumVar(&i.format, "text", "json")
}

func (i *info) run(ctx context.Context) error {
	r, err := i.open(ctx)
	if err != nil {
		return err
	}
	have, err := r.Info(ctx)
	if err != nil {
		return err
	}
	// Windows of coarse rows begin before what is in them, and end after it.
	oldest := oldestOf(r.Series())
	for n := range have.Levels {
		l := &have.Levels[n]
		if l.First.Before(oldest) && !l.First.IsZero() {
			l.First = oldest.Truncate(max(l.Step, have.Step))
		}
		if l.Last.After(have.Newest) {
			l.Last = have.Newest
		}
	}
	doc := newInfoDocument(i.dir, &have)
	doc.Sources = r.Sources()
	i.warnDamaged(r)
	if i.format == "json" {
		return writeJSON(i.stdout, doc)
	}
	return i.table(doc)
}

// The types below are what info -o json prints. Programs rely on the names.
type (
	infoDocument struct {
		Store     string      `json:"store"`
		Step      float64     `json:"step_seconds"`
		Heartbeat float64     `json:"heartbeat_seconds"`
		Newest    *time.Time  `json:"newest,omitempty"`
		Series    int         `json:"series"`
		Present   int         `json:"present"`
		Sources   []string    `json:"sources"`
		Levels    []infoLevel `json:"levels"`
		Files     []infoFile  `json:"files"`
	}
	infoLevel struct {
		// Step is zero for rows as they were sampled, Keep for as long as there is
		// room.
		Step     float64    `json:"step_seconds"`
		Keep     float64    `json:"keep_seconds"`
		First    *time.Time `json:"first,omitempty"`
		Last     *time.Time `json:"last,omitempty"`
		Windows  int        `json:"windows"`
		Imported bool       `json:"imported,omitempty"`
	}
	infoFile struct {
		Name  string `json:"name"`
		Bytes int64  `json:"bytes"`
	}
)

func newInfoDocument(dir string, have *rrdstore.Info) *infoDocument {
	doc := &infoDocument{
		Store: dir, Step: have.Step.Seconds(), Heartbeat: have.Heartbeat.Seconds(), Newest: known(have.Newest),
		Series: have.Series, Present: have.Present, Levels: []infoLevel{}, Files: []infoFile{},
	}
	for _, l := range have.Levels {
		doc.Levels = append(doc.Levels, infoLevel{
			Step: l.Step.Seconds(), Keep: l.Keep.Seconds(), First: known(l.First), Last: known(l.Last), Windows: l.Windows, Imported: l.Imported,
		})
	}
	for _, f := range have.Files {
		doc.Files = append(doc.Files, infoFile{f.Name, f.Bytes})
	}
	return doc
}

// known is a time, nil for the zero Time.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func (i *info) table(doc *infoDocument) error {
	out := tabwriter.NewWriter(i.stdout, 0, 8, 2, ' ', 0)
	var errs []error
	line := func(format string, args ...any) {
		_, err := fmt.Fprintf(out, format+"\n", args...)
		errs = append(errs, err)
	}
	line("store\t%s", doc.Store)
	line("step\t%s (gap after %s)", span(doc.Step), span(doc.Heartbeat))
	line("series\t%d, of which %d are there now", doc.Series, doc.Present)
	for _, f := range doc.Files {
		line("%s\t%d bytes", f.Name, f.Bytes)
	}
	line("")
	line("ROWS OF\tKEPT FOR\tFIRST\tLAST")
	for _, l := range doc.Levels {
		step, keep := "raw", "as there is room"
		if l.Step != 0 {
			step = span(l.Step)
		}
		if l.Imported {
			step += " (imported)"
		}
		if l.Keep != 0 {
			keep = span(l.Keep)
		}
		line("%s\t%s\t%s\t%s", step, keep, stampOr(l.First, "-"), stampOr(l.Last, "-"))
	}
	return errors.Join(append(errs, out.Flush())...)
}

func stampOr(t *time.Time, none string) string {
	if t == nil {
		return none
	}
	return t.Format(time.RFC3339)
}

// span is a number of seconds as people say it: 7d, 90m.
func span(seconds float64) string {
	n := int64(seconds)
	for _, u := range []struct {
		name string
		size int64
	}{{"y", 365 * 86400}, {"w", 7 * 86400}, {"d", 86400}, {"h", 3600}, {"m", 60}} {
		if n >= u.size && n%u.size == 0 {
			return fmt.Sprint(n/u.size, u.name)
		}
	}
	return fmt.Sprint(n, "s")
}
