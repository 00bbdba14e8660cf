package prom

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lvs/dataplane"
)

func TestGlob(t *testing.T) {
	tests := []struct {
		pattern, s string
		want       bool
	}{
		{"web", "web", true},
		{"web", "web2", false},
		{"web?", "web2", true},
		{"web?", "web", false},
		{"*", "", true},
		{"*", "tcp/192.0.2.10:443", true},
		{"tcp/*:443", "tcp/192.0.2.10:443", true},
		{"tcp/*:443", "tcp/192.0.2.10:4430", false},
		{"tcp/[2001:db8::1]:443", "tcp/[2001:db8::1]:443", true},
		{"tcp/[2001:*", "tcp/[2001:db8::1]:443", true},
		{"*a*b*c*", "xxaxbxaxcx", true},
		{"*a*b*c", "xxaxbxaxcx", false},
		{"**a", "a", true},
		{"fwm?/257", "fwm6/257", true},
		{"", "", true},
		{"", "a", false},
	}
	for _, tt := range tests {
		if got := glob(tt.pattern, tt.s); got != tt.want {
			t.Errorf("glob(%q, %q) = %v, want %v", tt.pattern, tt.s, got, tt.want)
		}
	}
}

func TestScrapeShowsWhatIsAskedFor(t *testing.T) {
	every := []string{"lvs_agent_last_sample_timestamp_seconds", "lvs_agent_series_suppressed", "lvs_agent_snapshot_age_seconds", "lvs_up"}
	tests := []struct {
		query      string
		prefix     string // of all families but those of every scrape
		some, none string // of series
	}{
		{"?scope=reals", "lvs_real_server_", `real="198.51.100.1:443"`, "lvs_service_info"},
		{"?scope=services", "lvs_service_", `service="web"`, `real="`},
		{"?scope=node-ipvs", "node_ipvs_", `proto="SCTP"`, "lvs_services"},
		{"?scope=reals,services&service=web", "lvs_", `service="web"`, "fwm4"},
		{"?scope=reals&service=tcp/192.0.2.10:443", "lvs_real_server_", `service="web"`, "fwm4"},
		{"?scope=reals&service=fwm4/*&service=sctp/*", "lvs_real_server_", "fwm4/257", `service="web"`},
		{"?scope=services&service=nothing", "lvs_service_", "lvs_up 1", `service="`},
		{"?scope=agent&scope=director", "lvs_", "lvs_agent_build_info", `service="`},
		{"?service=web", "", "lvs_services 7", "fwm6"}, // counts of the director stay whole
	}
	e := exposition(t, everything())
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			got := get(t, e, tt.query)
			var left []string
			for line := range strings.Lines(got) {
				name, found := strings.CutPrefix(line, "# HELP ")
				if name, _, _ = strings.Cut(name, " "); found && slices.Contains(every, name) {
					left = append(left, name)
				} else if found && !strings.HasPrefix(name, tt.prefix) {
					t.Errorf("shows %s", name)
				}
			}
			if !slices.Equal(left, every) {
				t.Errorf("of the families of every scrape only %q", left)
			}
			if !strings.Contains(got, tt.some) || strings.Contains(got, tt.none) {
				t.Errorf("want %q and not %q in:\n%s", tt.some, tt.none, got)
			}
		})
	}
	got := get(t, e, "?name[]=lvs_services&name[]=lvs_up")
	want := "# HELP lvs_services Virtual services in the table.\n# TYPE lvs_services gauge\nlvs_services 7\n"
	if !strings.HasPrefix(got, want) || strings.Count(got, "# TYPE") != 2 {
		t.Errorf("two families asked for:\n%s", got)
	}
}

func TestBadQueriesSayWhatIsWanted(t *testing.T) {
	tests := []struct{ method, query, want string }{
		{"GET", "?scope=real", `unknown scope "real": want some of director, services, reals, agent, node-ipvs`},
		{"GET", "?scope=", `unknown scope ""`},
		{"GET", "?scope=agent,,reals", `unknown scope ""`},
		{"GET", "?scopes=reals", `unknown parameter "scopes": want scope, service or name[]`},
		{"GET", "?service=", "want 1 to 256"},
		{"GET", "?service=" + strings.Repeat("a", 257), "257 bytes"},
		{"GET", "?" + strings.Repeat("service=a&", 65), "65 service patterns: want at most 64"},
		{"GET", "?service=%zz", "invalid URL escape"},
		{"GET", "?a;b", "semicolon"},
		{"POST", "", "read with GET"},
	}
	e := exposition(t, everything())
	for _, tt := range tests {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(tt.method, "/metrics", nil)
		r.URL.RawQuery = strings.TrimPrefix(tt.query, "?")
		e.ServeHTTP(w, r)
		code := http.StatusBadRequest
		if tt.method != "GET" {
			code = http.StatusMethodNotAllowed
		}
		if w.Code != code || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s %s: %d %q, want %d with %q", tt.method, tt.query, w.Code, w.Body, code, tt.want)
		}
	}
}

func TestTooManyScrapesAtOnceAreTurnedAway(t *testing.T) {
	var e *Exposition
	depth, refused := 0, 0
	e = exposition(t, Options{Snapshot: func() *dataplane.Snapshot {
		// Scrape from within the scrape, until that is refused.
		depth++
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		if w.Code == http.StatusServiceUnavailable && w.Header().Get("Retry-After") != "" {
			refused++
		}
		return rich()
	}})
	get(t, e, "")
	if depth != maxScrapes || refused != 1 {
		t.Errorf("%d scrapes at once and %d refused, want %d and 1", depth, refused, maxScrapes)
	}
}

func TestScrapeCutShortIsCounted(t *testing.T) {
	e := exposition(t, everything())
	e.ServeHTTP(discard{brokenWriter{}, http.Header{}}, httptest.NewRequest("GET", "/metrics", nil))
	if got := get(t, e, ""); !strings.Contains(got, "lvs_agent_scrape_errors_total{stage=\"write\"} 1\n") {
		t.Errorf("not counted:\n%s", got)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, fmt.Errorf("connection reset") }

func TestGzipOnlyForThoseWhoTakeIt(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "gzip": true, "deflate, GZIP;q=0.5": true, "gzip;q=0": false, "gzip; q=0.0, br": false, "*": true, "identity": false,
	} {
		h := http.Header{}
		if header != "" {
			h.Set("Accept-Encoding", header)
		}
		if got := acceptsGzip(h); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}

// FuzzParseFilter holds that no query panics, that an accepted one means what
// its text says, and that matching agrees with a regular expression.
func FuzzParseFilter(f *testing.F) {
	f.Add("scope=reals,agent&service=web*&name[]=lvs_up", "web1")
	f.Add("service=tcp/[2001:db8::1]:*", "tcp/[2001:db8::1]:443")
	f.Add("scope=&service=", "")
	f.Add("service=%2a%3f*&scope=director", "a/b")
	f.Add("service=*a*a*a*a*b", "aaaaaaaaaaaa")
	f.Fuzz(func(t *testing.T, query, label string) {
		got, err := parseFilter(query)
		if err != nil {
			return
		}
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatalf("accepted %q: %v", query, err)
		}
		for _, s := range got.scopes {
			if !slices.Contains(scopes, s) || !got.scope(s) {
				t.Errorf("scope %q", s)
			}
		}
		if len(got.scopes) == 0 && !got.scope(ScopeReals) {
			t.Error("no scope asked for, and not all shown")
		}
		if !slices.Equal(got.services, q["service"]) {
			t.Errorf("services %q, want %q", got.services, q["service"])
		}
		for _, g := range got.services {
			if got, want := glob(g, label), globByRegexp(g, label); got != want {
				t.Errorf("glob(%q, %q) = %v, want %v", g, label, got, want)
			}
			// Where path.Match is as simple as glob, they agree.
			if !strings.ContainsAny(g, `[]\`) && !strings.Contains(label, "/") && isASCII(g+label) {
				if want, err := path.Match(g, label); err == nil && want != glob(g, label) {
					t.Errorf("glob(%q, %q) = %v, path.Match says %v", g, label, !want, want)
				}
			}
		}
	})
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0
}

// globByRegexp says the same by bytes, written as Latin-1 since expressions are
// of runes.
func globByRegexp(pattern, s string) bool {
	q := regexp.QuoteMeta(latin1(pattern))
	q = strings.ReplaceAll(strings.ReplaceAll(q, `\*`, `.*`), `\?`, `.`)
	return regexp.MustCompile(`^(?s:` + q + `)$`).MatchString(latin1(s))
}

func latin1(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}
