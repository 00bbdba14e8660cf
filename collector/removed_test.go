package collector

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lvs/dataplane"
)

// removedWords are the removed, each as its key and RIP.
func removedWords(s *dataplane.Snapshot) string {
	var words []string
	for _, r := range s.Removed {
		word := r.Key.String()
		if r.RIP.IsValid() {
			word += " " + r.RIP.Addr().String()
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

const (
	svc1 = "udp/172.16.0.1:1"
	svc2 = "udp/172.16.0.2:1"
)

func TestWhatWasRemoved(t *testing.T) {
	torn := func(s *dataplane.Snapshot) *dataplane.Snapshot {
		s.Inconsistent = 1
		return s
	}
	const day = 24 * 60 * 60
	for _, tt := range []struct {
		name    string
		samples []*dataplane.Snapshot
		want    []string
	}{
		{"nothing ever was", []*dataplane.Snapshot{table(0, 0)}, []string{""}},
		{"what was never seen is not removed", []*dataplane.Snapshot{table(0, 1, 1), table(10, 1, 1, 2)}, []string{"", ""}},
		{"a real server and back", []*dataplane.Snapshot{table(0, 2, 1), table(10, 1, 1), table(20, 1, 1), table(30, 2, 1)},
			[]string{"", svc1 + " 10.0.0.1", svc1 + " 10.0.0.1", ""}},
		{"a service takes its real servers with it, and is before them", []*dataplane.Snapshot{table(0, 2, 1, 2), table(10, 2, 1)},
			[]string{"", svc2 + ", " + svc2 + " 10.0.0.0, " + svc2 + " 10.0.0.1"}},
		{"a service comes back without one of them", []*dataplane.Snapshot{table(0, 2, 1), table(10, 0), table(20, 1, 1)},
			[]string{"", svc1 + ", " + svc1 + " 10.0.0.0, " + svc1 + " 10.0.0.1", svc1 + " 10.0.0.1"}},
		{"passed over by a reading that was not consistent", []*dataplane.Snapshot{table(0, 1, 1), torn(table(10, 0)), torn(table(20, 0)), table(30, 1, 1)},
			[]string{"", "", "", ""}},
		{"passed over at first, then lacking", []*dataplane.Snapshot{table(0, 1, 1, 2), torn(table(10, 1, 2)), table(20, 1, 2)},
			[]string{"", "", svc1 + ", " + svc1 + " 10.0.0.0"}},
		{"passed over while another is removed", []*dataplane.Snapshot{table(0, 1, 1, 2), torn(table(10, 1, 2)), table(20, 1, 1), torn(table(30, 1))},
			[]string{"", "", svc2 + ", " + svc2 + " 10.0.0.0", svc2 + ", " + svc2 + " 10.0.0.0"}},
		{"removed stays so where a reading is not consistent", []*dataplane.Snapshot{table(0, 2, 1), table(10, 1, 1), torn(table(20, 1, 1))},
			[]string{"", svc1 + " 10.0.0.1", svc1 + " 10.0.0.1"}},
		{"for a day, by when it was last there", []*dataplane.Snapshot{table(0, 2, 1), table(60, 1, 1), table(day, 1, 1), table(day+1, 1, 1)},
			[]string{"", svc1 + " 10.0.0.1", svc1 + " 10.0.0.1", ""}},
		{"the agent did not see for more than a day", []*dataplane.Snapshot{table(0, 2, 1), table(2*day, 1, 1), table(2*day+1, 2, 1)},
			[]string{"", "", ""}},
		{"the clock was set back", []*dataplane.Snapshot{table(0, 2, 1), table(10, 1, 1), table(-day, 1, 1), table(-day+10, 0), table(11, 0)},
			[]string{"", svc1 + " 10.0.0.1", svc1 + " 10.0.0.1", svc1 + ", " + svc1 + " 10.0.0.0, " + svc1 + " 10.0.0.1", svc1 + " 10.0.0.1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := NewContinuity(nil, DefaultForget)
			for i, src := range tt.samples {
				if got := removedWords(c.Apply(src, src.Time)); got != tt.want[i] {
					t.Errorf("sample %d: %q, want %q", i, got, tt.want[i])
				}
			}
		})
	}
}

func TestWhatWasRemovedIsAsItWasLeft(t *testing.T) {
	c := NewContinuity(nil, DefaultForget)
	out := c.Apply(table(0, 2, 1), epoch0)
	left := out.Services[0].Reals[1].Account
	out = c.Apply(table(10, 1, 1), epoch0)
	want := []dataplane.Removed{{Key: numbered(1), RIP: netip.MustParseAddrPort("10.0.0.1:80"), Account: left}}
	if d := cmp.Diff(want, out.Removed, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if !left.LastSeen.Equal(epoch0) {
		t.Errorf("last seen at %v", left.LastSeen)
	}
}

func TestWhatWasRemovedHasTheNameItHasNow(t *testing.T) {
	c := NewContinuity(nil, DefaultForget)
	c.Apply(table(0, 2, 1), epoch0)
	for i, name := range []string{"old", "new", ""} {
		names := Names(func(_ dataplane.ServiceKey, rip netip.AddrPort) string { return name })
		c.setNames(&names)
		out := c.Apply(table(10+i, 1, 1), epoch0)
		if len(out.Removed) != 1 || out.Removed[0].Name != name {
			t.Errorf("%+v, want the name %q", out.Removed, name)
		}
	}
}

func TestWhatIsForgottenIsNotRemovedEither(t *testing.T) {
	c := NewContinuity(nil, time.Hour)
	for _, tt := range []struct {
		src  *dataplane.Snapshot
		want string
	}{
		{table(0, 2, 1, 2), ""},
		{table(60, 2, 2), svc1 + ", " + svc1 + " 10.0.0.0, " + svc1 + " 10.0.0.1"},
		{table(4000, 1, 2), svc2 + " 10.0.0.1"},
		{table(8000, 0), svc2 + ", " + svc2 + " 10.0.0.0"},
		{table(8010, 1, 2), ""},
	} {
		if got := removedWords(c.Apply(tt.src, tt.src.Time)); got != tt.want {
			t.Errorf("at %v: %q, want %q", tt.src.Time, got, tt.want)
		}
	}
}

// A service that took more with it than is shown is the one to show.
func TestMuchWasRemoved(t *testing.T) {
	c := NewContinuity(nil, DefaultForget)
	c.Apply(table(0, maxRemoved+500, 1), epoch0)
	out := c.Apply(table(10, 0), epoch0)
	if n := len(out.Removed); n != maxRemoved || out.Removed[0].RIP.IsValid() || out.Removed[1].RIP.Addr() != netip.MustParseAddr("10.0.0.0") {
		t.Errorf("%d: %+v, %+v …", n, out.Removed[0], out.Removed[1])
	}
	c.Apply(table(20, maxRemoved+500, 1), epoch0)
	if out = c.Apply(table(30, maxRemoved, 1), epoch0); len(out.Removed) != 500 {
		t.Errorf("%d after all but 500 came back", len(out.Removed))
	}
}

func TestAListOfRemovedIsShared(t *testing.T) {
	c := NewContinuity(nil, DefaultForget)
	src := table(0, 20, upTo(500)...)
	c.Apply(src, src.Time)
	src = table(10, 20, upTo(400)...)
	first := c.Apply(src, src.Time).Removed
	for range 3 {
		sampleLater(src)
		if now := c.Apply(src, src.Time).Removed; &now[0] != &first[0] || len(now) != len(first) {
			t.Fatal("it is another one though nothing came or went")
		}
	}
	if n := testing.AllocsPerRun(10, func() {
		sampleLater(src)
		c.Apply(src, src.Time)
	}); n > 8 {
		t.Errorf("%v allocations for a sample with nothing new", n)
	}
}

// What the store remembers as gone is removed from the first sample on; so is a
// real server of which it remembers no service that was still there.
func TestRemovedBeforeTheAgentWasStarted(t *testing.T) {
	rip := netip.MustParseAddrPort("10.0.0.0:80")
	m := func(service int, rip netip.AddrPort, ago time.Duration, gone bool) dataplane.Remembered {
		return dataplane.Remembered{Key: numbered(service), RIP: rip, Gone: gone, Account: dataplane.Account{Number: 1, LastSeen: epoch0.Add(-ago)}}
	}
	c := NewContinuity([]dataplane.Remembered{
		m(1, netip.AddrPort{}, 0, false), m(1, rip, time.Hour, true),
		m(2, netip.AddrPort{}, time.Hour, true), m(2, rip, time.Hour, false),
		m(3, rip, time.Hour, false),
		m(4, netip.AddrPort{}, 25*time.Hour, true), m(4, rip, 25*time.Hour, true),
		m(5, netip.AddrPort{}, 0, false), m(5, rip, 0, false),
	}, DefaultForget)
	src := table(0, 0, 1, 5)
	src.Inconsistent = 1
	want := svc1 + " 10.0.0.0, " + svc2 + ", " + svc2 + " 10.0.0.0, udp/172.16.0.3:1 10.0.0.0"
	if got := removedWords(c.Apply(src, src.Time)); got != want {
		t.Errorf("at first %q, want %q", got, want)
	}
	src = table(10, 0, 1, 2, 4, 5)
	want = svc1 + " 10.0.0.0, " + svc2 + " 10.0.0.0, udp/172.16.0.3:1 10.0.0.0, udp/172.16.0.5:1 10.0.0.0"
	if got := removedWords(c.Apply(src, src.Time)); got != want {
		t.Errorf("then %q, want %q", got, want)
	}
}

func TestHiddenNumbersAreNotThoseOfOtherSnapshots(t *testing.T) {
	c := NewContinuity(nil, DefaultForget)
	c.Apply(table(0, 2, 1), epoch0)
	out := c.Apply(table(10, 1, 1), epoch0)
	hidden := *out
	hideNumbers(&hidden)
	if got, was := hidden.Removed[0].Number, out.Removed[0].Number; got != 0 || was != 2 {
		t.Errorf("number %d, and %d in the other snapshot; want 0 and 2", got, was)
	}
}

// checkRemoved holds what a sample says was removed against the lives of all
// that were ever seen. Accounts are as in the last sample they were in.
func (m *model) checkRemoved(s *dataplane.Snapshot, ever map[memoryKey]dataplane.Account) error {
	var want []dataplane.Removed
	for id, l := range m.lives {
		if a := ever[id]; l.states[len(l.states)-1] == "out" && m.now.Sub(a.LastSeen) <= 24*time.Hour {
			want = append(want, dataplane.Removed{Key: id.key, RIP: id.rip, Name: (*m.names)(id.key, id.rip), Account: a})
		}
	}
	slices.SortFunc(want, func(a, b dataplane.Removed) int {
		if c := a.Key.Compare(b.Key); c != 0 {
			return c
		}
		return a.RIP.Compare(b.RIP)
	})
	if !slices.Equal(s.Removed, want) {
		return fmt.Errorf("removed, (-want +got)\n%s", cmp.Diff(fmt.Sprintf("%+v", want), fmt.Sprintf("%+v", s.Removed)))
	}
	return nil
}

// TestManyRemovedAgainstModel has thousands come and go, more than are shown,
// over days, with a clock that is set back now and then, and the agent started
// anew.
func TestManyRemovedAgainstModel(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 2))
			store, c := newMemory(), NewContinuity(nil, DefaultForget)
			left, now, sure := map[memoryKey]dataplane.Account{}, epoch0, map[memoryKey]bool{}
			for n := range 40 {
				now = now.Add(10 * time.Second)
				switch r.IntN(20) {
				case 0:
					now = now.Add(10 * time.Hour)
				case 1:
					now = now.Add(-time.Hour)
				}
				src := someOf(r)
				src.Time = now
				if r.IntN(5) == 0 {
					src.Inconsistent = 1
				}
				out := c.Apply(src, now)
				store.commit(out)
				here := accounts(out)
				for id := range left {
					_, is := here[id]
					sure[id] = !is && (sure[id] || src.Inconsistent == 0)
				}
				for id, a := range here {
					left[id] = a
				}
				if got, want := out.Removed, lastRemoved(left, sure, now); !slices.Equal(got, want) {
					t.Fatalf("sample %d: %d removed, want %d\n%s", n, len(got), len(want), cmp.Diff(fmt.Sprint(want), fmt.Sprint(got)))
				}
				if src.Inconsistent == 0 && r.IntN(10) == 0 {
					c = NewContinuity(store.list(), DefaultForget)
				}
			}
		})
	}
}

// someOf is a sample of most, some or none of 24 services with 50 real servers.
func someOf(r *rand.Rand) *dataplane.Snapshot {
	src := table(0, 50, upTo(24)...)
	percent := []int{99, 99, 90, 50, 0}[r.IntN(5)]
	src.Services = slices.DeleteFunc(src.Services, func(dataplane.ServiceState) bool { return r.IntN(100) >= percent+1 })
	for i := range src.Services {
		s := &src.Services[i]
		s.Reals = slices.DeleteFunc(s.Reals, func(dataplane.RealState) bool { return r.IntN(100) >= percent })
	}
	return src
}

// lastRemoved is the plain way to tell what was removed.
func lastRemoved(left map[memoryKey]dataplane.Account, sure map[memoryKey]bool, now time.Time) (all []dataplane.Removed) {
	for id, a := range left {
		if sure[id] && now.Sub(a.LastSeen) <= 24*time.Hour {
			all = append(all, dataplane.Removed{Key: id.key, RIP: id.rip, Account: a})
		}
	}
	row := func(a, b dataplane.Removed) int {
		if c := a.Key.Compare(b.Key); c != 0 {
			return c
		}
		return a.RIP.Compare(b.RIP)
	}
	slices.SortFunc(all, func(a, b dataplane.Removed) int {
		if c := b.LastSeen.Compare(a.LastSeen); c != 0 {
			return c
		}
		return row(a, b)
	})
	all = all[:min(len(all), 1000)]
	slices.SortFunc(all, row)
	return all
}
