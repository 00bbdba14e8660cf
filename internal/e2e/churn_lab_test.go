//go:build lab

package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"lvs/dataplane"
)

// A slot is a service that churn has to do with, and what it may put into it.
type slot struct {
	key     dataplane.ServiceKey
	kept    bool // not churn's own: it changes only real servers of weight 0
	rips    []netip.AddrPort
	present bool
	have    []netip.AddrPort
}

// A churn changes a table at random. What it changes never counts anything. Every
// change has a number that is told by the cells of what was changed.
type churn struct {
	*editor
	rng   *rand.Rand
	slots []*slot
	pause atomic.Bool // leave the kept ones alone

	number int            // of the last change
	kinds  map[string]int // how many of each kind run made
	took   time.Duration
}

// schedulers that need no memory of their own for big weights.
var schedulers = []string{"rr", "wrr", "lc", "wlc", "sed", "nq", "dh", "lblc"}

// newChurn has services of every kind of key with a few real servers each, and one
// whose real servers are too many for one datagram of the kernel's.
func newChurn(e *editor, seed uint64, services, wide int) *churn {
	c := &churn{editor: e, rng: rand.New(rand.NewPCG(seed, 0)), kinds: map[string]int{}}
	for i := range services {
		s := &slot{}
		v4, v6 := netip.AddrFrom4([4]byte{192, 0, 2, byte(1 + i%3)}), netip.MustParseAddr(fmt.Sprintf("2001:db8::%d", 1+i%3))
		port := uint16(1000 + i)
		family := dataplane.INET
		switch i % 6 {
		case 0, 1:
			s.key = dataplane.ServiceKey{Family: dataplane.INET, Protocol: dataplane.TCP, VIP: netip.AddrPortFrom(v4, port)}
		case 2:
			s.key = dataplane.ServiceKey{Family: dataplane.INET, Protocol: dataplane.UDP, VIP: netip.AddrPortFrom(v4, port)}
		case 3:
			family = dataplane.INET6
			s.key = dataplane.ServiceKey{Family: family, Protocol: dataplane.TCP, VIP: netip.AddrPortFrom(v6, port)}
		case 4:
			s.key = dataplane.ServiceKey{Family: dataplane.INET, FWMark: uint32(port)}
		case 5:
			family = dataplane.INET6
			s.key = dataplane.ServiceKey{Family: family, FWMark: uint32(port)}
		}
		s.rips = someReals(family, 12)
		c.slots = append(c.slots, s)
	}
	if wide > 0 {
		key := dataplane.ServiceKey{Family: dataplane.INET, Protocol: dataplane.SCTP, VIP: netip.MustParseAddrPort("192.0.2.9:99")}
		c.slots = append(c.slots, &slot{key: key, rips: someReals(dataplane.INET, wide)})
	}
	return c
}

func someReals(f dataplane.Family, n int) []netip.AddrPort {
	out := make([]netip.AddrPort, n)
	for i := range out {
		addr := netip.AddrFrom4([4]byte{198, 51, 100, byte(1 + i)})
		if f == dataplane.INET6 {
			addr = netip.MustParseAddr(fmt.Sprintf("2001:db8:1::%x", 1+i))
		}
		out[i] = netip.AddrPortFrom(addr, 80)
	}
	return out
}

// fill has every slot of churn's own begin with most of its real servers.
func (c *churn) fill() error {
	for _, s := range c.slots {
		if s.kept {
			continue
		}
		if err := c.do("service added", func() error { return c.add(s) }); err != nil {
			return err
		}
		for range len(s.rips) * 2 / 3 {
			if err := c.stepReal(s); err != nil {
				return err
			}
		}
	}
	clear(c.kinds)
	return nil
}

// run makes twice as many changes a second as half says until ctx ends: half of
// them in the tenth of a second in which samples are read, the others in the rest.
func (c *churn) run(ctx context.Context, half int) error {
	begin := time.Now()
	defer func() { c.took = time.Since(begin) }()
	second := begin.Truncate(time.Second)
	for n := 0; ; n++ {
		due := second.Add(time.Duration(n/(2*half)) * time.Second)
		if i := n % (2 * half); i < half {
			due = due.Add(time.Duration(i) * 100 * time.Millisecond / time.Duration(half))
		} else {
			due = due.Add(100*time.Millisecond + time.Duration(i-half)*900*time.Millisecond/time.Duration(half))
		}
		if due.Before(begin) {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Until(due)):
		}
		if err := c.step(); err != nil {
			return fmt.Errorf("change %d: %w", c.number, err)
		}
	}
}

// changes is how many run made.
func (c *churn) changes() (n int) {
	for _, of := range c.kinds {
		n += of
	}
	return n
}

// step makes one change, or two: a service deleted and added again at once.
func (c *churn) step() error {
	s := c.slots[c.rng.IntN(len(c.slots))]
	if c.rng.IntN(6) == 0 { // the wide one and the kept ones come last
		s = c.slots[len(c.slots)-1-c.rng.IntN(min(4, len(c.slots)))]
	}
	for s.kept && c.pause.Load() {
		s = c.slots[c.rng.IntN(len(c.slots))]
	}
	kind := c.rng.IntN(100)
	switch {
	case s.kept, s.present && (kind < 75 || len(s.rips) > 50):
		return c.stepReal(s)
	case !s.present:
		return c.do("service added", func() error { return c.add(s) })
	case kind < 88:
		return c.do("service edited", func() error { return c.editService(c.service(s)) })
	case kind < 91:
		if err := c.do("service deleted", func() error { return c.delete(s) }); err != nil {
			return err
		}
		return c.do("service added", func() error { return c.add(s) })
	}
	return c.do("service deleted", func() error { return c.delete(s) })
}

func (c *churn) add(s *slot) error {
	s.present = true
	return c.addService(c.service(s))
}

func (c *churn) delete(s *slot) error {
	s.present, s.have = false, nil
	return c.deleteService(s.key)
}

func (c *churn) stepReal(s *slot) error {
	rip := s.rips[c.rng.IntN(len(s.rips))]
	i := slices.Index(s.have, rip)
	switch {
	case i < 0:
		s.have = append(s.have, rip)
		return c.do("real server added", func() error { return c.addReal(s.key, c.real(s, rip)) })
	case c.rng.IntN(5) < 3:
		return c.do("real server edited", func() error { return c.editReal(s.key, c.real(s, rip)) })
	}
	s.have = slices.Delete(s.have, i, i+1)
	return c.do("real server deleted", func() error { return c.deleteReal(s.key, c.real(s, rip)) })
}

func (c *churn) do(kind string, change func() error) error {
	c.number++
	c.kinds[kind]++
	return change()
}

func (c *churn) service(s *slot) dataplane.Service {
	return dataplane.Service{Key: s.key, Scheduler: schedulers[c.number%len(schedulers)], Flags: dataplane.FlagPersistent,
		Timeout: time.Duration(c.number) * time.Second, Netmask: dataplane.FullMask(s.key.Family)}
}

func (c *churn) real(s *slot, rip netip.AddrPort) dataplane.RealServer {
	r := dataplane.RealServer{RIP: rip, Weight: uint32(c.number), UpperThreshold: uint32(1_000_000 + c.number), LowerThreshold: uint32(c.number),
		Method: []dataplane.Method{dataplane.Masquerade, dataplane.Tunnel, dataplane.Route}[c.number%3]}
	if s.kept {
		r.Weight = 0
	}
	return r
}
