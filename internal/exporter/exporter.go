// Package exporter is the command lvs-exporter: it reads the history in a store,
// draws it and writes it for other programs, and brings theirs in. It also serves
// Prometheus directors that it reads over SNMP.
package exporter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"

	"lvs/internal/history"
	"lvs/rrdstore"
)

const about = `Read the history that lvs-agent keeps, draw it, and exchange it with other programs: also while the agent runs, and of a copied directory on any machine. And read directors over SNMP for Prometheus.

Examples:
  lvs-exporter list
  lvs-exporter fetch --start -1h 'tcp/*:443' > totals.csv
  lvs-exporter fetch --start -7d --resolution 5m --cf MAX --source in_bytes -o csv web
  lvs-exporter graph --start end-1week --end 2026-11-20T08:00 -o web.svg web
  lvs-exporter graph --all --dir report
  lvs-exporter export --format openmetrics --real -o lvs.om
  lvs-exporter backup /var/backups/lvs
  lvs-exporter serve --config.file /etc/lvs-exporter.yml

Each command has more: lvs-exporter COMMAND --help. Exit codes: 0 done, 1 failed, 2 a command line that makes no sense.`

// DefaultStore is where the agent keeps its store unless told otherwise.
const DefaultStore = "/var/lib/lvs-agent"

// errUsage marks errors in the command line.
var errUsage = errors.New("see lvs-exporter --help")

// usageError is an error of the command line.
type usageError struct{ error }

func (usageError) Is(target error) bool { return target == errUsage }
func (e usageError) Unwrap() error      { return e.error }

// ExitCode is what the command ends with after an error of Run: 2 for a command
// line that makes no sense, 1 for everything else.
func ExitCode(err error) int {
	if errors.Is(err, errUsage) {
		return 2
	}
	return 1
}

// Run runs the command that args name. What is asked for goes to stdout, warnings
// and progress to stderr; an error is the caller's to print. Where nobody reads
// stdout any more, Run ends without one.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	return run(ctx, args, stdout, stderr, time.Now())
}

// usage is kingpin's, with the long help of the command that was asked about.
var usage = strings.Replace(kingpin.DefaultUsageTemplate, `{{template "FormatUsage" .Context.SelectedCommand}}`,
	`{{template "FormatCommand" .Context.SelectedCommand}}

{{or .Context.SelectedCommand.HelpLong .Context.SelectedCommand.Help | Wrap 0 -}}`, 1)

// A program is one run of the command.
type program struct {
	dir            string // the store
	now            time.Time
	stdout, stderr io.Writer
	commands       map[string]func(context.Context) error
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer, now time.Time) error {
	app := kingpin.New("lvs-exporter", about)
	app.UsageWriter(stdout).ErrorWriter(stderr).UsageTemplate(usage)
	ended := false // by --help or --version; what kingpin prints after that is once too often
	app.Terminate(func(int) { ended = true; app.UsageWriter(io.Discard) })
	app.Version(version.Print("lvs-exporter"))
	app.HelpFlag.Short('h')

	p := &program{now: now, stdout: stdout, stderr: stderr, commands: make(map[string]func(context.Context) error)}
	app.Flag("store", "Directory of the store: lvs-agent's --store.path.").Envar("LVS_STORE").Default(DefaultStore).PlaceHolder("DIR").StringVar(&p.dir)
	for _, add := range []func(*program, *kingpin.Application){
		addInfo, addList, addFetch, addGraph, addExport, addImport, addBackup, addCheck, addServe,
	} {
		add(p, app)
	}
	command, err := app.Parse(joinArgs(args))
	if ended {
		return nil
	}
	if err != nil {
		return usageError{err}
	}
	err = p.commands[command](ctx)
	if errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return err
}

// command adds a command to those that there are. Of its help the first paragraph
// is what the list of commands shows.
func (p *program) command(app *kingpin.Application, name, help string, run func(context.Context) error) *kingpin.CmdClause {
	p.commands[name] = run
	brief, _, _ := strings.Cut(help, "\n")
	return app.Command(name, brief).HelpLong(help)
}

// open opens the store for reading.
func (p *program) open(ctx context.Context) (*rrdstore.Reader, error) {
	return rrdstore.OpenReader(ctx, p.dir)
}

// seriesFlags are those that choose series, and the argument KEY.
func seriesFlags(cmd *kingpin.CmdClause, w *history.Words) {
	cmd.Flag("real", "The real servers of the services as well.").BoolVar(&w.Reals)
	cmd.Flag("top", `Only so many, those with the greatest averages: "--top 10 by in_bytes".`).PlaceHolder("N").StringVar(&w.Top)
	cmd.Flag("by", "The source that --top goes by: in_bytes unless told.").PlaceHolder("SOURCE").StringVar(&w.By)
	cmd.Arg("KEY", "What to read.").StringsVar(&w.Keys)
}

// timeFlags are those that choose a time.
func timeFlags(cmd *kingpin.CmdClause, w *history.Words, start string) {
	cmd.Flag("start", "Where to begin: "+cmp.Or(start, "end-24h, of rrd everything")+" unless told.").Short('s').Default(start).PlaceHolder("T").StringVar(&w.Start)
	cmd.Flag("end", "Where to end: now unless told.").Short('e').Default("now").PlaceHolder("T").StringVar(&w.End)
}

// valueFlags are those that choose consolidated values.
func valueFlags(cmd *kingpin.CmdClause, w *history.Words) {
	cmd.Flag("source", "Only these sources: in_bytes. Repeatable.").PlaceHolder("SOURCE").StringsVar(&w.Sources)
	resolutionFlag(cmd, w)
	cmd.Flag("cf", "Consolidation function: AVERAGE, MIN, MAX or LAST. Repeatable.").PlaceHolder("CF").StringsVar(&w.Functions)
	cmd.Flag("xff", "Share of unknown data points up to which a row is known: 0.5 unless told.").PlaceHolder("X").StringVar(&w.XFF)
}

func resolutionFlag(cmd *kingpin.CmdClause, w *history.Words) {
	cmd.Flag("resolution", "Length of a row: 60s, 5m, 1h, 1d.").Short('r').PlaceHolder("SPAN").StringVar(&w.Resolution)
}

// question reads the words of a command line.
func (p *program) question(w *history.Words) (*history.Question, error) {
	q, err := w.Question(p.now)
	if err != nil {
		return nil, usageError{fmt.Errorf("--%w", err)}
	}
	return q, nil
}

// warnDamaged says on stderr what a reading left out.
func (p *program) warnDamaged(r *rrdstore.Reader) {
	if n := r.Damaged(); n > 0 {
		fmt.Fprintf(p.stderr, "lvs-exporter: %d damaged records were left out; lvs-exporter check tells more\n", n)
	}
}
