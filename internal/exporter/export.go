package exporter

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"lvs/internal/history"
	"lvs/rrdstore/export"
)

const exportHelp = `Write history for other programs.

csv, csv-long, json, ndjson: as fetch prints it. openmetrics: for promtool tsdb create-blocks-from openmetrics, totals as counters or, with --cf, --resolution or --xff, rates as gauges; Prometheus wants times that are some hours old.

rrd: for rrdtool restore, one file for each series, with an archive (RRA) for each resolution that the store keeps and each --cf (all four unless told); rrdtool update goes on with it. Data sources are named as the sources here. Without --start everything is written.

--output is one file, - standard output; --dir is for the many files of rrd.

` + history.KeyForms + `

Times are ` + history.TimeForms + `.

Examples:
  lvs-exporter export --format rrd --dir rrd --real 'tcp/*:443' && rrdtool restore rrd/tcp_192.0.2.10_443.xml web.rrd
  lvs-exporter export --format openmetrics --start -30d --end -3h --resolution 1m -o lvs.om && promtool tsdb create-blocks-from openmetrics lvs.om data
  lvs-exporter export --format csv-long --start -1y --real -o - director '*' | gzip > all.csv.gz`

// formatRRD is the one format that is not among export.Formats.
const formatRRD = "rrd"

// An exportCommand is the command export.
type exportCommand struct {
	*program
	words    history.Words
	format   string
	out, dir string
}

func addExport(p *program, app *kingpin.Application) {
	e := &exportCommand{program: p}
	cmd := p.command(app, "export", exportHelp, e.run)
	formats := append(formatNames(), formatRRD)
	cmd.Flag("format", strings.Join(formats, ", ")+".").Required().PlaceHolder("FORMAT").EnumVar(&e.format, formats...)
	cmd.Flag("output", "The file; - is standard output.").Short('o').Default(toStdout).PlaceHolder("FILE").StringVar(&e.out)
	cmd.Flag("dir", "Where the files of rrd go.").PlaceHolder("DIR").StringVar(&e.dir)
	timeFlags(cmd, &e.words, "")
	valueFlags(cmd, &e.words)
	seriesFlags(cmd, &e.words)
}

func (e *exportCommand) run(ctx context.Context) error {
	if e.words.Start == "" {
		e.words.Start = "end-24h"
		if e.format == formatRRD {
			e.words.Start = "0"
		}
	}
	q, err := e.question(&e.words)
	if err != nil {
		return err
	}
	switch {
	case e.dir != "" && e.format != formatRRD:
		return usageError{errors.New("--dir is for the files of rrd; give --output")}
	case e.dir != "" && e.out != toStdout:
		return usageError{errors.New("--dir and --output are two places for one thing")}
	case e.format == formatRRD && q.Resolution != 0:
		return usageError{errors.New("rrd has all resolutions that the store keeps: leave --resolution out")}
	}
	r, err := e.open(ctx)
	if err != nil {
		return err
	}
	if e.format == formatRRD {
		err = e.rrd(ctx, r, q)
	} else {
		err = e.stream(ctx, r, q)
	}
	if err == nil {
		e.warnDamaged(r)
	}
	return err
}

// stream writes the formats that hold many series.
func (e *exportCommand) stream(ctx context.Context, r history.Reader, q *history.Question) error {
	format, err := export.ParseFormat(e.format)
	if err != nil {
		return usageError{err}
	}
	line := e.progress("writing")
	defer line.end()
	a := &history.Answer{Question: q, Format: format, Progress: line.tell}
	return e.writeTo(e.out, func(w io.Writer) error { return a.Write(ctx, r, w) })
}

// fileName is a name for a file of a series that every file system and URL takes,
// and that is not taken yet.
func fileName(label string, taken map[string]bool) string {
	safe := []byte(label)
	for i, c := range safe {
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.') {
			safe[i] = '_'
		}
	}
	name := string(safe)
	for taken[name] { // two addresses of IPv6 may come to look alike
		name += "_"
	}
	taken[name] = true
	return name
}
