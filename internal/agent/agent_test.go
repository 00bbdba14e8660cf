package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"lvs/dataplane/ipvs"
	"lvs/internal/lab"
)

// syncBuffer is a log that is read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// wait asks ok again and again until it is true: what takes a moment takes longer on
// a busy machine.
func wait(t *testing.T, what string, log fmt.Stringer, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(90 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s\n%s", what, log)
		}
	}
}

// running is an agent without a director to read, for its namespace does not
// exist; end stops it and gives what Run returned.
func running(t *testing.T, args ...string) (url string, log *syncBuffer, end func() error) {
	t.Helper()
	log = &syncBuffer{}
	ctx, cancel := context.WithCancel(context.Background())
	result, ended := make(chan error, 1), make(chan struct{})
	args = append([]string{"run", "--web.listen-address=127.0.0.1:0", "--snmp.agentx=off", "--netns=/nonexistent/netns", "--sample.interval=1s"}, args...)
	go func() {
		result <- Run(ctx, args, io.Discard, log)
		close(ended)
	}()
	end = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-result:
			return err
		case <-time.After(90 * time.Second):
			return fmt.Errorf("the agent did not stop\n%s", log)
		}
	})
	t.Cleanup(func() { end() })
	listening := regexp.MustCompile(`address=(127\.0\.0\.1:\d+)`)
	wait(t, "an address in the log", log, func() bool {
		select {
		case <-ended:
			t.Fatalf("it ended with %v\n%s", end(), log)
		default:
		}
		m := listening.FindStringSubmatch(log.String())
		if m != nil {
			url = "http://" + m[1]
		}
		return m != nil
	})
	return url, log, end
}

func ask(t *testing.T, method, url string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestAgentServesBeforeThereIsADirector(t *testing.T) {
	url, log, end := running(t, "--store.path="+filepath.Join(t.TempDir(), "store"))
	for _, c := range []struct {
		method, path string
		status       int
		want         string
	}{
		{"GET", "/", 200, "lvs-agent"},
		{"GET", "/-/healthy", 200, "healthy"},
		{"GET", "/-/ready", 503, "no sample yet"},
		{"GET", "/api/v1/snapshot", 503, `"error"`},
		{"GET", "/metrics", 200, "\nlvs_up 0\n"},
		{"GET", "/metrics?scope=nonsense", 400, "nonsense"},
		{"GET", "/nothing", 404, ""},
		{"GET", "/-/reload", 405, ""},
		{"POST", "/metrics", 405, ""},
		{"POST", "/-/reload", 200, "reloaded"},
	} {
		status, body := ask(t, c.method, url+c.path)
		if status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s %s: %d %.300q, want %d with %q", c.method, c.path, status, body, c.status, c.want)
		}
	}
	wait(t, "the first sample", log, func() bool { return strings.Contains(log.String(), "director cannot be read") })
	if err := end(); err != nil {
		t.Errorf("stopped with %v", err)
	}
	if n := strings.Count(log.String(), "director cannot be read"); n != 1 {
		t.Errorf("the log complains of the director %d times, want once:\n%s", n, log)
	}
}

func TestABadFileChangesNothing(t *testing.T) {
	file := writeConfig(t, "sample: {interval: 2s}\n")
	url, _, end := running(t, "--store.path=off", "--config.file="+file)
	if err := os.WriteFile(file, []byte("sample: {interval: 3s}\nstor: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	status, body := ask(t, "POST", url+"/-/reload")
	if status != 500 || !strings.Contains(body, file+":2:1") {
		t.Errorf("reload: %d %q, want 500 and the place", status, body)
	}
	if _, metrics := ask(t, "GET", url+"/metrics"); !strings.Contains(metrics, "lvs_agent_config_last_reload_successful 0") {
		t.Errorf("no metric tells that the reload failed:\n%s", metrics)
	}
	if err := os.WriteFile(file, []byte("sample: {interval: 3s}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, body := ask(t, "POST", url+"/-/reload"); status != 200 {
		t.Errorf("reload: %d %q", status, body)
	}
	if _, metrics := ask(t, "GET", url+"/metrics"); !strings.Contains(metrics, "lvs_agent_config_last_reload_successful 1") {
		t.Errorf("the metric still tells a failed reload:\n%s", metrics)
	}
	if err := end(); err != nil {
		t.Errorf("stopped with %v", err)
	}
}

// An agent that is started by mistake beside another one finds the other's
// addresses taken, and ends without a look at the table it was to write to.
func TestAnAddressInUseEndsTheAgentBeforeItWrites(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	file := writeConfig(t, "services: [{address: tcp/192.0.2.10:443}]\n")
	const free = "127.0.0.1:0"
	freeUDP := lab.FreePort(t, "udp")
	for _, tt := range []struct {
		name, web, snmp string
		want            string // of the error; none is none
	}{
		{"both are free", free, freeUDP, ""},
		{"the port of HTTP is taken", tcp.Addr().String(), freeUDP, "http: listen tcp"},
		{"the port of SNMP is taken", free, udp.LocalAddr().String(), "another SNMP agent may be running there"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dialled := make(chan struct{}, 100)
			err := runDialling(t, func() { dialled <- struct{}{} }, "run", "--config.file="+file, "--web.listen-address="+tt.web, "--snmp.listen="+tt.snmp)
			if tt.want == "" {
				if err != nil || len(dialled) == 0 {
					t.Errorf("it ended with %v and dialled the kernel %d times", err, len(dialled))
				}
			} else if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "address already in use") || len(dialled) > 0 {
				t.Errorf("it ended with %v, want %q, and dialled the kernel %d times", err, tt.want, len(dialled))
			}
			if l, err := net.ListenPacket("udp", freeUDP); err != nil {
				t.Errorf("after the agent has ended: %v", err)
			} else {
				l.Close()
			}
		})
	}
}

// runDialling runs an agent that tells when it dials the kernel, and ends then.
func runDialling(t *testing.T, dials func(), args ...string) error {
	t.Helper()
	log := &syncBuffer{}
	f, err := parseFlags(append(args, "--store.path=off", "--snmp.agentx=off"), io.Discard, log)
	if err != nil {
		t.Fatal(err)
	}
	s, err := settle(f)
	if err != nil {
		t.Fatal(err)
	}
	a, err := newAgent(f, s)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	a.source.open = func(ipvs.Config) (*ipvs.Client, error) {
		dials()
		cancel()
		return nil, errors.New("nothing here is to reach the kernel")
	}
	return a.run(ctx, nil)
}

func TestSettingsThatTakeARestartAreNamedAtEachReload(t *testing.T) {
	file := writeConfig(t, "sample: {interval: 1s}\n")
	url, log, _ := running(t, "--store.path=off", "--config.file="+file)
	for _, c := range []struct {
		text string
		want int // reloads so far that named store.retention
	}{
		{"store: {retention: 2d}\n", 1},
		{"store: {retention: 2d}\nnames: {\"tcp/192.0.2.1:80\": web}\n", 2},
		{"names: {\"tcp/192.0.2.1:80\": web}\n", 2}, // as the agent was started
	} {
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if status, body := ask(t, "POST", url+"/-/reload"); status != 200 {
			t.Fatalf("reload: %d %q", status, body)
		}
		if n := strings.Count(log.String(), "settings=store.retention"); n != c.want {
			t.Errorf("after %q the log names the setting %d times, want %d:\n%s", c.text, n, c.want, log)
		}
	}
}

func TestADirectorThatCannotBeReachedIsTold(t *testing.T) {
	file := writeConfig(t, `services:
  - address: tcp/192.0.2.10:443
    real_servers: [{address: 10.0.0.1, method: masquerade}]
`)
	store := filepath.Join(t.TempDir(), "store")
	url, log, end := running(t, "--store.path="+store, "--config.file="+file)
	const down = `lvs_agent_component_up{component="director"} 0`
	wait(t, "a metric that tells that services cannot be applied", log, func() bool {
		_, metrics := ask(t, "GET", url+"/metrics")
		return strings.Contains(metrics, down)
	})
	if err := end(); err != nil {
		t.Errorf("stopped with %v", err)
	}
	if _, err := os.Stat(filepath.Join(store, "director.json")); !os.IsNotExist(err) {
		t.Errorf("what was applied was kept, though nothing was: %v", err)
	}
}
