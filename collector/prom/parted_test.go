package prom

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// manyDirectors have more series in a family than a part has, among them one
// without any, and names that look like comments.
func manyDirectors() Options {
	var members []Member
	for i := range 30 {
		m := Member{Director: fmt.Sprintf("# %d\n#", i), Snapshot: large(300), Up: true}
		if i%7 == 3 {
			m.Snapshot = nil
		}
		members = append(members, m)
	}
	return Options{Members: func() []Member { return members }, Process: ProcessMetrics()}
}

// A family that is written in parts is the same as one written whole.
func TestFamiliesInPartsAreWhole(t *testing.T) {
	for _, kind := range []expfmt.FormatType{expfmt.TypeTextPlain, expfmt.TypeOpenMetrics} {
		t.Run(fmt.Sprint(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := exposition(t, manyDirectors())
				format := expfmt.NewFormat(kind)
				r := httptest.NewRequest("GET", "/metrics?scope=services,reals,director", nil)
				r.Header.Set("Accept", string(format))
				w := httptest.NewRecorder()
				e.ServeHTTP(w, r)

				all, err := e.Gather()
				if err != nil {
					t.Fatal(err)
				}
				var want bytes.Buffer
				enc := expfmt.NewEncoder(&want, format.WithEscapingScheme(model.NoEscaping))
				most := 0
				for _, mf := range all {
					if strings.HasPrefix(mf.GetName(), "lvs_") && mf.GetName() != "lvs_agent_scrape_errors_total" {
						most = max(most, len(mf.Metric))
						if err := enc.Encode(mf); err != nil {
							t.Fatal(err)
						}
					}
				}
				if c, ok := enc.(expfmt.Closer); ok {
					if err := c.Close(); err != nil {
						t.Fatal(err)
					}
				}
				if got := w.Body.String(); got != want.String() {
					t.Errorf("%d bytes, want %d", len(got), want.Len())
				}
				if most < partSeries {
					t.Errorf("no family has more than %d series", most)
				}
			})
		})
	}
}

// However the parts are cut into writes, their comments go, and nothing else.
func TestPartedLeavesCommentsOut(t *testing.T) {
	const part = "# HELP a # of\n# TYPE a gauge\na 1\n# a comment within\na 2\n"
	for size := 1; size <= len(part); size++ {
		var got bytes.Buffer
		p := &parted{Writer: &got}
		for _, goesOn := range []bool{false, true, true, false} {
			p.goesOn = goesOn
			for rest := part; len(rest) > 0; {
				n, err := p.Write([]byte(rest[:min(size, len(rest))]))
				if err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
		}
		tail := part[strings.Index(part, "a 1"):]
		if diff := cmp.Diff(part+tail+tail+part, got.String()); diff != "" {
			t.Fatalf("in writes of %d bytes (-want +got):\n%s", size, diff)
		}
	}
}

// A scrape of a fleet holds a part of a family, not one of all directors.
func TestFleetScrapeHoldsAPart(t *testing.T) {
	e := exposition(t, manyDirectors())
	var m scrapeMemory
	e.load(&m, new(filter))
	for i := range e.families {
		f := &e.families[i]
		for next := 0; next < len(m.members); {
			var n int
			if _, n = f.fillFrom(next, partSeries, &m, &m.cells); n <= next {
				t.Fatalf("%s: from %d to %d", f.Name, next, n)
			}
			if next = n; m.cells.count >= partSeries+600 { // 300 real servers, and twice as many states
				t.Errorf("%s: %d series in a part", f.Name, m.cells.count)
			}
		}
	}
}
