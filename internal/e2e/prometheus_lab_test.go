//go:build lab

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"lvs/internal/lab"
)

// A promServer is a private Prometheus in the guest.
type promServer struct {
	url string
	cmd *exec.Cmd
}

// scrapeInterval leaves a busy machine no less than that to be scraped. The kernel
// brings its counters up to date as often.
const scrapeInterval = 2 * time.Second

// startPrometheus starts one that scrapes a target for each job at that interval, and
// evaluates the rules every second. It ends with the test.
func startPrometheus(t *testing.T, rules []string, targets map[string]string) *promServer {
	t.Helper()
	var config strings.Builder
	fmt.Fprintf(&config, "global: {scrape_interval: %s, scrape_timeout: %[1]s, evaluation_interval: 1s}\nrule_files:\n", scrapeInterval)
	for _, r := range rules {
		fmt.Fprintf(&config, "- %q\n", r)
	}
	config.WriteString("scrape_configs:\n")
	for job, target := range targets {
		fmt.Fprintf(&config, "- {job_name: %s, static_configs: [{targets: [%q]}]}\n", job, target)
	}
	dir := runDir(t)
	write(t, filepath.Join(dir, "prometheus.yml"), config.String())
	return runPrometheus(t, dir)
}

// goesFirst starts a program that goes before the others in the guest.
var goesFirst = []string{"nice", "-n", "-10"}

// runPrometheus starts one with the file prometheus.yml of a directory, which goes
// with it when the test ends, and more flags. It goes first: where the guest is busy,
// a scrape that came too late would tell nothing of what is scraped.
func runPrometheus(t *testing.T, dir string, flags ...string) *promServer {
	t.Helper()
	file, err := exec.LookPath("prometheus")
	if err != nil {
		t.Fatal("prometheus is missing: install the Debian package prometheus")
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	address := lab.FreePort(t, "tcp")
	argv := slices.Concat(goesFirst, []string{file}, flags, []string{"--config.file=" + filepath.Join(dir, "prometheus.yml"),
		"--storage.tsdb.path=" + filepath.Join(dir, "data"), "--web.listen-address=" + address, "--log.level=warn"})
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait() // killed: the error says so
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("prometheus says:\n%s", text[max(0, len(text)-4000):])
		}
		os.RemoveAll(dir)
	})
	p := &promServer{"http://" + address, cmd}
	lab.Wait(t, "prometheus is ready", func() bool {
		resp, err := client.Get(p.url + "/-/ready")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return p
}

// A promSeries is one of a query's result: its labels, and its values by time.
type promSeries struct {
	Labels map[string]string `json:"metric"`
	Value  promPoint         `json:"value"`  // of an instant query
	Values []promPoint       `json:"values"` // of a range query
}

// A promPoint is a value and when it was, in seconds since the epoch.
type promPoint struct {
	at, value float64
}

func (p *promPoint) UnmarshalJSON(text []byte) error {
	var pair [2]any
	if err := json.Unmarshal(text, &pair); err != nil {
		return err
	}
	at, isNumber := pair[0].(float64)
	value, isText := pair[1].(string)
	if !isNumber || !isText {
		return fmt.Errorf("no point: %s", text)
	}
	p.at = at
	var err error
	p.value, err = strconv.ParseFloat(value, 64) // "NaN" and "+Inf", too
	return err
}

// epoch is a time as the API writes it.
func epoch(t time.Time) string {
	return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64)
}

// instant asks for the values at a time.
func (p *promServer) instant(expr string, at time.Time) (out []promSeries, err error) {
	data := struct{ Result *[]promSeries }{&out}
	return out, p.api("query", url.Values{"query": {expr}, "time": {epoch(at)}}, &data)
}

// over asks for the values from one time to another.
func (p *promServer) over(expr string, from, to time.Time, step time.Duration) (out []promSeries, err error) {
	data := struct{ Result *[]promSeries }{&out}
	return out, p.api("query_range", url.Values{"query": {expr}, "start": {epoch(from)}, "end": {epoch(to)},
		"step": {strconv.FormatFloat(step.Seconds(), 'f', -1, 64)}}, &data)
}

// api asks a resource of the HTTP API, and decodes its data. What Prometheus
// refuses is an error with its words.
func (p *promServer) api(resource string, query url.Values, data any) error {
	resp, err := client.Get(p.url + "/api/v1/" + resource + "?" + query.Encode())
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return err
	}
	if answer.Status != "success" {
		return fmt.Errorf("prometheus: %s", answer.Error)
	}
	return nil
}
