package exporter

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"lvs/internal/config"
	"lvs/rrdstore"
)

// A served is the command serve with a file that changes.
type served struct {
	t    *testing.T
	file string
	url  string
	log  *lockedBuffer
}

// serveFile runs the command with a file until the test ends.
func serveFile(t *testing.T, text string) *served {
	t.Helper()
	s := &served{t: t, file: filepath.Join(t.TempDir(), "fleet.yml"), log: &lockedBuffer{}}
	s.write(text)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- Run(ctx, []string{"serve", "--web.listen-address", "127.0.0.1:0", "--config.file", s.file}, io.Discard, s.log)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("it ended with %v\n%s", err, s.log.String())
		}
	})
	address := regexp.MustCompile(`address=(127\.0\.0\.1:\d+)`)
	s.wait("an address in the log", func() bool {
		m := address.FindStringSubmatch(s.log.String())
		if m != nil {
			s.url = "http://" + m[1]
		}
		return m != nil
	})
	return s
}

func (s *served) write(text string) {
	s.t.Helper()
	if err := os.WriteFile(s.file, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *served) wait(what string, ok func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(90 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("no %s\n%s", what, s.log.String())
		}
	}
}

// reload has it read its file again and returns its answer.
func (s *served) reload() (int, string) {
	s.t.Helper()
	resp, err := http.Post(s.url+"/-/reload", "", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// waitSeries waits until /metrics has a series, or has it no more.
func (s *served) waitSeries(series string, there bool) {
	s.t.Helper()
	s.wait(fmt.Sprintf("%s: %v", series, there), func() bool {
		_, body := get(s.t, s.url+"/metrics")
		return strings.Contains(body, "\n"+series) == there
	})
}

// Directors come, go and change with the file; by signal and over HTTP.
func TestReload(t *testing.T) {
	a, b := agentOf(t, fleetSnapshot(1)), agentOf(t, fleetSnapshot(2))
	one := "- {name: one, target: \"" + a.Addr() + "\"}\n"
	two := func(addr string) string { return "- {name: two, target: \"" + addr + "\"}\n" }
	total := func(name string, n int) string {
		return fmt.Sprintf(`lvs_director_connections_total{director=%q} %d`, name, n)
	}
	s := serveFile(t, "directors:\n"+one)
	s.waitSeries(total("one", 100), true)
	s.write("directors:\n" + one + two(b.Addr()))
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.waitSeries(total("two", 200), true)
	s.wait("word of it in the log", func() bool {
		return strings.Contains(s.log.String(), `msg="reloaded the configuration" file=`+s.file+" directors=2 unchanged=1\n")
	})

	s.write("directors:\n" + one + two(a.Addr()))
	if code, body := s.reload(); code != http.StatusOK || body != "lvs-exporter has reloaded its configuration.\n" {
		t.Errorf("%d %s", code, body)
	}
	s.waitSeries(total("two", 100), true)
	if code, _ := get(t, s.url+"/snmp?target="+b.Addr()); code != http.StatusBadRequest {
		t.Errorf("/snmp of a director that is no longer configured: %d", code)
	}

	s.write("prometheus: {reals: never}\ndirectors:\n" + one)
	s.reload()
	s.waitSeries(`lvs_up{director="two"}`, false)
	s.waitSeries(`lvs_real_server_weight{`, false)
	if code, body := get(t, s.url+"/snmp?target=one"); code != http.StatusOK || strings.Contains(body, "lvs_real_server_weight{") {
		t.Errorf("/snmp: %d\n%s", code, body)
	}
	if code, body := get(t, s.url+"/-/ready"); code != http.StatusOK {
		t.Errorf("/-/ready: %d %s", code, body)
	}
}

// Only directors of which the file says something else are begun anew.
func TestWhatStays(t *testing.T) {
	parse := func(text string) *config.Fleet {
		t.Helper()
		cfg, err := config.ParseFleet(strings.NewReader(text), "fleet.yml")
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	const auths = "auths: {mine: {community: a}, other: {community: b}}\n"
	const rest = "directors: [{target: a, auth: mine}, {target: b, auth: other}]\n"
	for text, want := range map[string]string{
		auths + rest: "a b",
		auths + "prometheus: {reals: never}\nlisten: [':1']\n" + rest:                                     "a b",
		auths + "directors: [{target: 0, auth: mine}, {target: b, auth: other}, {target: a, auth: mine}]": "a b",
		auths + "directors: [{target: b, auth: other}]":                                                   "b",
		auths + "directors: [{target: a, auth: mine}, {name: b, target: 'b:161', auth: other}]":           "a",
		auths + "directors: [{target: a, auth: mine}, {target: b, auth: mine}]":                           "a",
		auths + "directors: [{target: a, auth: mine, interval: 1m}, {target: b, auth: other}]":            "b",
		auths + "directors: [{target: a, auth: mine, module: lvs}, {target: b, auth: other}]":             "b",
		"auths: {mine: {community: a}, other: {community: c}}\n" + rest:                                   "a",
		auths + "interval: 1m\n" + rest:                                                                   "",
		auths + "timeout: 2s\n" + rest:                                                                    "",
		auths + "retries: 0\n" + rest:                                                                     "",
		auths + "store: {path: /nonexistent}\n" + rest:                                                    "",
	} {
		f, err := newFleet(parse(auths+rest), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		next, err := f.plan(parse(text))
		if err != nil {
			t.Fatal(err)
		}
		var stay []string
		for _, m := range next {
			if slices.Contains(f.members, m) {
				stay = append(stay, m.Name)
			}
		}
		if got := strings.Join(stay, " "); got != want {
			t.Errorf("%q stay, want %q, after\n%s", got, want, text)
		}
	}
}

func TestABadFileChangesNothing(t *testing.T) {
	a := agentOf(t, fleetSnapshot(1))
	s := serveFile(t, "directors:\n- {name: one, target: \""+a.Addr()+"\"}\n")
	s.waitSeries(`lvs_up{director="one"} 1`, true)
	s.waitSeries("lvs_exporter_config_last_reload_successful 1\n", true)
	s.write("directors:\n- {name: two, target: \"" + a.Addr() + "\"}\n- {nam: x}\n")
	if code, body := s.reload(); code != http.StatusInternalServerError || !strings.Contains(body, s.file+":3:4: directors[1]: unknown key \"nam\"") {
		t.Errorf("%d %s", code, body)
	}
	s.waitSeries("lvs_exporter_config_last_reload_successful 0\n", true)
	s.waitSeries(`lvs_up{director="one"} 1`, true)
	s.waitSeries(`lvs_up{director="two"}`, false)
	if !strings.Contains(s.log.String(), "level=ERROR") || !strings.Contains(s.log.String(), `msg="the configuration was not reloaded, nothing was changed"`) {
		t.Errorf("the log does not tell:\n%s", s.log.String())
	}
	s.write("listen: [\":1\"]\ndirectors: []\n")
	if code, body := s.reload(); code != http.StatusOK {
		t.Errorf("%d %s", code, body)
	}
	s.waitSeries(`lvs_up{director="one"}`, false)
	s.waitSeries("lvs_exporter_config_last_reload_successful 1\n", true)
	if !strings.Contains(s.log.String(), `msg="some changed settings take a restart" settings=listen`) {
		t.Errorf("the log does not tell:\n%s", s.log.String())
	}
}

// A director of which something changed keeps its history, and one of which
// nothing did is the same as before.
func TestReloadKeepsTheHistory(t *testing.T) {
	dir := t.TempDir()
	a := agentOf(t, fleetSnapshot(1))
	text := func(more string) string {
		return "store: {path: " + dir + "}\ndirectors:\n- {name: one, module: lvs, interval: 1s, target: \"" + a.Addr() + "\"}\n- {name: two, module: lvs, interval: 1s, target: \"" +
			a.Addr() + "\"" + more + "}\n"
	}
	s := serveFile(t, text(""))
	stored := func(name string) int {
		r, err := rrdstore.OpenReader(t.Context(), filepath.Join(dir, name))
		if err != nil {
			return 0
		}
		info, err := r.Info(t.Context())
		if err != nil {
			return 0
		}
		return int(info.Newest.Unix())
	}
	s.wait("history of both", func() bool { return stored("one") > 0 && stored("two") > 0 })
	s.write("auths: {other: {version: 1}}\n" + text(", auth: other"))
	if code, body := s.reload(); code != http.StatusOK {
		t.Fatalf("%d %s", code, body)
	}
	one, two := stored("one"), stored("two")
	s.wait("more of both", func() bool { return stored("one") > one && stored("two") > two+1 })
	if log := s.log.String(); strings.Contains(log, "in use") || !strings.Contains(log, "directors=2 unchanged=1") {
		t.Errorf("the log:\n%s", log)
	}
}
