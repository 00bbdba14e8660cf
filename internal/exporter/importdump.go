package exporter

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"

	"lvs/internal/history"
	"lvs/rrdstore"
	"lvs/rrdstore/export"
)

// dump imports the XML of rrdtool dump.
func (m *imports) dump(ctx context.Context, options rrdstore.Options, name string, in io.Reader) error {
	if m.key == "" {
		return usageError{fmt.Errorf("%s is XML of rrdtool dump: --key has to say which series it is of", name)}
	}
	key, rip, err := export.ParseSeriesKey(m.key)
	if err != nil {
		return usageError{fmt.Errorf("--key: %w", err)}
	}
	d, err := export.OpenDump(in, name)
	if err != nil {
		return err
	}
	sources, err := m.sources(d)
	if err != nil {
		return usageError{fmt.Errorf("%s: %w", name, err)}
	}
	if err := m.own(options, false, d.Step); err != nil {
		return err
	}
	var all rrdstore.Imported
	for rows, err := range renamed(d.Rows(), sources) {
		if err != nil {
			return err
		}
		rows.Key, rows.RIP = key, rip
		functions := []rrdstore.Function{rows.Function}
		if rows.Step == d.Step { // of one data point all functions are the same
			functions = []rrdstore.Function{rrdstore.Average, rrdstore.Min, rrdstore.Max, rrdstore.Last}
		}
		for i, function := range functions {
			rows.Function = function
			done, err := m.store.ImportRows(ctx, &rows)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if i > 0 { // the same rows again
				done.Points, done.Known = 0, 0
			}
			add(&all, done)
		}
	}
	m.summary(name, "rrdtool", "rows", all)
	for _, w := range d.Warnings() {
		fmt.Fprintf(m.stderr, "lvs-exporter: %s\n", w)
	}
	return nil
}

// add adds what another import did.
func add(all *rrdstore.Imported, done rrdstore.Imported) {
	all.Points, all.Known, all.Series = all.Points+done.Points, all.Known+done.Known, max(all.Series, done.Series)
	if all.Start.IsZero() || !done.Start.IsZero() && done.Start.Before(all.Start) {
		all.Start = done.Start
	}
	if done.End.After(all.End) {
		all.End = done.End
	}
}

// renamed are rows with their sources as they are called here, without those that
// are to be left out.
func renamed(all iter.Seq2[rrdstore.Rows, error], sources map[string]rrdstore.Source) iter.Seq2[rrdstore.Rows, error] {
	return func(yield func(rrdstore.Rows, error) bool) {
		for rows, err := range all {
			source, ok := sources[rows.Source.Name]
			if err == nil && !ok {
				continue
			}
			rows.Source = source
			if !yield(rows, err) {
				return
			}
		}
	}
}

// sources tells what each data source of a dump is here; one that is to be left
// out is not there.
func (m *imports) sources(d *export.Dump) (map[string]rrdstore.Source, error) {
	standard := make(map[string]rrdstore.Kind)
	for _, s := range rrdstore.StandardSources() {
		standard[s.Name] = s.Kind
	}
	sources := make(map[string]rrdstore.Source)
	there := make(map[string]bool)
	taken := make(map[string]string)
	for _, ds := range d.Sources {
		there[ds.Name] = true
		name, mapped := m.mapping[ds.Name]
		if mapped && name == "" {
			continue
		}
		if !mapped {
			name = ds.Name
		}
		if !history.IsSource(name) {
			return nil, fmt.Errorf("data source %q: --map %s=SOURCE has to say what it is called here, or --map %s= that it is left out", ds.Name, ds.Name, ds.Name)
		}
		if other, ok := taken[name]; ok {
			return nil, fmt.Errorf("data sources %q and %q would both be %s: --map one of them to another, or to nothing", other, ds.Name, name)
		}
		taken[name] = ds.Name
		kind, ok := standard[name]
		if !ok {
			kind = ds.Kind
		}
		sources[ds.Name] = rrdstore.Source{Name: name, Kind: kind}
	}
	for name := range m.mapping {
		if !there[name] {
			return nil, fmt.Errorf("--map %s=…: it has no such data source; it has %s", name, strings.Join(sourceNames(d), " "))
		}
	}
	return sources, nil
}

func sourceNames(d *export.Dump) (names []string) {
	for _, ds := range d.Sources {
		names = append(names, ds.Name)
	}
	return names
}
