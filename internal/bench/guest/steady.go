package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

type steadyResult struct {
	CPU   float64 // share of one core
	RSS   float64 // MiB, the highest
	Ticks float64 // samples in the time that was measured
}

// measureSteady runs the agent for a minute after its start, with its store, a
// scrape every 15 seconds, and all real servers in the scrape.
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
	cmd := exec.CommandContext(ctx, agent, "run", "--web.listen-address=127.0.0.1:10587", "--store.path="+store,
		"--snmp.agentx=unix:"+store+"/no-master", "--prometheus.reals=always", "--log.level=error")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return r, err
	}
	defer func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
	}()
	time.Sleep(25 * time.Second) // the start, two samples and the first scrape are not steady
	if err := scrape(url); err != nil {
		return r, err
	}
	begin, err := processCPU(cmd.Process.Pid)
	if err != nil {
		return r, err
	}
	const minute = 60 * time.Second
	for range 4 {
		time.Sleep(minute / 4)
		if err := scrape(url); err != nil {
			return r, err
		}
	}
	end, err := processCPU(cmd.Process.Pid)
	if err != nil {
		return r, err
	}
	r.CPU, r.Ticks = (end-begin).Seconds()/minute.Seconds(), 6
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
	if n := bytes.Count(body, []byte("\n")); err != nil || n < 100_000 {
		return fmt.Errorf("scrape of %d lines: %v; want those of 10,000 real servers", n, err)
	}
	return nil
}

// processCPU is utime and stime of /proc/PID/stat, whose unit is 1/100 s on every
// Linux (USER_HZ).
func processCPU(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat: %q", pid, b)
	}
	utime, err1 := strconv.Atoi(fields[11])
	stime, err2 := strconv.Atoi(fields[12])
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("/proc/%d/stat: %q", pid, b)
	}
	return time.Duration(utime+stime) * 10 * time.Millisecond, nil
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
