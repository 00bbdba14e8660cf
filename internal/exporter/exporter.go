// Package exporter is the command lvs-exporter: it reads the history in a store
// and prints it for other programs.
package exporter

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"
)

const about = `Read the history that lvs-agent keeps, also while the agent runs.

Examples:
  lvs-exporter fetch --store /var/lib/lvs-agent
  lvs-exporter fetch --store DIR --start -1h --real tcp/192.0.2.10:443
  lvs-exporter fetch --store DIR --start 2026-11-20T08:00 --end 2026-11-20T09:00 'tcp/*:443'
  lvs-exporter fetch --store DIR --start -7d tcp/192.0.2.10:443,10.0.0.1:80 > real.csv`

const fetchHelp = `Print a window of the history, one line for each tick and service.

KEY is a service as tcp/192.0.2.10:443, udp/[2001:db8::1]:53 or fwm4/257, or its configured name; KEY,RIP is one real server of it, as tcp/192.0.2.10:443,10.0.0.1:80. In all of them * stands for any text and ? for any one character; quote them for the shell. "director" is the director's grand totals. Without KEY every service is printed.

Columns of -o csv: time (RFC 3339, UTC), service, real (empty: the service itself), the totals connections, in_packets, out_packets, in_bytes, out_bytes, and as they were at that time active, inactive and persistent connections and weight, of a service the sums over its real servers. A value that was not known is empty. A tick that was not stored has no line.

Times are RFC 3339, local as 2026-11-20T08:00, seconds since 1970, now, or a span before now as -90m, -24h or -7d.`

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
// to stderr; an error is the caller's to print.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	return run(ctx, args, stdout, stderr, time.Now())
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer, now time.Time) error {
	app := kingpin.New("lvs-exporter", about)
	app.UsageWriter(stdout).ErrorWriter(stderr)
	ended := false // by --help or --version; what kingpin prints after that is once too often
	app.Terminate(func(int) { ended = true; app.UsageWriter(io.Discard) })
	app.Version(version.Print("lvs-exporter"))
	app.HelpFlag.Short('h')

	f := fetch{now: now, stdout: stdout, stderr: stderr}
	cmd := app.Command("fetch", fetchHelp)
	cmd.Flag("store", "Directory of the store: lvs-agent's --store.path.").Required().PlaceHolder("DIR").StringVar(&f.dir)
	cmd.Flag("start", "First tick.").Default("-24h").PlaceHolder("T").StringVar(&f.start)
	cmd.Flag("end", "Last tick.").Default("now").PlaceHolder("T").StringVar(&f.end)
	cmd.Flag("real", "Print the real servers of the services as well.").BoolVar(&f.reals)
	cmd.Flag("output", "Format: csv.").Short('o').Default("csv").EnumVar(&f.format, "csv")
	cmd.Arg("KEY", "What to print.").StringsVar(&f.keys)

	_, err := app.Parse(joinSpans(args))
	if ended {
		return nil
	}
	if err != nil {
		return usageError{err}
	}
	return f.run(ctx)
}

// joinSpans lets "--start -24h" pass for "--start=-24h": kingpin would take the
// span for flags.
func joinSpans(args []string) []string {
	var joined []string
	for i := 0; i < len(args); i++ {
		a := args[i]
		if (a == "--start" || a == "--end") && i+1 < len(args) && strings.HasPrefix(args[i+1], "-") {
			i++
			a += "=" + args[i]
		}
		joined = append(joined, a)
	}
	return joined
}
