// Gosubagent [-x SOCKET | -u ADDRESS] ROWS serves lvsRealTable with this project's
// tree, as a subagent or as the agent in the box, and nothing around them: its
// process's CPU time is theirs. See csubagent, where its peers are, for the cells.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"lvs/dataplane"
	"lvs/mib"
	"lvs/mib/agent"
	"lvs/mib/agentx"
	"lvs/mib/smi"
	"lvs/mib/usm"
)

// realsPerService is csubagent's REALS_PER_SERVICE.
const realsPerService = 10

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "gosubagent:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	socket := flag.String("x", "/var/agentx/master", "the master's unix `SOCKET`")
	address := flag.String("u", "", "listen on this UDP `ADDRESS` instead of joining a master")
	flag.Parse()
	rows, err := strconv.Atoi(flag.Arg(0))
	if err != nil {
		return fmt.Errorf("rows: %w", err)
	}
	if *address != "" {
		return serve(ctx, *address, rows)
	}
	cfg := agentx.Config{Address: "unix:" + *socket, Registrations: []smi.OID{mib.Root()}}
	s, err := agentx.New(cfg, mib.Build(snapshot(rows), mib.Figures{}))
	if err != nil {
		return err
	}
	return s.Run(ctx)
}

// serve is the agent in the box, with the community and the user that the walks
// of agentxbench have.
func serve(ctx context.Context, address string, rows int) error {
	cfg := agent.Config{
		Listen:      []string{address},
		Communities: []agent.Community{{Name: "public"}},
		Users: []agent.User{{User: usm.User{
			Name: "lvs", Auth: usm.SHA256, AuthSecret: "authentication", Priv: usm.AES128, PrivSecret: "privacy-privacy",
		}}},
		Roots: []smi.OID{mib.Root()},
	}
	a, err := agent.New(cfg, mib.Build(snapshot(rows), mib.Figures{}))
	if err != nil {
		return err
	}
	return a.Run(ctx)
}

// snapshot holds as many real servers, ten to a service. The formulas are those
// of csubagent's real_server.
func snapshot(rows int) *dataplane.Snapshot {
	snap := &dataplane.Snapshot{Time: time.Now()}
	for i := range rows {
		if i%realsPerService == 0 {
			vip := netip.AddrPortFrom(netip.AddrFrom4([4]byte{172, 16, byte(i / realsPerService >> 8), byte(i / realsPerService)}), 80)
			var s dataplane.ServiceState
			s.Key = dataplane.AddrKey(dataplane.TCP, vip)
			s.Number = uint32(i/realsPerService + 1)
			snap.Services = append(snap.Services, s)
		}
		s := &snap.Services[len(snap.Services)-1]
		s.Reals = append(s.Reals, real(uint64(i)))
	}
	return snap
}

func real(i uint64) (r dataplane.RealState) {
	r.RIP = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 80)
	r.Method, r.Weight, r.Number = dataplane.Masquerade, uint32(i%100+1), uint32(i%realsPerService+1)
	r.Total = dataplane.Counters{
		Connections: 1000*i + 7, InPackets: 3000*i + 21, OutPackets: 2000*i + 14, InBytes: 1<<33 + 1500*i, OutBytes: 1<<34 + 9000*i,
	}
	n := i % 1000
	r.Rates = dataplane.Rates{Connections: n, InPackets: 30 * n, OutPackets: 20 * n, InBytes: 1500 * n, OutBytes: 9000 * n}
	r.HasRates = true
	return r
}
