package graph

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

// parse reads a picture as an XML document and gives its elements' names, the text
// in each kind of element, and its attributes.
func parse(t testing.TB, doc string) (elements map[string]int, texts map[string][]string, attrs []xml.Attr) {
	t.Helper()
	elements, texts = map[string]int{}, map[string][]string{}
	var open []string
	d := xml.NewDecoder(strings.NewReader(doc))
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return elements, texts, attrs
		}
		if err != nil {
			t.Fatalf("not well-formed: %v\n%s", err, doc)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			elements[tok.Name.Local]++
			open = append(open, tok.Name.Local)
			attrs = append(attrs, tok.Attr...)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				texts[open[len(open)-1]] = append(texts[open[len(open)-1]], string(tok))
			}
		}
	}
}

func TestSVGIsSafe(t *testing.T) {
	evil := "\"'><script>alert(1)</script>&amp;\x00\x1b\u202e\ufffe\xff ]]>\nnext"
	g := goldens(t)["traffic"]
	g.Title, g.Subtitle, g.Unit, g.Note = evil, evil, Unit(evil), evil
	g.Width = 2000 // so that nothing is cut short
	g.Traces[0].Label = evil
	g.Marks[0].Text = evil
	doc := svg(t, g)
	elements, texts, attrs := parse(t, doc)
	for name := range elements {
		switch name {
		case "svg", "title", "desc", "style", "path", "text":
		default:
			t.Errorf("there is an element %s", name)
		}
	}
	for _, a := range attrs {
		if strings.HasPrefix(a.Name.Local, "on") || strings.HasSuffix(a.Name.Local, "href") || strings.Contains(a.Value, "url(") {
			t.Errorf("there is an attribute %s=%q", a.Name.Local, a.Value)
		}
	}
	const shown = "\"'><script>alert(1)</script>&amp;\ufffd\ufffd\ufffd\ufffd\ufffd ]]> next"
	if got := texts["text"][0]; got != shown {
		t.Errorf("the title is %q, want %q", got, shown)
	}
	if got := strings.Join(texts["title"], "|"); !strings.Contains(got, shown) {
		t.Errorf("the tooltips are %q, without %q", got, shown)
	}
}

// TestSVGIsAccessible is about what those get who do not see the picture.
func TestSVGIsAccessible(t *testing.T) {
	doc := svg(t, goldens(t)["stack"])
	_, texts, attrs := parse(t, doc)
	role := ""
	for _, a := range attrs {
		if a.Name.Local == "role" {
			role = a.Value
		}
	}
	if role != "img" {
		t.Errorf("the role is %q", role)
	}
	if got := texts["title"][0]; got != "fwm4/7, in bytes by real server" {
		t.Errorf("the title is %q", got)
	}
	desc := texts["desc"][0]
	for _, want := range []string{"bytes/s from 2026-11-19 13:00 – 2026-11-20 13:00 CET.", "web3: last n/a", "web1: last ", "Marks: 3."} {
		if !strings.Contains(desc, want) {
			t.Errorf("%q does not tell %q", desc, want)
		}
	}
	tips := strings.Join(texts["title"], "|")
	for _, want := range []string{"2026-11-19 18:00:00 CET added\n2026-11-19 18:00:00 CET in service", "2026-11-20 09:00:00 CET removed", "web2\nlast "} {
		if !strings.Contains(tips, want) {
			t.Errorf("%q has no tooltip %q", tips, want)
		}
	}
}

// TestSVGNumbers holds the short form of paths against plain numbers.
func TestSVGNumbers(t *testing.T) {
	var o svgWriter
	o.line([]point{{0, 0.04}, {1, 0}, {1, -2.5}, {1.55, 3}, {1.55, 3}, {3, 3.1}, {3.9, 2}, {-4.2, 2}}, true)
	if got, want := string(o.b), "M0 0h1v-2.5l.6 5.5 1.4 .1 .9-1.1h-8.1z"; got != want {
		t.Errorf("the path is %s, want %s", got, want)
	}
}

func TestSVGErrors(t *testing.T) {
	if err := goldens(t)["lines"].SVG(failing{}); !errors.Is(err, errFull) {
		t.Errorf("a writer that fails: %v", err)
	}
	for name, g := range map[string]*Graph{
		"no times":      {},
		"end at start":  {Start: noon, End: noon},
		"end at once":   {Start: noon, End: noon.Add(-time.Second)},
		"after 9999":    {Start: noon, End: noon.AddDate(8000, 0, 0)},
		"no step":       {Start: noon, End: noon.Add(time.Hour), Traces: []Trace{{Values: []float64{1}}}},
		"negative step": {First: noon, Step: -1, End: noon.Add(time.Hour), Traces: []Trace{{Values: []float64{1}}}},
	} {
		if err := g.SVG(io.Discard); err == nil {
			t.Errorf("%s: no error", name)
		}
		if err := g.PNG(io.Discard); err == nil {
			t.Errorf("%s: no error of PNG", name)
		}
	}
}

var errFull = errors.New("disk full")

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errFull }

// TestNothing is about pictures in which there is nothing to see.
func TestNothing(t *testing.T) {
	nan := math.NaN()
	for _, tt := range []struct {
		name string
		g    Graph
		want string
	}{
		{"no traces", Graph{Start: noon, End: noon.Add(time.Hour)}, "no data from 2026-11-20 12:00 to 2026-11-20 13:00 UTC"},
		{"unknown", Graph{First: noon, Step: time.Minute, Traces: []Trace{{Values: []float64{nan, nan}}}}, "no data from 2026-11-20 12:00 to 2026-11-20 12:02 UTC"},
		{"elsewhere", Graph{First: noon, Step: time.Minute, Start: noon.Add(time.Hour), End: noon.Add(2 * time.Hour), Traces: []Trace{{Values: []float64{1, 2}}}},
			"no data from 2026-11-20 13:00 to 2026-11-20 14:00 UTC"},
		{"a note", Graph{Start: noon, End: noon.Add(time.Hour), Note: "not counted"}, "not counted"},
	} {
		_, texts, _ := parse(t, svg(t, &tt.g))
		found := false
		for _, s := range texts["text"] {
			found = found || s == tt.want
		}
		if !found {
			t.Errorf("%s: no %q in %q", tt.name, tt.want, texts["text"])
		}
	}
}
