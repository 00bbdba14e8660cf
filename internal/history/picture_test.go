package history

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"lvs/rrdstore"
	"lvs/rrdstore/graph"
)

func TestPictureReadsWords(t *testing.T) {
	p, err := (&PictureWords{Kind: "packets", Theme: "dark", Zone: "Asia/Kolkata", Title: "T", Width: "800", Height: "300", Scale: "2"}).Picture(time.UTC)
	if err != nil || p.Kind != graph.Packets || p.Theme != graph.Dark || p.Zone.String() != "Asia/Kolkata" || p.Title != "T" || p.Width != 800 || p.Height != 300 || p.Scale != 2 {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := (&PictureWords{}).Picture(time.UTC); err != nil || p.Kind != graph.Traffic || p.Zone != time.UTC {
		t.Errorf("%+v, %v", p, err)
	}
	for want, w := range map[string]PictureWords{
		`kind: no`:      {Kind: "nosuch"},
		`theme: no`:     {Theme: "pink"},
		`zone "Berlin"`: {Zone: "Berlin"},
		`width "0"`:     {Width: "0"},
		`height "9999"`: {Height: "9999"},
		`scale "NaN"`:   {Scale: "NaN"},
	} {
		if _, err := w.Picture(time.UTC); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%+v: %v, want one that begins %s", w, err, want)
		}
	}
}

func TestDrawAsksForWhatItShows(t *testing.T) {
	f := &fake{step: 10 * time.Second, series: series(t, "director", "fwm4/1=web", "fwm4/1,10.0.0.1:80", "fwm4/1,10.0.0.2:80=two", "fwm4/2")}
	end := time.Unix(1_800_000_000, 0)
	draw := func(p *Picture, days int, keys ...string) (*graph.Graph, error) {
		f.queries = nil
		p.Zone = time.UTC
		return p.Draw(t.Context(), f, &Question{Keys: keys, Start: end.AddDate(0, 0, -days), End: end})
	}
	g, err := draw(&Picture{Kind: graph.Traffic}, 1, "web")
	if err != nil {
		t.Fatal(err)
	}
	asked := f.queries[len(f.queries)-1]
	if g.Title != "web (fwm4/1)" || asked.Resolution != 10*time.Second || len(asked.Series) != 1 || len(g.Traces) != 2 {
		t.Errorf("%q: %v of %d series, %d traces", g.Title, asked.Resolution, len(asked.Series), len(g.Traces))
	}
	for _, format := range []string{"svg", "png"} {
		var b bytes.Buffer
		if err := WritePicture(&b, g, format); err != nil || !strings.Contains(b.String()[:200], map[string]string{"svg": "<svg", "png": "PNG"}[format]) {
			t.Errorf("%s: %v, %.200q", format, err, &b)
		}
	}
	if g, err = draw(&Picture{Kind: graph.Reals("in_bytes"), Title: "mine"}, 100, "fwm4/1"); err != nil {
		t.Fatal(err)
	}
	asked = f.queries[len(f.queries)-1]
	if rows := 100 * 24 * time.Hour / asked.Resolution; g.Title != "mine" || len(asked.Series) != 2 || rows > maxDrawn || rows < maxDrawn/4 {
		t.Errorf("%q: %v (%d rows) of %d series", g.Title, asked.Resolution, rows, len(asked.Series))
	}
	for _, c := range []struct {
		keys string
		want string
	}{
		{"*", "these are 2"}, {"", "these are 2"}, {"nosuch", "none like it"},
	} {
		if _, err := draw(&Picture{Kind: graph.Traffic}, 1, strings.Fields(c.keys)...); !errors.Is(err, ErrQuestion) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want one with %q", c.keys, err, c.want)
		}
	}
	for _, key := range []string{"director", "fwm4/1,10.0.0.1:80"} {
		if _, err := draw(&Picture{Kind: graph.Reals("active")}, 1, key); !errors.Is(err, ErrQuestion) {
			t.Errorf("real servers of %s: %v", key, err)
		}
	}
}

func TestTitle(t *testing.T) {
	catalog := series(t, "director", "fwm4/1=web", "fwm4/1,10.0.0.1:80", "fwm4/1,10.0.0.2:80=two", "fwm4/2", "fwm4/2,10.0.0.1:80")
	want := []string{"Director", "web (fwm4/1)", "10.0.0.1:80 of web (fwm4/1)", "two (10.0.0.2:80) of web (fwm4/1)", "fwm4/2", "10.0.0.1:80 of fwm4/2"}
	for i, s := range catalog {
		if got := Title(s, catalog); got != want[i] {
			t.Errorf("%s: %q, want %q", Label(s), got, want[i])
		}
	}
	if got := Title(&rrdstore.Series{}, nil); got != "Director" {
		t.Errorf("got %q", got)
	}
}
