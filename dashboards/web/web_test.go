package web

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"lvs/dataplane"
)

var update = flag.Bool("update", false, "rewrite testdata")

var epoch = time.Date(2026, 11, 20, 10, 30, 0, 0, time.UTC)

func account(n uint64) dataplane.Account {
	return dataplane.Account{
		Total:      dataplane.Counters{Connections: n, InPackets: 10 * n, OutPackets: 9 * n, InBytes: 1000 * n, OutBytes: 100_000 * n},
		LastChange: epoch.Add(-time.Duration(n) * time.Second),
	}
}

func rates(n uint64) dataplane.Rates {
	return dataplane.Rates{Connections: n, InBytes: 100 * n, OutBytes: 12345 * n}
}

// director is a small table with a real server in every state.
func director() *dataplane.Snapshot {
	real := func(rip string, m dataplane.Method, weight, active uint32, n uint64) dataplane.RealState {
		return dataplane.RealState{
			RealServer: dataplane.RealServer{RIP: netip.MustParseAddrPort(rip), Method: m, Weight: weight}, Active: active, Inactive: 3,
			Rates: rates(n), HasRates: true, Account: account(n),
		}
	}
	web := dataplane.ServiceState{Name: "web", Rates: rates(40), HasRates: true, Account: account(400)}
	web.Key, web.Scheduler, web.Flags = dataplane.AddrKey(dataplane.TCP, netip.MustParseAddrPort("192.0.2.10:443")), "wlc", dataplane.FlagPersistent
	web.Reals = []dataplane.RealState{
		real("10.0.0.1:443", dataplane.Masquerade, 30, 5, 30), real("10.0.0.2:443", dataplane.Masquerade, 10, 50, 10),
		real("10.0.0.3:443", dataplane.Masquerade, 0, 2, 0), real("10.0.0.4:443", dataplane.Masquerade, 0, 0, 0),
	}
	web.Reals[0].Name, web.Reals[1].UpperThreshold, web.Reals[3].Inactive = "web1", 50, 0
	v6 := dataplane.ServiceState{Account: account(7)}
	v6.Key, v6.Scheduler = dataplane.AddrKey(dataplane.UDP, netip.MustParseAddrPort("[2001:db8::1]:53")), "rr"
	v6.Reals = []dataplane.RealState{real("[2001:db8::2]:53", dataplane.Route, 1, 0, 7)}
	mark := dataplane.ServiceState{}
	mark.Key, mark.Scheduler = dataplane.MarkKey(dataplane.INET, 257), "sh"
	return &dataplane.Snapshot{Tick: epoch, Time: epoch, Services: []dataplane.ServiceState{web, v6, mark}}
}

// fleet is a large one.
func fleet(services, reals int) *dataplane.Snapshot {
	s := &dataplane.Snapshot{Tick: epoch, Time: epoch}
	for i := range services {
		v := dataplane.ServiceState{Name: fmt.Sprintf("service-%d", i), Rates: rates(uint64(i) * 1000), HasRates: true, Account: account(uint64(i) * 12345)}
		v.Key, v.Scheduler = dataplane.AddrKey(dataplane.TCP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, byte(113 + i/250), byte(i % 250)}), 443)), "wlc"
		for j := range reals {
			r := dataplane.RealState{Rates: rates(uint64(j)), HasRates: true, Active: uint32(j), Account: account(uint64(i * j))}
			r.RIP, r.Weight = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i / 250), byte(i % 250), byte(j + 1)}), 443), 1
			v.Reals = append(v.Reals, r)
		}
		s.Services = append(s.Services, v)
	}
	return s
}

func render(t testing.TB, name string, p *Page) []byte {
	t.Helper()
	site, err := NewSite()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := site.Render(&b, name, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// hour is a sparkline that fits every minute.
func hour() Spark {
	values := make([]float64, 60)
	for i := range values {
		values[i] = float64(i * i % 37)
	}
	return NewSpark(values)
}

func listing(s *dataplane.Snapshot, q Query) *Page {
	sparks := map[dataplane.ServiceKey]Spark{}
	for i := range s.Services {
		sparks[s.Services[i].Key] = hour()
	}
	p := &Page{Title: "Virtual services", Version: "1.0", Interval: 10 * time.Second}
	NewTable(s, sparks).View(p, q)
	return p
}

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

func TestQueryPicksAndOrders(t *testing.T) {
	const web = "tcp/192.0.2.10:443"
	for _, c := range []struct {
		query string
		want  []string
	}{
		{"", []string{web, web + ",10.0.0.1:443", web + ",10.0.0.2:443", web + ",10.0.0.3:443", web + ",10.0.0.4:443",
			"udp/[2001:db8::1]:53", "udp/[2001:db8::1]:53,[2001:db8::2]:53", "fwm4/257"}},
		{"state=down", []string{web, web + ",10.0.0.4:443", "fwm4/257"}},
		{"state=overloaded", []string{web, web + ",10.0.0.2:443"}},
		{"state=not-up&q=WEB", []string{web, web + ",10.0.0.2:443", web + ",10.0.0.3:443", web + ",10.0.0.4:443"}},
		{"q=web1", []string{web, web + ",10.0.0.1:443"}},
		{"q=db8::2", []string{"udp/[2001:db8::1]:53", "udp/[2001:db8::1]:53,[2001:db8::2]:53"}},
		{"q=nothing", nil},
		{"sort=conn_total&state=up", []string{"udp/[2001:db8::1]:53", "udp/[2001:db8::1]:53,[2001:db8::2]:53", web, web + ",10.0.0.1:443"}},
		{"sort=active&dir=desc&q=web", []string{web, web + ",10.0.0.2:443", web + ",10.0.0.1:443", web + ",10.0.0.3:443", web + ",10.0.0.4:443"}},
		{"sort=state&q=web", []string{web, web + ",10.0.0.4:443", web + ",10.0.0.3:443", web + ",10.0.0.2:443", web + ",10.0.0.1:443"}},
	} {
		v, err := url.ParseQuery(c.query)
		if err != nil {
			t.Fatal(err)
		}
		q, err := ParseQuery(v)
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
			continue
		}
		if diff := cmp.Diff(c.want, ids(t, render(t, "page", listing(director(), q)))); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.query, diff)
		}
		if again, err := url.ParseQuery(q.URL()); err != nil || q.URL() != must(ParseQuery(again)).URL() {
			t.Errorf("%s is written as %s, which reads otherwise", c.query, q.URL())
		}
	}
	for _, bad := range []string{"state=gone", "sort=height", "dir=left", "all=maybe", "x=1"} {
		v, _ := url.ParseQuery(bad)
		if _, err := ParseQuery(v); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

func must(q Query, err error) Query {
	if err != nil {
		panic(err)
	}
	return q
}

// Whatever names hold, the page has the same elements as with harmless ones.
func TestHostileNamesAreText(t *testing.T) {
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>{{.}}'&lt;`
	shape := func(name string) (tags []string, text string) {
		s := director()
		s.Services[0].Name, s.Services[0].Reals[0].Name, s.Services[0].Scheduler = name, name, name
		p := listing(s, Query{Text: name})
		p.Title, p.Error = name, name
		page := render(t, "page", p)
		detail := &Page{Title: name, Base: "../../", Error: name}
		if !NewTable(s, nil).Detail(detail, s.Services[0].Key, "", name, name) {
			t.Fatal("the service is not found")
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
	if !NewTable(director(), nil).Detail(detail, director().Services[0].Key, "10.0.0.1:443", "-1h", "now") {
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
}

func TestEventsTellWhatChanged(t *testing.T) {
	old := NewTable(director(), nil)
	s := director()
	s.Tick = epoch.Add(10 * time.Second)
	s.Services[0].Reals[0].Weight, s.Services[0].Reals[0].Active, s.Services[0].Reals[0].LastChange = 0, 0, s.Tick
	got, err := json.Marshal(NewTable(s, nil).Since(old))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"tick":"2026-11-20T10:30:10Z","summary":"3 services, 5 real servers: 1 up, 1 overloaded, 2 draining, 1 down","rows":{` +
		`"tcp/192.0.2.10:443":{"state":"overloaded","cells":{"1":"overloaded","2":"2026-11-20 10:23:20, every real server in service is at its upper threshold","4":"10","7":"52"}},` +
		`"tcp/192.0.2.10:443,10.0.0.1:443":{"state":"draining","cells":{"1":"draining","2":"2026-11-20 10:30:10, weight is 0, connections are left","4":"0","5":"0.0 %","7":"0"}},` +
		`"tcp/192.0.2.10:443,10.0.0.2:443":{"cells":{"5":"100.0 %"}}}}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("event (-want +got)\n%s", diff)
	}
	if e := NewTable(s, nil).Since(NewTable(s, nil)); len(e.Rows) > 0 || e.Shape {
		t.Errorf("nothing changed, and the event tells %+v", e)
	}
	s.Services[0].Reals = s.Services[0].Reals[1:]
	if e := NewTable(s, nil).Since(old); !e.Shape {
		t.Error("a real server went, and the event does not tell")
	}
}

// Of a table that pages collapse, only real servers that are not up are told.
func TestEventsOfALargeTableAreBounded(t *testing.T) {
	s := fleet(100, 10)
	for i := range s.Services {
		for j := range s.Services[i].Reals {
			s.Services[i].Reals[j].Active += 5
		}
	}
	s.Services[7].Reals[7].Weight = 0
	e := NewTable(s, nil).Since(NewTable(fleet(100, 10), nil))
	reals := 0
	for id := range e.Rows {
		if strings.Contains(id, ",") {
			reals++
		}
	}
	if reals != 1 || !e.Partial || len(e.Rows) != 101 {
		t.Errorf("%d rows, %d real servers, partial %v; want 100 services and one real server", len(e.Rows), reals, e.Partial)
	}
}

func TestCompact(t *testing.T) {
	for v, want := range map[uint64]string{
		0: "0", 99_999: "99999", 100_000: "100 k", 123_456: "123 k", 999_499: "999 k", 999_500: "1.00 M", 9_994_999: "9.99 M", 9_995_000: "10.0 M",
		99_950_000: "100 M", 12_345_678_901: "12.3 G", 1<<64 - 1: "18.4 E",
	} {
		if got := compact(v); got != want {
			t.Errorf("compact(%d) = %q, want %q", v, got, want)
		}
	}
}

func TestCSV(t *testing.T) {
	var b bytes.Buffer
	if err := CSV(&b, director()); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	for i, want := range map[int]string{
		1: `2026-11-20T10:30:00Z,tcp/192.0.2.10:443,,web,up,,2026-11-20T10:23:20Z,wlc,,40,57,9,,40,4000,493800,400,4000,3600,400000,40000000`,
		2: `2026-11-20T10:30:00Z,tcp/192.0.2.10:443,10.0.0.1:443,web1,up,,2026-11-20T10:29:30Z,wlc,masquerade,30,5,3,,30,3000,370350,30,300,270,30000,3000000`,
		7: `2026-11-20T10:30:00Z,udp/[2001:db8::1]:53,[2001:db8::2]:53,,up,,2026-11-20T10:29:53Z,rr,route,1,0,3,,7,700,,7,70,,7000,`,
	} {
		if lines[i] != want {
			t.Errorf("line %d is\n%s\nwant\n%s", i, lines[i], want)
		}
	}
	if len(lines) != 10 {
		t.Errorf("%d lines, want a heading, 8 rows and the end", len(lines))
	}
}

func BenchmarkPage(b *testing.B) {
	s := fleet(1000, 10)
	for b.Loop() {
		render(b, "page", listing(s, Query{}))
	}
}

func BenchmarkEvent(b *testing.B) {
	old, s := NewTable(fleet(1000, 10), nil), fleet(1000, 10)
	for i := range s.Services {
		s.Services[i].Rates.InBytes++
	}
	for b.Loop() {
		if _, err := json.Marshal(NewTable(s, nil).Since(old)); err != nil {
			b.Fatal(err)
		}
	}
}
