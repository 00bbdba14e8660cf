package exporter

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"lvs/internal/history"
	"lvs/rrdstore"
)

const listHelp = `List the series of a store.

Those are the director, services and their real servers, with their names and when they were first and last there. Those without a last time are there still.

` + history.KeyForms + `

Examples:
  lvs-exporter list
  lvs-exporter list -o csv 'tcp/*:443,*'
  lvs-exporter list -o json director`

// A list is the command list.
type list struct {
	*program
	keys   []string
	format string
}

func addList(p *program, app *kingpin.Application) {
	l := &list{program: p}
	cmd := p.command(app, "list", listHelp, l.run)
	cmd.Flag("output", "Format: text, csv or json.").Short('o').Default("text").EnumVar(&l.format, "text", "csv", "json")
	cmd.Arg("KEY", "What to list; everything unless told.").StringsVar(&l.keys)
}

func (l *list) run(ctx context.Context) error {
	r, err := l.open(ctx)
	if err != nil {
		return err
	}
	series := r.Series()
	if len(l.keys) > 0 {
		if series, err = history.Choose(series, l.keys, true); err != nil {
			return err
		}
	}
	entries := make([]listEntry, 0, len(series))
	for _, s := range series {
		entries = append(entries, newListEntry(s))
	}
	l.warnDamaged(r)
	switch l.format {
	case "json":
		return writeJSON(l.stdout, entries)
	case "csv":
		return writeListCSV(l.stdout, entries)
	}
	return l.table(entries)
}

// A listEntry is a series as it is listed. Programs rely on the names of fields.
type listEntry struct {
	Key     string     `json:"key"`
	Service string     `json:"service,omitempty"`
	Real    string     `json:"real,omitempty"`
	Name    string     `json:"name,omitempty"`
	First   *time.Time `json:"first,omitempty"`
	Last    *time.Time `json:"last,omitempty"`
}

func newListEntry(s *rrdstore.Series) listEntry {
	e := listEntry{Key: history.Label(s), Name: s.Name}
	if e.Key != history.DirectorKey {
		e.Service = s.Key.String()
	}
	if s.RIP.IsValid() {
		e.Real = s.RIP.String()
	}
	e.First, e.Last = known(s.First), known(s.Last)
	return e
}

func writeListCSV(w io.Writer, entries []listEntry) error {
	out := csv.NewWriter(w)
	out.Write([]string{"key", "service", "real", "name", "first", "last"})
	for _, e := range entries {
		out.Write([]string{e.Key, e.Service, e.Real, e.Name, stampOr(e.First, ""), stampOr(e.Last, "")})
	}
	out.Flush()
	return out.Error()
}

func (l *list) table(entries []listEntry) error {
	out := tabwriter.NewWriter(l.stdout, 0, 8, 2, ' ', 0)
	_, err := fmt.Fprintln(out, "KEY\tNAME\tFIRST\tLAST")
	for _, e := range entries {
		_, lineErr := fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", e.Key, e.Name, stampOr(e.First, "-"), stampOr(e.Last, "-"))
		err = errors.Join(err, lineErr)
	}
	return errors.Join(err, out.Flush())
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
