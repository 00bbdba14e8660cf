package exporter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"lvs/internal/history"
)

const graphHelp = `Draw the history, as one picture or as a folder of pages.

A picture is of one service, real server or the director; pages are about many services.

A picture is an SVG, or a PNG where the name of the file or --format says so. Kinds: traffic (bytes in and out), packets, connections (new ones per second), active (active and inactive connections), reals (traffic of the service's real servers, stacked; reals:active and so on of another source), bits, size (of packets), source:NAME (any source).

--dir writes pages that any browser shows, from a disk or a web server: a table of the services, and for each its pictures of the day, week, month and year before --end, and its real servers. --all is every service; KEY chooses.

` + history.KeyForms + `

Times are ` + history.TimeForms + `.

Examples:
  lvs-exporter graph -o web.svg web
  lvs-exporter graph --kind active --start -7d --zone Europe/Berlin --theme dark -o web.png web
  lvs-exporter graph --start end-1month --end midnight -o - director | display
  lvs-exporter graph --all --dir report`

// A draw is the command graph.
type draw struct {
	*program
	words    history.Words
	picture  history.PictureWords
	out, dir string
	format   string
	all      bool
}

func addGraph(p *program, app *kingpin.Application) {
	d := &draw{program: p}
	cmd := p.command(app, "graph", graphHelp, d.run)
	cmd.Flag("kind", "What to draw: traffic, packets, connections, active, reals …").Default("traffic").StringVar(&d.picture.Kind)
	timeFlags(cmd, &d.words, "end-24h")
	resolutionFlag(cmd, &d.words)
	cmd.Flag("output", "The file; - is standard output.").Short('o').Default(toStdout).PlaceHolder("FILE").StringVar(&d.out)
	cmd.Flag("format", "svg or png; otherwise as the name of the file ends, else svg.").PlaceHolder("FORMAT").EnumVar(&d.format, "svg", "png")
	cmd.Flag("width", "Width in pixels: 900 unless told.").PlaceHolder("PIXELS").StringVar(&d.picture.Width)
	cmd.Flag("height", "Height in pixels: what is needed unless told.").PlaceHolder("PIXELS").StringVar(&d.picture.Height)
	cmd.Flag("scale", "Pixels of a PNG for each of those: 2 for fine screens and print.").PlaceHolder("N").StringVar(&d.picture.Scale)
	cmd.Flag("theme", "light, dark, print, or auto: as the viewer prefers.").PlaceHolder("THEME").StringVar(&d.picture.Theme)
	cmd.Flag("zone", "Time zone of the viewer: Europe/Berlin. This machine's unless told.").PlaceHolder("ZONE").StringVar(&d.picture.Zone)
	cmd.Flag("title", "Title of the picture.").StringVar(&d.picture.Title)
	cmd.Flag("all", "All services, with --dir.").BoolVar(&d.all)
	cmd.Flag("dir", "Write a folder of pages there.").PlaceHolder("DIR").StringVar(&d.dir)
	cmd.Arg("KEY", "What to draw.").StringsVar(&d.words.Keys)
}

func (d *draw) run(ctx context.Context) error {
	pic, err := d.picture.Picture(d.now.Location())
	if err != nil {
		return usageError{fmt.Errorf("--%w", err)}
	}
	d.now = d.now.In(pic.Zone)
	q, err := d.question(&d.words)
	if err != nil {
		return err
	}
	if err := d.check(); err != nil {
		return usageError{err}
	}
	r, err := d.open(ctx)
	if err != nil {
		return err
	}
	if d.dir != "" {
		return d.folder(ctx, r, pic, q)
	}
	g, err := pic.Draw(ctx, r, q)
	if err != nil {
		return err
	}
	d.warnDamaged(r)
	return d.writeTo(d.out, func(w io.Writer) error { return history.WritePicture(w, g, d.pictureFormat()) })
}

// check refuses flags that do not go together.
func (d *draw) check() error {
	switch {
	case d.all && d.dir == "":
		return errors.New("--all draws a folder of pages; it needs --dir")
	case d.all && len(d.words.Keys) > 0:
		return errors.New("--all is every service: leave it out to choose by key")
	case d.dir != "" && d.out != toStdout:
		return errors.New("--dir and --output are two places for one thing")
	case d.dir == "" && len(d.words.Keys) == 0:
		return errors.New("which service? give its key, or --all --dir DIR")
	}
	return nil
}

func (d *draw) pictureFormat() string {
	if d.format == "" && strings.EqualFold(filepath.Ext(d.out), ".png") {
		return "png"
	}
	return d.format
}

// A period is the time of a picture in the pages.
type period struct {
	name  string // in titles and names of files
	start func(end time.Time) time.Time
}

// periods are those of the pages.
var periods = []period{
	{"day", func(end time.Time) time.Time { return end.AddDate(0, 0, -1) }},
	{"week", func(end time.Time) time.Time { return end.AddDate(0, 0, -7) }},
	{"month", func(end time.Time) time.Time { return end.AddDate(0, -1, 0) }},
	{"year", func(end time.Time) time.Time { return end.AddDate(-1, 0, 0) }},
}
