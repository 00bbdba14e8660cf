package fleetbench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	neturl "net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"lvs/internal/bench/usage"
)

// How long a fleet is measured, after it has run for a while, and how often it is
// asked how it fares meanwhile.
const (
	warmUp  = 25 * time.Second
	measure = 60 * time.Second
	scrape  = 15 * time.Second
)

// A Fleet is what reading many directors cost.
type Fleet struct {
	Cores float64 // of a processor, on average
	RSS   int64   // bytes at most
	Polls int     // in the time measured
	Lost  int     // polls that were late, failed, left out or not whole
	Reals int     // real servers in the last scrape
}

// RunFleet builds lvs-exporter and a simulation of directors, and has the one read
// the other every ten seconds by a module. It needs the module's source around
// the working directory, go, and Linux.
func RunFleet(ctx context.Context, directors, reals int, module string) (f Fleet, err error) {
	dir, err := os.MkdirTemp("", "fleetbench")
	if err != nil {
		return f, err
	}
	defer os.RemoveAll(dir)
	exporter, sim := filepath.Join(dir, "lvs-exporter"), filepath.Join(dir, "fleetsim")
	for program, pkg := range map[string]string{exporter: "lvs/cmd/lvs-exporter", sim: "lvs/internal/bench/fleetsim"} {
		cmd := exec.CommandContext(ctx, "go", "build", "-o", program, pkg)
		if out, err := cmd.CombinedOutput(); err != nil {
			return f, fmt.Errorf("%v: %w\n%s", cmd, err, out)
		}
	}
	addrs, stop, err := simulate(ctx, sim, directors, reals)
	if err != nil {
		return f, err
	}
	defer stop()
	listen, err := freeAddress()
	if err != nil {
		return f, err
	}
	config := filepath.Join(dir, "fleet.yml")
	if err := os.WriteFile(config, []byte(fleetFile(addrs, module)), 0o600); err != nil {
		return f, err
	}
	cmd := program(ctx, exporter, "serve", "--config.file", config, "--web.listen-address", listen, "--log.level", "warn")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return f, err
	}
	defer end(cmd)
	return measureFleet(ctx, cmd.Process.Pid, "http://"+listen)
}

func fleetFile(addrs []string, module string) string {
	var b strings.Builder
	b.WriteString("interval: 10s\ndirectors:\n")
	for i, a := range addrs {
		fmt.Fprintf(&b, "- {name: lvs%03d, target: %q, module: %s}\n", i, a, module)
	}
	return b.String()
}

// measureFleet watches a running exporter.
func measureFleet(ctx context.Context, pid int, url string) (f Fleet, err error) {
	if err := wait(ctx, warmUp); err != nil {
		return f, err
	}
	before, err := usage.Of(pid)
	if err != nil {
		return f, err
	}
	polls, lost, err := look(ctx, url, &f)
	if err != nil {
		return f, err
	}
	began := time.Now()
	for range int(measure / scrape) {
		if err := wait(ctx, scrape); err != nil {
			return f, err
		}
		if f.Polls, f.Lost, err = look(ctx, url, &f); err != nil {
			return f, err
		}
	}
	after, err := usage.Of(pid)
	if err != nil {
		return f, err
	}
	f.Polls -= polls
	f.Lost -= lost
	f.Cores = (after.CPU - before.CPU).Seconds() / time.Since(began).Seconds()
	f.RSS, err = peak(pid)
	return f, err
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

var sample = regexp.MustCompile(`^(lvs_\w+)(?:\{.*\})? (\S+)$`)

// lossFamilies count what was not read, or not as it should have been.
var lossFamilies = []string{
	"lvs_exporter_poll_errors_total", "lvs_exporter_polls_skipped_total", "lvs_exporter_late_polls_total", "lvs_exporter_inconsistent_tables_total",
}

// look scrapes what it adds up: two million series, which all directors come to,
// are another benchmark.
func look(ctx context.Context, url string, f *Fleet) (polls, lost int, err error) {
	want := neturl.Values{"name[]": append([]string{"lvs_real_servers", "lvs_exporter_polls_total"}, lossFamilies...)}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/metrics?"+want.Encode(), nil)
	if err != nil {
		return 0, 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, 0, fmt.Errorf("%s: %s", req.URL, resp.Status)
	}
	sums := map[string]float64{}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if m := sample.FindStringSubmatch(lines.Text()); m != nil {
			v, err := strconv.ParseFloat(m[2], 64)
			if err != nil {
				return 0, 0, fmt.Errorf("%q: %w", lines.Text(), err)
			}
			sums[m[1]] += v
		}
	}
	f.Reals = int(sums["lvs_real_servers"])
	for _, name := range lossFamilies {
		lost += int(sums[name])
	}
	return int(sums["lvs_exporter_polls_total"]), lost, lines.Err()
}

// simulate starts the directors and returns where they are.
func simulate(ctx context.Context, sim string, directors, reals int) (addrs []string, stop func(), err error) {
	cmd := program(ctx, sim, strconv.Itoa(directors), strconv.Itoa(reals))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	lines := bufio.NewReader(out)
	for range directors {
		line, err := lines.ReadString('\n')
		if err != nil {
			end(cmd)
			return nil, nil, fmt.Errorf("simulation: %w", errors.Join(err, io.ErrUnexpectedEOF))
		}
		addrs = append(addrs, strings.TrimSpace(line))
	}
	return addrs, func() { end(cmd) }, nil
}

// program is one that is asked to end when ctx does.
func program(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// end ends a program; how does not matter.
func end(cmd *exec.Cmd) {
	_ = cmd.Process.Signal(syscall.SIGTERM)
	t := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
	defer t.Stop()
	_ = cmd.Wait()
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// peak is the most memory a process had. Source: VmHWM of /proc/PID/status.
func peak(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			if fields := strings.Fields(rest); len(fields) > 0 {
				kib, err := strconv.ParseInt(fields[0], 10, 64)
				return kib << 10, err
			}
		}
	}
	return 0, errors.New("/proc has no VmHWM")
}
