package exporter

import (
	"context"
	"embed"
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"lvs/internal/history"
	"lvs/rrdstore"
	"lvs/rrdstore/graph"
)

//go:embed pages/page.html
var pageFiles embed.FS

var pages = template.Must(template.ParseFS(pageFiles, "pages/page.html"))

// The size of the pictures in the table of services.
const (
	smallWidth  = 360
	smallHeight = 200
)

// The types below are what the pages show.
type (
	indexPage struct {
		Title, End string
		Services   []indexEntry
	}
	indexEntry struct {
		Dir, Name, Key, Gone string
		Width, Height        int
	}
	servicePage struct {
		Title, Key, First, Last, End string
		Kinds                        []kindSection
		Reals                        []realEntry
	}
	kindSection struct {
		Title    string
		Pictures []pictureEntry
	}
	pictureEntry struct{ File, Alt string }
	realEntry    struct{ Name, First, Last, In, Out, Connections string }
)

// A folder is pages being written.
type folder struct {
	*draw
	r     *rrdstore.Reader
	pic   *history.Picture
	end   time.Time
	names map[string]bool // of directories that are taken
}

// folder writes pages about what q asks for.
func (d *draw) folder(ctx context.Context, r *rrdstore.Reader, pic *history.Picture, q *history.Question) error {
	if d.picture.Theme == "" {
		pic.Theme = graph.Auto
	}
	f := &folder{draw: d, r: r, pic: pic, end: q.End, names: make(map[string]bool)}
	keys := q.Keys
	if d.all {
		keys = []string{"*"}
		if len(services(r.Series())) == 0 {
			keys = nil
		}
		keys = append(keys, history.DirectorKey)
	}
	series, err := history.Choose(r.Series(), keys, false)
	if err != nil {
		return err
	}
	index := indexPage{Title: "LVS services", End: f.stamp(f.end)}
	line := d.progress("drawing")
	defer line.end()
	for i, s := range series {
		entry, err := f.service(ctx, s)
		if err != nil {
			return fmt.Errorf("%s: %w", history.Label(s), err)
		}
		index.Services = append(index.Services, entry)
		line.tell(i+1, len(series))
	}
	d.warnDamaged(r)
	return f.page("index.html", "index", &index)
}

func services(catalog []*rrdstore.Series) []*rrdstore.Series {
	all, err := history.Choose(catalog, nil, false)
	if err != nil {
		return nil
	}
	return all
}

// service writes the page of a service and its pictures.
func (f *folder) service(ctx context.Context, s *rrdstore.Series) (indexEntry, error) {
	entry := indexEntry{Dir: fileName(history.Label(s), f.names), Name: s.Name, Key: history.Label(s), Gone: f.stamp(s.Last), Width: smallWidth, Height: smallHeight}
	if entry.Name == "" {
		entry.Name = entry.Key
	}
	if err := os.MkdirAll(filepath.Join(f.dir, entry.Dir), 0o755); err != nil {
		return entry, err
	}
	small := *f.pic
	small.Kind, small.Width, small.Height = graph.Traffic, smallWidth, smallHeight
	if err := f.picture(ctx, &small, s, filepath.Join(entry.Dir, "small.svg"), periods[0]); err != nil {
		return entry, err
	}
	page := servicePage{Title: history.Title(s, f.r.Series()), Key: entry.Key, First: f.stamp(s.First), Last: entry.Gone, End: f.stamp(f.end)}
	reals := history.RealsOf(f.r.Series(), s)
	for _, k := range pageKinds {
		if k.kind.OfReals() && len(reals) == 0 {
			continue
		}
		section := kindSection{Title: k.title}
		for _, p := range periods {
			pic := *f.pic
			pic.Kind, pic.Title = k.kind, page.Title+", "+p.name
			file := string(k.kind) + "-" + p.name + ".svg"
			if err := f.picture(ctx, &pic, s, filepath.Join(entry.Dir, file), p); err != nil {
				return entry, err
			}
			section.Pictures = append(section.Pictures, pictureEntry{file, section.Title + " of " + pic.Title})
		}
		page.Kinds = append(page.Kinds, section)
	}
	var err error
	if page.Reals, err = f.reals(ctx, reals); err != nil {
		return entry, err
	}
	return entry, f.page(filepath.Join(entry.Dir, "index.html"), "service", &page)
}

// pageKinds are the pictures of a page.
var pageKinds = []struct {
	kind  graph.Kind
	title string
}{
	{graph.Traffic, "Traffic"}, {graph.Packets, "Packets"}, {graph.Connections, "New connections"},
	{graph.Active, "Connections"}, {graph.Reals("in_bytes"), "Traffic to the real servers"},
}

// picture draws a picture into a file.
func (f *folder) picture(ctx context.Context, pic *history.Picture, s *rrdstore.Series, file string, p period) error {
	g, err := pic.Of(ctx, f.r, s, p.start(f.end), f.end, 0)
	if err != nil {
		return err
	}
	if pic.Width == smallWidth { // no more than the curve: the table tells the rest
		g.Title, g.Subtitle, g.Marks = "", "", nil
	}
	return f.writeTo(filepath.Join(f.dir, file), g.SVG)
}

// reals are the rows of the table of real servers.
func (f *folder) reals(ctx context.Context, reals []*rrdstore.Series) (entries []realEntry, err error) {
	if len(reals) == 0 {
		return nil, nil
	}
	averages, err := history.Averages(ctx, f.r, reals, []string{"in_bytes", "out_bytes", "connections"}, periods[0].start(f.end), f.end)
	if err != nil {
		return nil, err
	}
	for i, s := range reals {
		e := realEntry{Name: s.RIP.String(), First: f.stamp(s.First), Last: f.stamp(s.Last)}
		if s.Name != "" {
			e.Name = s.Name + " (" + e.Name + ")"
		}
		e.In, e.Out, e.Connections = rate(averages[i][0]), rate(averages[i][1]), rate(averages[i][2])
		if s.RepliesBypass {
			e.Out = "n/a"
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// rate is a number of people's size.
func rate(v float64) string {
	switch {
	case !rrdstore.Known(v):
		return "unknown"
	case v != 0 && v < 10:
		return strconv.FormatFloat(v, 'g', 2, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

// page writes one page.
func (f *folder) page(file, name string, data any) error {
	return f.writeTo(filepath.Join(f.dir, file), func(w io.Writer) error { return pages.ExecuteTemplate(w, name, data) })
}

// stamp is a time as the pages show it; nothing for none.
func (f *folder) stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(f.pic.Zone).Format("2006-01-02 15:04 MST")
}
