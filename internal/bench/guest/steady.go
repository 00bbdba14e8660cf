package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

type steadyResult struct {
	CPU float64 // share of one core
	RSS float64 // MiB, the highest
}

// measureSteady runs the agent for some minutes as it comes: with its store,
// joined to an SNMP master, and a scrape every 15 seconds.
func measureSteady(ctx context.Context, agent, labnet string) (r steadyResult, err error) {
	const url = "http://127.0.0.1:10587"
	store, err := os.MkdirTemp("", "lvs-steady")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(store)
	stop, err := traffic(ctx, labnet)
	if err != nil {
		return r, err
	}
	defer stop()
	master, err := startMaster(ctx, store)
	if err != nil {
		return r, err
	}
	defer master()
	cmd := exec.CommandContext(ctx, agent, "run", "--web.listen-address=127.0.0.1:10587", "--store.path="+store+"/store",
		"--snmp.agentx=unix:"+store+"/agentx", "--log.level=error")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return r, err
	}
	defer func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
	}()
	time.Sleep(65 * time.Second) // until the heap has found its size
	if err := scrape(url); err != nil {
		return r, err
	}
	// The least of some half minutes, as everywhere: the host takes time from the
	// guest, which charges it to whoever runs. Each has three samples and two scrapes.
	const windows, window = 4, 30 * time.Second
	for i := range windows {
		begin, err := processCPU(cmd.Process.Pid)
		if err != nil {
			return r, err
		}
		for range 2 {
			time.Sleep(window / 2)
			if err := scrape(url); err != nil {
				return r, err
			}
		}
		end, err := processCPU(cmd.Process.Pid)
		if err != nil {
			return r, err
		}
		if share := (end - begin).Seconds() / window.Seconds(); i == 0 || share < r.CPU {
			r.CPU = share
		}
	}
	r.RSS, err = processRSS(cmd.Process.Pid)
	return r, err
}

// traffic keeps a few services busy until it is stopped.
func traffic(ctx context.Context, labnet string) (stop func(), err error) {
	// The first IPv4 service and its first real server, on this host itself.
	for _, args := range [][]string{{"addr", "add", "10.9.0.1/32", "dev", "lo"}, {"addr", "add", "10.8.0.1/32", "dev", "lo"}} {
		if out, err := exec.CommandContext(ctx, "ip", args...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("ip %v: %w: %s", args, err, out)
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	serve := exec.CommandContext(ctx, labnet, "serve", "-name", "rs", "-http", "10.8.0.1:80")
	if err := serve.Start(); err != nil {
		cancel()
		return nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		for ctx.Err() == nil {
			if resp, err := client.Get("http://10.9.0.1:1001/"); err == nil {
				resp.Body.Close()
			}
			time.Sleep(200 * time.Millisecond)
		}
	}()
	return func() { cancel(); <-done; serve.Wait() }, nil
}

func scrape(url string) error {
	resp, err := http.Get(url + "/metrics")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && !bytes.Contains(body, []byte("\nlvs_up 1\n")) {
		err = fmt.Errorf("the agent does not read the director:\n%.2000s", body)
	}
	if err == nil && !bytes.Contains(body, []byte("\nlvs_agent_agentx_connected 1\n")) {
		err = fmt.Errorf("the agent has not joined the SNMP master")
	}
	return err
}

// startMaster starts an snmpd whose AgentX socket is DIR/agentx.
func startMaster(ctx context.Context, dir string) (stop func(), err error) {
	conf := filepath.Join(dir, "snmpd.conf")
	text := "agentAddress udp:127.0.0.1:16161\nrocommunity public\nmaster agentx\nagentXSocket unix:" + dir + "/agentx\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "snmpd", "-f", "-Lf", filepath.Join(dir, "snmpd.log"), "-C", "-c", conf)
	cmd.Env = append(os.Environ(), "MIBS=", "SNMP_PERSISTENT_DIR="+dir)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() { cmd.Process.Kill(); cmd.Wait() }, nil
}

// processCPU is the time another process has used, to the nanosecond, by its CPU
// clock (clock_getcpuclockid(3)); /proc/PID/stat counts in ticks, which lie about a
// process that wakes on the clock's whole seconds.
func processCPU(pid int) (time.Duration, error) {
	const scheduled = 2 // CPUCLOCK_SCHED in include/linux/posix-timers.h
	var t unix.Timespec
	err := unix.ClockGettime(int32(^pid<<3|scheduled), &t)
	return time.Duration(t.Nano()), err
}

// processRSS is the highest resident set so far, in MiB.
func processRSS(pid int) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			return float64(kib) / 1024, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/status has no VmHWM", pid)
}
