package web

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"lvs/dataplane"
)

func TestPageGolden(t *testing.T) {
	got := regexp.MustCompile(`-[0-9a-f]{16}\.`).ReplaceAll(render(t, "page", listing(director(), Query{})), []byte("-HASH."))
	file := filepath.Join("testdata", "page.html")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("page (-want +got)\n%s", diff)
	}
}

// ids are the rows of a page in order.
func ids(t *testing.T, page []byte) (rows []string) {
	t.Helper()
	walk(t, page, func(n *html.Node) {
		if n.Data == "tr" && attribute(n, "data-row") != "" {
			rows = append(rows, attribute(n, "data-row"))
		}
	})
	return rows
}

func walk(t *testing.T, page []byte, see func(*html.Node)) {
	t.Helper()
	doc, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode {
			see(n)
		}
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// Whatever names hold, the page has the same elements as with harmless ones.
func TestHostileNamesAreText(t *testing.T) {
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>{{.}}'&lt;`
	shape := func(name string) (tags []string, text string) {
		s := bereft()
		s.Services[0].Name, s.Services[0].Reals[0].Name, s.Services[0].Scheduler, s.Services[0].PersistenceEngine = name, name, name, name
		for i := range s.Removed {
			s.Removed[i].Name = name
		}
		s.Director.Version, s.Director.Daemons = name, []dataplane.SyncDaemon{{Role: dataplane.Master, Interface: name}}
		p := listing(s, Query{Text: name})
		p.Title, p.Host, p.Version, p.Error = name, name, name, name
		table := NewTable(s, nil, Agent{Source: name, Troubles: []string{name}})
		p.Table = table
		page := render(t, "page", p)
		detail := &Page{Title: name, Base: "../../", Host: name, Error: name}
		if !table.Detail(detail, s.Services[0].Key, "10.0.0.20:443", name, name) {
			t.Fatal("the real server is not found")
		}
		page = append(page, render(t, "service", detail)...)
		walk(t, page, func(n *html.Node) {
			tags = append(tags, n.Data)
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
					t.Errorf("%s has the attribute %s=%q", n.Data, a.Key, a.Val)
				}
			}
		})
		return tags, string(page)
	}
	want, _ := shape("harmless")
	got, text := shape(evil)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("elements of a page with hostile names (-want +got)\n%s", diff)
	}
	if strings.Contains(text, "<script>alert") || !strings.Contains(text, "&lt;script&gt;alert(1)") {
		t.Error("the name is not shown as text")
	}
}

// Nothing in the pages is inline, or from another host; every element that is
// opened is closed, ids are single and controls have names.
func TestPagesAreWellFormedAndSelfContained(t *testing.T) {
	detail := &Page{Title: "web", Base: "../../"}
	if !NewTable(director(), nil, Agent{}).Detail(detail, director().Services[0].Key, "10.0.0.1:443", "-1h", "now") {
		t.Fatal("the real server is not found")
	}
	for name, p := range map[string]*Page{"page": listing(director(), Query{Sort: "active", Text: "web"}), "service": detail, "message": {Title: "web", Error: "no"}} {
		page := render(t, name, p)
		balanced(t, name, page)
		seen := map[string]bool{}
		walk(t, page, func(n *html.Node) {
			if id := attribute(n, "id"); id != "" && seen[id] {
				t.Errorf("%s: id %s twice", name, id)
			} else {
				seen[id] = true
			}
			for _, a := range []string{"href", "src", "srcset", "action"} {
				if v := attribute(n, a); strings.Contains(v, "//") || strings.HasPrefix(v, "javascript") || strings.Contains(v, "ZgotmplZ") {
					t.Errorf("%s: %s %s=%q", name, n.Data, a, v)
				}
			}
			switch n.Data {
			case "style":
				t.Errorf("%s: a style element", name)
			case "script":
				if attribute(n, "src") == "" {
					t.Errorf("%s: an inline script", name)
				}
			case "img":
				if attribute(n, "alt") == "" {
					t.Errorf("%s: a picture without a text", name)
				}
			case "input", "select":
				if attribute(n, "type") != "hidden" && n.Parent.Data != "label" {
					t.Errorf("%s: %s has no label", name, attribute(n, "name"))
				}
			}
		})
	}
}

// balanced checks that tags are properly nested as they are written.
func balanced(t *testing.T, name string, page []byte) {
	t.Helper()
	void := map[string]bool{"meta": true, "link": true, "input": true, "img": true, "source": true, "path": true}
	var open []string
	z := html.NewTokenizer(bytes.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if z.Err() != io.EOF || len(open) > 0 {
				t.Errorf("%s: ends with %v, open are %v", name, z.Err(), open)
			}
			return
		case html.StartTagToken:
			tag, _ := z.TagName()
			switch string(tag) {
			case "option": // closed here as well
				open = append(open, "option")
			default:
				if !void[string(tag)] {
					open = append(open, string(tag))
				}
			}
		case html.EndTagToken:
			tag, _ := z.TagName()
			if len(open) == 0 || open[len(open)-1] != string(tag) {
				t.Fatalf("%s: </%s> closes %v", name, tag, open)
			}
			open = open[:len(open)-1]
		}
	}
}

func TestALargeTableIsCollapsed(t *testing.T) {
	s := fleet(1000, 10)
	s.Services[3].Reals[4].Weight = 0
	s.Services[3].Reals[4].Active = 0
	page := render(t, "page", listing(s, Query{}))
	if len(page) >= 2_000_000 {
		t.Errorf("the page has %d bytes, want less than 2 MB", len(page))
	}
	if rows := ids(t, page); len(rows) != 1001 {
		t.Errorf("%d rows, want 1,000 services and the one real server that is down", len(rows))
	}
	if rows := ids(t, render(t, "page", listing(s, Query{All: true}))); len(rows) != 11_000 {
		t.Errorf("%d rows with all=1, want 11,000", len(rows))
	}
	for i := range s.Services {
		for j := range s.Services[i].Reals {
			s.Services[i].Reals[j].Weight, s.Services[i].Reals[j].Active = 0, 0
		}
	}
	page = render(t, "page", listing(s, Query{}))
	if rows := ids(t, page); len(rows) != 1000+MaxReals || len(page) >= 2_000_000 {
		t.Errorf("with everything down %d rows in %d bytes", len(rows), len(page))
	}
	for _, c := range []struct {
		s    *dataplane.Snapshot
		q    Query
		rows int
		note string
	}{
		{s, Query{}, 1000 + MaxReals, "the first 500 of those that are not up."},
		{s, Query{State: "down"}, 1000 + MaxReals, "the first 500 of those that match."},
		{fleet(1000, 10), Query{}, 1000, "are those that are not up."},
		{fleet(1000, 10), Query{State: "up"}, 1000 + MaxReals, "the first 500 of those that match."},
		{fleet(100, 10), Query{State: "up", Text: "service-7"}, 11 * 11, ""},
	} {
		page := render(t, "page", listing(c.s, c.q))
		if rows := ids(t, page); len(rows) != c.rows || !strings.Contains(string(page), c.note) || c.note == "" && strings.Contains(string(page), "There are too many") {
			t.Errorf("%+v: %d rows, want %d with %q", c.q, len(rows), c.rows, c.note)
		}
	}
}
