package history

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"
	_ "time/tzdata" // pictures are made on any machine, in its viewer's zone

	"lvs/rrdstore"
	"lvs/rrdstore/graph"
)

// PictureWords are a picture as it is asked for, on a command line or in a URL.
// What is empty is as usual.
type PictureWords struct {
	Kind          string // see graph.ParseKind
	Theme         string // see graph.ParseTheme
	Zone          string // "Europe/Berlin"
	Title         string
	Width, Height string // in CSS pixels
	Scale         string // pixels of a PNG for each of those
}

// A Picture is how a question's answer is to be drawn.
type Picture struct {
	Kind          graph.Kind
	Theme         graph.Theme
	Zone          *time.Location
	Title         string // empty: what the series is called
	Width, Height int    // zero: the usual ones
	Scale         float64
}

// The bounds of pictures that may be asked for.
const (
	maxSide  = 8192
	maxScale = 4
)

// Picture reads the words. Times are local unless Zone says where. An error begins
// with the name of what is wrong, as it is called in flags and URLs.
func (w *PictureWords) Picture(local *time.Location) (p *Picture, err error) {
	p = &Picture{Kind: graph.Traffic, Zone: local, Title: w.Title}
	if w.Kind != "" {
		if p.Kind, err = graph.ParseKind(w.Kind); err != nil {
			return nil, fmt.Errorf("kind: %w", err)
		}
	}
	if w.Theme != "" {
		if p.Theme, err = graph.ParseTheme(w.Theme); err != nil {
			return nil, fmt.Errorf("theme: %w", err)
		}
	}
	if w.Zone != "" {
		if p.Zone, err = time.LoadLocation(w.Zone); err != nil {
			return nil, fmt.Errorf("zone %q: want the name of a time zone, as Europe/Berlin or UTC", w.Zone)
		}
	}
	if p.Width, err = side("width", w.Width); err != nil {
		return nil, err
	}
	if p.Height, err = side("height", w.Height); err != nil {
		return nil, err
	}
	if w.Scale != "" {
		p.Scale, err = strconv.ParseFloat(w.Scale, 64)
		if err != nil || !(p.Scale >= 0.5 && p.Scale <= maxScale) {
			return nil, fmt.Errorf("scale %q: want pixels of a PNG for each pixel of the picture, from 0.5 to %d", w.Scale, maxScale)
		}
	}
	return p, nil
}

func side(name, s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxSide {
		return 0, fmt.Errorf("%s %q: want pixels, from 1 to %d", name, s, maxSide)
	}
	return n, nil
}

// Pixels is how many a PNG of the picture has, about.
func (p *Picture) Pixels() int {
	width, height, scale := p.Width, p.Height, p.Scale
	if width == 0 {
		width = 900
	}
	if height == 0 {
		height = 500
	}
	if scale == 0 {
		scale = 1
	}
	return int(float64(width) * float64(height) * scale * scale)
}

// Draw makes the picture of the one service, real server or director that q asks
// for.
func (p *Picture) Draw(ctx context.Context, r Fetcher, q *Question) (*graph.Graph, error) {
	series, err := q.Select(ctx, r)
	if err != nil {
		return nil, err
	}
	if len(series) == 0 {
		return nil, questionf("the store has no services")
	}
	if len(series) > 1 || len(q.Keys) == 0 {
		return nil, questionf("key: a picture is of one service, real server or the director; these are %d, as %s and %s",
			len(series), Label(series[0]), Label(series[len(series)-1]))
	}
	return p.Of(ctx, r, series[0], q.Start, q.End, q.Resolution)
}

// Of makes the picture of a series. Where resolution is zero it is the finest that
// covers start and that a picture can show.
func (p *Picture) Of(ctx context.Context, r Fetcher, s *rrdstore.Series, start, end time.Time, resolution time.Duration) (*graph.Graph, error) {
	query := rrdstore.Query{Series: []*rrdstore.Series{s}, Start: start, End: end, Resolution: resolution}
	query.Sources, query.Functions = p.Kind.Query()
	if p.Kind.OfReals() {
		if isReal(s) || isDirector(s) {
			return nil, questionf("kind %s: it is of the real servers of a service, and %s is none", p.Kind, Label(s))
		}
		query.Series = RealsOf(r.Series(), s)
	}
	if resolution == 0 {
		var err error
		if query.Resolution, err = drawnStep(ctx, r, query); err != nil {
			return nil, err
		}
	}
	res, err := r.Fetch(ctx, query)
	if err != nil {
		return nil, err
	}
	g, err := p.Kind.Graph(res, s)
	if err != nil {
		return nil, err
	}
	g.Start, g.End, g.Zone, g.Theme = start, end, p.Zone, p.Theme
	g.Width, g.Height, g.Scale = p.Width, p.Height, p.Scale
	if g.Title = p.Title; g.Title == "" {
		g.Title = Title(s, r.Series())
	}
	return g, nil
}

// The most that a picture is made of: rows of each column, and values of all. The
// extremes are in rows of any length, so that more would only take longer.
const (
	maxDrawn      = 10_000
	maxDrawnCells = 2 << 20
)

// drawnStep is the step of the rows that a picture is made of.
func drawnStep(ctx context.Context, r Fetcher, query rrdstore.Query) (time.Duration, error) {
	columns := len(query.Series) * len(query.Sources) * len(query.Functions)
	query.Series = nil
	grid, err := r.Fetch(ctx, query)
	if err != nil {
		return 0, err
	}
	rows := min(maxDrawn, max(1, maxDrawnCells/max(1, columns)))
	least := grid.Step * time.Duration((grid.Rows+rows-1)/rows)
	for _, step := range drawnSteps {
		if step >= least && step%grid.Step == 0 {
			return step, nil
		}
	}
	return least, nil
}

// drawnSteps are steps that people know, and that finer ones divide.
var drawnSteps = []time.Duration{
	10 * time.Second, 20 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute,
	30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour,
}

// RealsOf are the real servers of a service.
func RealsOf(catalog []*rrdstore.Series, service *rrdstore.Series) (reals []*rrdstore.Series) {
	for _, s := range catalog {
		if isReal(s) && s.Key == service.Key {
			reals = append(reals, s)
		}
	}
	return reals
}

// Title is what a series is called where there is room: its names and its key.
func Title(s *rrdstore.Series, catalog []*rrdstore.Series) string {
	if isDirector(s) {
		return "Director"
	}
	service := s.Key.String()
	if name := Names(catalog)[s.Key]; name != "" {
		service = name + " (" + service + ")"
	}
	switch {
	case !isReal(s):
		return service
	case s.Name != "":
		return s.Name + " (" + s.RIP.String() + ") of " + service
	}
	return s.RIP.String() + " of " + service
}

// WritePicture writes a graph as "svg" or "png".
func WritePicture(w io.Writer, g *graph.Graph, format string) error {
	if format == "png" {
		return g.PNG(w)
	}
	return g.SVG(w)
}
