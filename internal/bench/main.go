// Command bench prints every figure the project claims, each beside its peer's
// from the same run, or beside its limit where there is no peer:
//
//	go run ./internal/bench [NAME...]
//
// It exits with status 1 when a figure is over its limit, and 2 when one could
// not be taken.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"text/tabwriter"
)

// A figure is one line of the table. Where it has a peer the limit holds for the
// ratio of ours to the peer's, unless it is absolute; otherwise for ours itself.
type figure struct {
	name       string
	ours, peer float64
	unit       string
	limit      float64
	peerName   string
	absolute   bool
	none       bool // that there is nothing at all is a result, too
}

// measured is what the limit holds for.
func (f figure) measured() float64 {
	if f.peerName == "" || f.absolute {
		return f.ours
	}
	return f.ours / f.peer
}

// ok reports whether f keeps to its limit. Where something is allowed, nothing at
// all means that it was not measured, unless none says otherwise.
func (f figure) ok() bool {
	return f.measured() <= f.limit && (f.ours > 0 || f.limit == 0 || f.none && f.ours == 0)
}

// A benchmark takes one or more figures.
type benchmark struct {
	name, what string
	run        func(context.Context) ([]figure, error)
}

var benchmarks = []benchmark{
	{"snapshot", "reading 1,000 services × 10 real servers from a real kernel, beside ipvsadm", snapshot},
	{"getnext", "answering one GETNEXT from the tree of 10,000 real servers", getNext},
	{"tree", "making the tree of 10,000 real servers", tree},
	{"agentx", "a bulk walk through snmpd, beside a Net-SNMP subagent in C", walk},
	{"box", "a bulk walk of the agent in the box, beside the same table inside of snmpd", box},
	{"scrape", "a scrape of 10,000 real servers, beside node_exporter's ipvs collector", scrape},
	{"steady", "the agent at 10,000 real servers and 10 s, on a real kernel", steady},
	{"history", "storing 10,000 real servers with all tiers, beside rrdcached and Prometheus's tsdb", history},
	{"fleet", "directors read over SNMP, beside gosnmp's walk, and 500 of them every 10 s", fleet},
	{"page", "the status page of 1,000 services × 10 real servers, beside HAProxy's", page},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

func run(ctx context.Context, names []string) (status int) {
	for _, n := range names {
		if !slices.ContainsFunc(benchmarks, func(b benchmark) bool { return b.name == n }) {
			fmt.Fprintf(os.Stderr, "bench: no benchmark %q; there are:\n", n)
			for _, b := range benchmarks {
				fmt.Fprintf(os.Stderr, "  %-10s %s\n", b.name, b.what)
			}
			return 2
		}
	}
	const row = "%s\t%s\t%s\t%s\t%s\t%s\n"
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, row, "FIGURE", "OURS", "PEER", "RATIO", "LIMIT", "")
	for _, b := range benchmarks {
		if len(names) > 0 && !slices.Contains(names, b.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "bench: %s: %s\n", b.name, b.what)
		figures, err := b.run(ctx)
		if err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s: %v\n", b.name, err)
			status = 2
		}
		for _, f := range figures {
			peer, ratio, limit, verdict := "-", "-", "≤ "+number(f.limit)+" "+f.unit, "ok"
			if f.peerName != "" {
				peer, ratio = number(f.peer)+" "+f.unit+" ("+f.peerName+")", number(f.ours/f.peer)
			}
			if f.peerName != "" && !f.absolute {
				limit = "≤ " + number(f.limit)
			}
			if !f.ok() {
				verdict, status = "OVER", max(status, 1)
			}
			fmt.Fprintf(w, row, f.name, number(f.ours)+" "+f.unit, peer, ratio, limit, verdict)
		}
	}
	w.Flush()
	return status
}

// number prints three significant digits, as a plain decimal.
func number(v float64) string {
	s := fmt.Sprintf("%.3g", v)
	if strings.Contains(s, "e") {
		s = fmt.Sprintf("%.0f", v)
	}
	return s
}
