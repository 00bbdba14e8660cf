// Command storebench takes the store's own figures, each kind in a process of its
// own, and prints one JSON object:
//
//	storebench ingest DIR SERVICES REALS SEED TICKS  commits and upkeep, then reads
//	storebench keep DIR SERVICES REALS SEED TICKS    what is left of long times
//
// DIR is made, and left for the caller to remove.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"time"

	"lvs/internal/bench/load"
)

func main() {
	debug.SetGCPercent(50) // as lvs-agent does
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	result, err := run(ctx, os.Args[1:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(result)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "storebench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (any, error) {
	if len(args) != 6 {
		return nil, errors.New("usage: storebench ingest|keep DIR SERVICES REALS SEED TICKS")
	}
	var n [4]int
	for i := range n {
		var err error
		if n[i], err = strconv.Atoi(args[i+2]); err != nil {
			return nil, err
		}
	}
	c := load.Config{Services: n[0], Reals: n[1], Seed: uint64(n[2]), Start: load.Start, Step: 10 * time.Second}
	switch args[0] {
	case "ingest":
		return ingest(ctx, args[1], c, n[3])
	case "keep":
		return keep(ctx, args[1], c, n[3])
	}
	return nil, fmt.Errorf("there is no %q", args[0])
}
