package prom

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"lvs/dataplane"
)

// threeDirectors is a fleet of a whole director, one that counts nothing, and one that was
// not read yet.
func threeDirectors() Options {
	less := rich()
	less.Partial = true
	less.Services = less.Services[:2]
	members := []Member{
		{Director: "lvs1", Snapshot: rich(), Up: true, Resets: &Resets{}, Agent: &Health{
			Up: true, SampleErrors: map[string]uint64{"read": 3}, LateTicks: 4, SkippedTicks: 5, Inconsistent: 6,
			DumpRetries: 7, Unnumbered: 8, Components: map[string]bool{"kernel": true, "store": false},
			Store: &StoreHealth{Bytes: 9, Limit: 10, CommitErrors: 11, LateCommits: 12, Damaged: 13}, AgentX: &AgentXHealth{}, Config: &ConfigHealth{}}},
		{Director: "a\xff", Snapshot: less, Lacks: []string{"lvs_connection_table_entries", "lvs_real_server_up"}},
		{Director: "lvs3"},
		{Director: "lvs1", Snapshot: less},
	}
	return Options{Members: func() []Member { return members }, NodeIPVS: true, KernelRates: true}
}

func TestFleetScrape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		golden(t, "fleet.prom", get(t, exposition(t, threeDirectors()), ""))
	})
}

// Without its label, what a fleet shows of a director is what the director shows
// of itself.
func TestMemberOfAFleetIsShownAsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alone := exposition(t, Options{Snapshot: func() *dataplane.Snapshot { return rich() }, NodeIPVS: true, KernelRates: true,
			Health: func() Health { return Health{Up: true} }})
		label := regexp.MustCompile(`\{director="lvs1"\}|director="lvs1",|,director="lvs1"`)
		for _, scope := range []string{"director", "services", "reals", "node-ipvs"} {
			got := get(t, exposition(t, threeDirectors()), "?scope="+scope+"&director=lvs1")
			want := get(t, alone, "?scope="+scope)
			if diff := cmp.Diff(want, label.ReplaceAllString(got, "")); diff != "" {
				t.Errorf("scope %s (-alone +member):\n%s", scope, diff)
			}
		}
	})
}

func TestFleetIsFilteredByDirector(t *testing.T) {
	e := exposition(t, threeDirectors())
	got := get(t, e, "?director=lvs*&name[]=lvs_up&name[]=lvs_services")
	want := `# HELP lvs_services Virtual services in the table.
# TYPE lvs_services gauge
lvs_services{director="lvs1"} 7
# HELP lvs_up 1 if there is a snapshot and the latest reading of the kernel's IPVS table succeeded, else 0.
# TYPE lvs_up gauge
lvs_up{director="lvs1"} 1
lvs_up{director="lvs3"} 0
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for query, want := range map[string]string{"?director=": "director pattern of 0 bytes", "?target=x": `unknown parameter "target"`} {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest("GET", "/metrics"+query, nil))
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
}

// A target that a request names is shown without a label, and the request's
// other parameters are left to whoever asked for it.
func TestServeMembersShowsATarget(t *testing.T) {
	o := threeDirectors()
	o.Foreign = []string{"target", "module"}
	e := exposition(t, o)
	w := httptest.NewRecorder()
	e.ServeMembers(w, httptest.NewRequest("GET", "/snmp?target=192.0.2.1&module=lvs&name[]=lvs_services", nil), Member{Snapshot: rich(), Up: true})
	want := "# HELP lvs_services Virtual services in the table.\n# TYPE lvs_services gauge\nlvs_services 7\n"
	if diff := cmp.Diff(want, w.Body.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestFleetIsAcceptedByRegistryAndLinter(t *testing.T) {
	e := exposition(t, threeDirectors())
	r := prometheus.NewPedanticRegistry()
	if err := r.Register(e); err != nil {
		t.Fatal(err)
	}
	theirs, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	ours, err := e.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(seriesOf(theirs), seriesOf(ours)); diff != "" {
		t.Errorf("-registry +ours:\n%s", diff)
	}
	for _, mf := range ours {
		for _, m := range mf.Metric {
			if !slices.IsSortedFunc(m.Label, func(a, b *dto.LabelPair) int { return strings.Compare(a.GetName(), b.GetName()) }) {
				t.Errorf("%s: labels out of order: %v", mf.GetName(), m.Label)
			}
		}
	}
	if problems, err := testutil.GatherAndLint(e); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}

// Each director has its own limit of real servers.
func TestFleetGuardsEachDirector(t *testing.T) {
	o := threeDirectors()
	o.RealsLimit = 7
	got := get(t, exposition(t, o), "")
	if strings.Contains(got, `lvs_real_server_weight{director="lvs1"`) || !strings.Contains(got, `lvs_real_server_weight{director="a`) {
		t.Errorf("not the real servers of the smaller one only:\n%s", got)
	}
	if !regexp.MustCompile(`lvs_agent_series_suppressed\{director="lvs1",scope="reals"\} [1-9]`).MatchString(got) {
		t.Errorf("nothing suppressed:\n%s", got)
	}
}

// BenchmarkFleetScrape is of 500 directors of 200 real servers.
func BenchmarkFleetScrape(b *testing.B) {
	snap := large(200)
	var members []Member
	for i := range 500 {
		members = append(members, Member{Director: fmt.Sprint("lvs", i), Snapshot: snap, Up: true})
	}
	e := exposition(b, Options{Members: func() []Member { return members }})
	r := httptest.NewRequest("GET", "/metrics", nil)
	b.ReportAllocs()
	for b.Loop() {
		e.ServeHTTP(discard{io.Discard, http.Header{}}, r)
	}
}
