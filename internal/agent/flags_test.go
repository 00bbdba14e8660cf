package agent

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lvs/collector/prom"
	"lvs/internal/config"
)

func parse(t *testing.T, args ...string) *flags {
	t.Helper()
	var out bytes.Buffer
	f, err := parseFlags(args, &out, &out)
	if err != nil {
		t.Fatalf("parseFlags(%q): %v\n%s", args, err, out.String())
	}
	return f
}

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "agent.yml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestDefaultsObserve(t *testing.T) {
	f := parse(t)
	s, err := settle(f)
	if err != nil {
		t.Fatal(err)
	}
	if f.command != "run" || s.interval != 10*time.Second || s.storePath != defaultStore || s.agentX != defaultAgentX ||
		s.maxSize != 4<<30 || s.retention != 24*time.Hour || s.reals != prom.RealsAuto || s.realsLimit != prom.DefaultRealsLimit ||
		s.netNS != "" || s.compat != "" || s.backendLabels != nil || s.file.Director != nil {
		t.Errorf("command %q, settings %+v", f.command, s)
	}
	if got := *f.web.WebListenAddresses; len(got) != 1 || got[0] != ":10587" {
		t.Errorf("listens on %q", got)
	}
}

func TestFlagsOverrideTheFile(t *testing.T) {
	file := writeConfig(t, "sample: {interval: 30s}\nstore: {path: /from/file, max_size: 2GiB}\nsnmp: {agentx: off}\nprometheus: {reals: never, kernel_rates: true}\n")
	s, err := settle(parse(t, "run", "--config.file="+file))
	if err != nil {
		t.Fatal(err)
	}
	if s.interval != 30*time.Second || s.storePath != "/from/file" || s.maxSize != 2<<30 || s.agentX != off || s.reals != prom.RealsNever || !s.kernelRates {
		t.Errorf("the file alone gives %+v", s)
	}
	// A flag counts also where it says what is the default anyway.
	s, err = settle(parse(t, "run", "--config.file="+file, "--sample.interval=10s", "--store.path=/from/flag", "--store.retention=30d", "--snmp.agentx=tcp:127.0.0.1:705",
		"--prometheus.reals=always", "--no-prometheus.kernel-rates", "--store.max-size=512MiB"))
	if err != nil {
		t.Fatal(err)
	}
	if s.interval != 10*time.Second || s.storePath != "/from/flag" || s.retention != 30*24*time.Hour || s.maxSize != 512<<20 || s.agentX != "tcp:127.0.0.1:705" || s.reals != prom.RealsAlways || s.kernelRates {
		t.Errorf("flags and file give %+v", s)
	}
}

func TestBadSettingsSayWhatIsWanted(t *testing.T) {
	for _, c := range []struct{ flag, want string }{
		{"--sample.interval=500ms", "whole seconds from 1s to 1h"},
		{"--sample.interval=2h", "whole seconds from 1s to 1h"},
		{"--sample.interval=1500ms", "whole seconds"},
		{"--snmp.agentx=/var/agentx/master", "unix:PATH, tcp:HOST:PORT or off"},
		{"--snmp.agentx=unix:", "unix:PATH"},
		{"--store.path=", `"off" for no history`},
		{"--store.retention=1s", "at least 1m"},
		{"--prometheus.reals=", `prometheus.reals ""`},
		{"--web.config.file=/nonexistent/web.yml", "web.config.file: open /nonexistent/web.yml"},
		{"--config.file=/nonexistent/agent.yml", "/nonexistent/agent.yml"},
	} {
		_, err := settle(parse(t, "run", c.flag))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.flag, err, c.want)
		}
	}
	for _, c := range []struct{ flag, want string }{
		{"--store.max-size=2", "--store.max-size"},
		{"--store.max-size=0GiB", "--store.max-size"},
		{"--store.max-size=1.5GiB", "--store.max-size"},
		{"--store.max-size=99999999TiB", "--store.max-size"},
		{"--sample.interval=soon", `--sample.interval "soon"; want a duration`},
		{"--store.retention=1", `--store.retention "1"; want a duration`},
		{"--prometheus.reals=some", `--prometheus.reals "some"; want auto, always, never`},
		{"--prometheus.compat=ipvs", `--prometheus.compat "ipvs"; want node-ipvs`},
		{"--no-such-flag", "--help"},
	} {
		var out bytes.Buffer
		_, err := parseFlags([]string{"run", c.flag}, &out, &out)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.flag, err, c.want)
		}
		if code := ExitCode(err); code != 2 {
			t.Errorf("%s: ends with %d, want 2", c.flag, code)
		}
	}
}

func TestHelpAndVersionRunNothing(t *testing.T) {
	for _, flag := range []string{"--help", "--version"} {
		var out, errs bytes.Buffer
		_, err := parseFlags([]string{flag}, &out, &errs)
		if !errors.Is(err, errUsage) || !strings.Contains(out.String()+errs.String(), "lvs-agent") {
			t.Errorf("%s: %v, printed %q %q", flag, err, out.String(), errs.String())
		}
	}
}

func TestCheckConfigTellsThePlace(t *testing.T) {
	var out bytes.Buffer
	good := writeConfig(t, "sample: {interval: 5s}\n")
	if err := Run(t.Context(), []string{"check-config", good}, &out, &out); err != nil || !strings.Contains(out.String(), "is valid") {
		t.Errorf("good file: %v, %q", err, out.String())
	}
	bad := writeConfig(t, "sample:\n  intervall: 5s\n")
	err := Run(t.Context(), []string{"check-config", bad}, &out, &out)
	if err == nil || !strings.Contains(err.Error(), bad+":2:3") || !strings.Contains(err.Error(), "intervall") {
		t.Errorf("bad file: %v", err)
	}
	if code := ExitCode(err); code != 1 {
		t.Errorf("bad file: ends with %d, want 1", code)
	}
}

func TestChangesThatTakeARestartAreNamed(t *testing.T) {
	a, err := settle(parse(t))
	if err != nil {
		t.Fatal(err)
	}
	b, err := settle(parse(t, "--store.path=/elsewhere", "--netns=director", "--sample.interval=1s"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(a.needsRestart(b), ","); got != "store.path,netns" {
		t.Errorf("restart for %q", got)
	}
	if got := a.needsRestart(a); got != nil {
		t.Errorf("no change, but restart for %q", got)
	}
}

// TestUsersWhomManagersAreTold: those who ask are taken over by a reload, but not
// the keys that notifications are sent with.
func TestUsersWhomManagersAreTold(t *testing.T) {
	with := func(name, passphrase string) *settings {
		s := &settings{file: &config.Config{}}
		s.file.SNMP.Users = []config.User{{Name: "asks"}, {Name: "told"}}
		s.file.SNMP.Notifications.Managers = []config.Manager{{Address: "192.0.2.1:162", User: "told"}}
		for i := range s.file.SNMP.Users {
			if u := &s.file.SNMP.Users[i]; u.Name == name {
				u.Auth.Passphrase = passphrase
			}
		}
		return s
	}
	for name, want := range map[string]int{"asks": 0, "told": 1} {
		if got := with(name, "before").needsRestart(with(name, "after")); len(got) != want {
			t.Errorf("%s has another passphrase: restart for %q", name, got)
		}
	}
}
