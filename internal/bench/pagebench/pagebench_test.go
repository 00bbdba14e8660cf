package pagebench

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lvs/dataplane"
	"lvs/internal/bench/pagebench/madeup"
)

// The program that is measured goes on being lvs-agent: what stands in for its
// source has all that the agent wants of one.
func TestAgentTakesTheSource(t *testing.T) {
	program, err := buildAgent(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program, "--help").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "lvs-agent") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestMediansAreOfEachTime(t *testing.T) {
	got := medians([]Paint{{First: 3, Load: 10, Bytes: 7}, {First: 1, Load: 30, Bytes: 9}, {First: 2, Bytes: 8}, {First: 4, Load: 20}, {First: 5}})
	if got.First != 3 || got.Load != 20 || got.Bytes != 9 || got.Heap != 0 {
		t.Errorf("%+v", got)
	}
}

func TestHAProxyShowsAsManyServers(t *testing.T) {
	text := haproxyConfig("127.0.0.1:1")
	if n := strings.Count(text, "\n\tserver "); n != madeup.Services*madeup.Reals {
		t.Errorf("%d servers", n)
	}
	if n := strings.Count(text, "\nbackend "); n != madeup.Services {
		t.Errorf("%d backends", n)
	}
	for _, line := range []string{"\tserver 10.16.0.1:8080 10.16.0.1:8080 weight 100\n", "\tserver 10.19.231.10:8080 10.19.231.10:8080 weight 100\n", "\tbind 127.0.0.1:1\n"} {
		if !strings.Contains(text, line) {
			t.Errorf("there is no %q", line)
		}
	}
}

// Whatever the browser's page asks for, the nine others ask for, streams too, which
// end with the context.
func TestShadowsAskForTheSame(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch {
		case r.Header.Get("Accept") != "text/event-stream":
			fmt.Fprint(w, r.URL.RawQuery)
		default:
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	s := shadows{ctx: ctx, url: server.URL}
	s.ask(request{Path: "/?all=1", Accept: "text/html"})
	s.ask(request{Path: "/events", Accept: "text/event-stream"})
	for asked.Load() < 2*(pages-1) {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := s.wait(); err != nil {
		t.Error(err)
	}
	if n := asked.Load(); n != 2*(pages-1) {
		t.Errorf("%d requests", n)
	}
}

func TestShadowsTellOfRefusals(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "too many", http.StatusServiceUnavailable)
	}))
	defer server.Close()
	s := shadows{ctx: t.Context(), url: server.URL}
	s.ask(request{Path: "/", Accept: "*/*"})
	if err := s.wait(); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("%v", err)
	}
}

func TestSamplesThatAreNotShownAreMissed(t *testing.T) {
	f := Followed{Windows: []Window{{Samples: 11}, {Samples: 10}, {Samples: 9}}}
	if got := f.Missed(); got != 0 {
		t.Errorf("%v are missed", got)
	}
	if f.Windows[1].Samples = 1; f.Missed() < 0.29 || f.Missed() > 0.31 {
		t.Errorf("%v are missed, want 9 of 30", f.Missed())
	}
}

func TestIdleIsTheLeast(t *testing.T) {
	r := Result{Calm: Followed{Without: 0.03}, Flapping: Followed{Without: 0.05}, AllShown: Followed{Without: 0.02}}
	if got := r.Idle(); got != 0.02 {
		t.Errorf("%v", got)
	}
}

func TestFrameIsOfTheBestWindow(t *testing.T) {
	if got := Frame([]Window{{Frames: 100}, {Frames: 500}, {Frames: 400}}); got != 20 {
		t.Errorf("%v ms", got)
	}
	if got := Frame(nil); got != 0 {
		t.Errorf("%v ms of nothing", got)
	}
}

// The history ends where the director's present begins: the store takes its next
// reading as the following one.
func TestPastIsRemembered(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	d := madeup.New(now, 0)
	var last time.Time
	ticks := 0
	if err := d.Past(func(s *dataplane.Snapshot) error { last = s.Tick; ticks++; return nil }); err != nil {
		t.Fatal(err)
	}
	if !last.Equal(now) || ticks != madeup.History {
		t.Errorf("%d ticks to %v", ticks, last)
	}
}

func TestServersThatDoNotAnswerAreAnError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	said := filepath.Join(t.TempDir(), "said")
	go func() {
		for _, err := os.Stat(said); err != nil && ctx.Err() == nil; _, err = os.Stat(said) {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	s, err := startServer(ctx, exec.Command("sh", "-c", `echo in vain; : >"$0"; exec sleep 60`, said), "http://127.0.0.1:1/")
	if err == nil {
		s.stop()
		t.Fatal("it answered")
	}
	if !strings.Contains(err.Error(), "in vain") {
		t.Errorf("%v: without what the program said", err)
	}
}

func TestCPUIsTheProgramsOwn(t *testing.T) {
	if _, err := os.Stat("/proc/self/io"); err != nil {
		t.Fatalf("figures are taken on Linux: %v", err)
	}
	s := &server{cmd: exec.Command("sleep", "60")}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	took, err := s.cpuOf(func() error {
		for began := time.Now(); time.Since(began) < 50*time.Millisecond; {
		}
		return nil
	})
	if err != nil || took > 40*time.Millisecond {
		t.Errorf("a program that sleeps used %v, %v", took, err)
	}
}
