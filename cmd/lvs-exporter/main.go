// Command lvs-exporter reads the history that lvs-agent keeps, and reads
// directors over SNMP for Prometheus. See lvs-exporter --help.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"lvs/internal/exporter"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := exporter.Run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "lvs-exporter:", err)
		os.Exit(exporter.ExitCode(err))
	}
}
