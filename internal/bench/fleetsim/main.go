// Fleetsim DIRECTORS REALS answers as so many lvs-agents would, each with so many
// real servers, ten in a service, and a sample of its own every ten seconds. It
// prints where each listens, a line each, and ends on SIGTERM.
package main

import (
	"bufio"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"lvs/collector/snmp/snmptest"
	"lvs/dataplane"
	"lvs/mib"
)

const (
	realsPerService = 10
	interval        = 10 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "fleetsim:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("%d arguments; want DIRECTORS REALS", len(args))
	}
	directors, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	reals, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	began := time.Now()
	agents := make([]*snmptest.Agent, directors)
	out := bufio.NewWriter(os.Stdout)
	for i := range agents {
		if agents[i], err = snmptest.New("127.0.0.1:0", tree(i, reals, began)); err != nil {
			return err
		}
		defer agents[i].Close()
		agents[i].MaxVariables.Store(500)
		fmt.Fprintln(out, agents[i].Addr())
	}
	if err := out.Flush(); err != nil {
		return err
	}
	// One director after the other has its next sample.
	next := time.NewTicker(interval / time.Duration(directors))
	defer next.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return nil
		case <-next.C:
			agents[i%directors].Serve(tree(i%directors, reals, began))
		}
	}
}

// tree is what a director shows now.
func tree(director, reals int, began time.Time) *mib.Tree {
	now := time.Now()
	grown := uint64(now.Sub(began) / time.Second)
	snap := &dataplane.Snapshot{Time: now, ServicesChanged: began, RealsChanged: began}
	snap.Director = dataplane.Director{Version: "1.2.1", ConnTableSize: 4096, HasStats: true}
	for i := range reals {
		if i%realsPerService == 0 {
			vip := netip.AddrPortFrom(netip.AddrFrom4([4]byte{172, 16, byte(director), byte(i / realsPerService)}), 80)
			s := dataplane.ServiceState{Service: dataplane.Service{Key: dataplane.AddrKey(dataplane.TCP, vip), Scheduler: "wlc"}, HasRates: true}
			s.Account = account(i/realsPerService+1, uint64(i), grown, began)
			snap.Services = append(snap.Services, s)
		}
		s := &snap.Services[len(snap.Services)-1]
		r := dataplane.RealState{RealServer: dataplane.RealServer{RIP: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(director >> 8), byte(director), byte(i)}), 80), Weight: 100}, HasRates: true}
		r.Account = account(i%realsPerService+1, uint64(i), grown, began)
		r.Active, r.Inactive = uint32(grown%100), uint32(i)
		r.Rates = dataplane.Rates{Connections: 10, InPackets: 100, OutPackets: 80, InBytes: 50_000, OutBytes: 600_000}
		s.Reals = append(s.Reals, r)
	}
	return mib.Build(snap, mib.Figures{Interval: interval})
}

// account is one that grows with time.
func account(number int, row, grown uint64, began time.Time) dataplane.Account {
	c := dataplane.Counters{
		Connections: row<<20 + 10*grown, InPackets: row<<24 + 100*grown, OutPackets: row<<23 + 80*grown, InBytes: row<<34 + 50_000*grown, OutBytes: row<<38 + 600_000*grown,
	}
	return dataplane.Account{Number: uint32(number), Kernel: c, Total: c, FirstSeen: began, LastSeen: time.Now(), LastChange: began, Peak: 100}
}
