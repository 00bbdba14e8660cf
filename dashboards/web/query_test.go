package web

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
	for _, bad := range []string{"state=gone", "sort=height", "dir=left", "all=maybe", "x=1", "q=" + strings.Repeat("x", maxText+1)} {
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

// Whatever is asked, the answer is a page, or an error; and a query is written as
// what reads the same.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"", "q=web&state=down", "sort=in_rate&dir=desc&all=1", "q=%00%ff%22%3E", "state=UP"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		v, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		q, err := ParseQuery(v)
		if err != nil {
			return
		}
		balanced(t, raw, render(t, "page", listing(director(), q)))
		again, err := url.ParseQuery(q.URL())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ParseQuery(again); err != nil || got != q {
			t.Errorf("%+v is written as %s, which reads as %+v, %v", q, q.URL(), got, err)
		}
	})
}
