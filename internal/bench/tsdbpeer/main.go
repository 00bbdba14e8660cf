// Command tsdbpeer feeds Prometheus's time series database the benchmarks' load
// and prints what that took as one JSON object. It is a module of its own so that
// the database and all it needs stay out of ours.
//
//	tsdbpeer DIR SERVICES REALS SEED TICKS
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"time"

	"lvs/internal/bench/load"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "tsdbpeer:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 5 {
		return errors.New("usage: tsdbpeer DIR SERVICES REALS SEED TICKS")
	}
	var n [4]int
	for i := range n {
		var err error
		if n[i], err = strconv.Atoi(args[i+1]); err != nil {
			return err
		}
	}
	c := load.Config{Services: n[0], Reals: n[1], Seed: uint64(n[2]), Start: load.Start, Step: 10 * time.Second}
	result, err := measure(ctx, args[0], c, n[3])
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}
