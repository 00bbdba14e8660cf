// Command guest takes the figures that need a kernel with ip_vs, inside the
// lab's guest. It prints one JSON object.
//
//	guest snapshot            reading 1,000 services × 10 real servers
//	guest steady AGENT LABNET the agent's cost at 10,000 real servers and 10 s
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"time"

	"lvs/dataplane"
	"lvs/dataplane/ipvs"
)

const (
	services        = 1000
	realsPerService = 10
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	result, err := run(ctx, os.Args[1:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(result)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "guest:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (any, error) {
	if os.Getenv("UML_GUEST") != "1" {
		return nil, fmt.Errorf("this fills the kernel's table; it runs in the lab's guest only")
	}
	client, err := ipvs.Dial(ipvs.Config{})
	if err != nil {
		return nil, err
	}
	defer client.Close()
	if err := fill(ctx, client); err != nil {
		return nil, err
	}
	switch {
	case len(args) == 1 && args[0] == "snapshot":
		return measureSnapshot(ctx, client)
	case len(args) == 3 && args[0] == "steady":
		return measureSteady(ctx, args[1], args[2])
	}
	return nil, fmt.Errorf("usage: guest snapshot | guest steady AGENT LABNET")
}

// fill makes 1,000 services of 10 real servers each, every tenth of IPv6.
func fill(ctx context.Context, client *ipvs.Client) error {
	for i := range services {
		vip, rip := netip.AddrFrom4([4]byte{10, 9, byte(i >> 8), byte(i)}), netip.AddrFrom4([4]byte{10, 8, 0, 0})
		if i%10 == 0 {
			vip, rip = netip.MustParseAddr("fd10:9::1"), netip.MustParseAddr("fd10:8::")
		}
		key := dataplane.AddrKey(dataplane.TCP, netip.AddrPortFrom(vip, uint16(1000+i)))
		if err := client.AddService(ctx, dataplane.Service{Key: key, Scheduler: "wlc"}); err != nil {
			return err
		}
		for j := range realsPerService {
			rip = rip.Next()
			r := dataplane.RealServer{RIP: netip.AddrPortFrom(rip, 80), Weight: uint32(j)}
			if err := client.AddRealServer(ctx, key, r); err != nil {
				return err
			}
		}
	}
	return nil
}
