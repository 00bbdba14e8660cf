// Command lvs-agent runs on a Linux Virtual Server director: it samples the
// director's virtual services and real servers and serves what it sees over
// SNMP, to Prometheus, as JSON and from its history. See lvs-agent --help.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"lvs/internal/agent"
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50) // a director's memory is for connections
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := agent.Run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "lvs-agent:", err)
		os.Exit(agent.ExitCode(err))
	}
}
