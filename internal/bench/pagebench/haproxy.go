package pagebench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"lvs/internal/bench/pagebench/madeup"
)

// haproxyPage is where the peer's statistics are.
const haproxyPage = "/stats"

// startHAProxy has Debian's haproxy show the statistics of as many servers in as
// many backends as the director has real servers and services. Nothing checks
// them, and nobody connects.
func startHAProxy(ctx context.Context, dir string) (*server, error) {
	program := "/usr/sbin/haproxy"
	if _, err := os.Stat(program); err != nil {
		return nil, fmt.Errorf("pagebench: %w: apt-get install haproxy", err)
	}
	addr, err := free()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "haproxy.cfg")
	if err := os.WriteFile(file, []byte(haproxyConfig(addr)), 0o600); err != nil {
		return nil, err
	}
	return startServer(ctx, exec.CommandContext(ctx, program, "-db", "-q", "-f", file), "http://"+addr+haproxyPage)
}

func haproxyConfig(addr string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "defaults\n\tmode http\n\ttimeout client 30s\n\ttimeout server 30s\n\ttimeout connect 5s\n"+
		"frontend stats\n\tbind %s\n\tstats enable\n\tstats uri %s\n", addr, haproxyPage)
	for i := range madeup.Services {
		fmt.Fprintf(&b, "backend tcp_10.1.%d.%d_443\n", i>>8, i&0xff)
		for j := range madeup.Reals {
			fmt.Fprintf(&b, "\tserver 10.%d.%d.%d:8080 10.%[1]d.%d.%d:8080 weight 100\n", 16+i>>8, i&0xff, j+1)
		}
	}
	return b.String()
}
