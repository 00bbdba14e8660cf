package agent

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"

	"lvs/mib/ber"
	"lvs/mib/smi"
	"lvs/mib/usm"
)

const (
	// maxDatagram is the most that UDP over IPv4 takes, and what we accept.
	maxDatagram = 65507
	// oneFrame is what an Ethernet frame holds beside IPv4 and UDP headers, and
	// oneFrame6 beside IPv6's, which are longer.
	oneFrame  = 1472
	oneFrame6 = 1452
)

// A Config says where to listen, who may ask what, and how much.
type Config struct {
	// Listen are the addresses to listen on, at least one: "127.0.0.1:161",
	// "[::1]:161", or ":161" for every address of both families. Port 0 takes a
	// free one. On Linux an address may come and go: it is answered at whenever
	// this machine has it.
	Listen []string
	// Communities may ask in v1 and v2c, Users in v3. Where there are neither,
	// this machine may read as "public". See [Agent.SetAccess].
	Communities []Community
	Users       []User
	// System is what the system group tells.
	System System
	// Roots are the subtrees that the tree is asked for; at least one, none inside
	// of another or of the system group.
	Roots []smi.OID
	// Setter takes what is written below Roots; nil makes all of it read-only.
	Setter smi.Setter
	// StateDir is where the identity of SNMPv3's engine is kept (see
	// [usm.Boot]); without one, or without Users, each New is a new engine.
	StateDir string
	// MaxMessageSize is the largest answer that leaves this machine, in octets of
	// UDP payload, 484 to 65507; 0 is what one frame holds: 1472, and over IPv6
	// 1452. Larger ones come as IP fragments, which many firewalls drop.
	MaxMessageSize int
	// Rate limits each source other than this machine itself.
	Rate Rate
	// Logger gets a line for each variable that is written, and when a socket
	// fails; nil discards them.
	Logger *slog.Logger
}

// A Community is a password of v1 and v2c that everybody on the way can read.
type Community struct {
	Name string
	// Write allows to write what can be.
	Write bool
	// Sources are where requests may come from; nil is everywhere.
	Sources []netip.Prefix
}

// A User is one of SNMPv3.
type User struct {
	usm.User
	// Write allows to write what can be.
	Write bool
}

// A Rate is what one source may cause: an IPv4 address, or an IPv6 network of 64
// bits. Two seconds' worth may come at once.
type Rate struct {
	// Requests is how many are looked at in a second, answered or not (one larger
	// than a frame counts as several), and Bytes how many octets of answers are
	// begun. Zero is 5000 requests and 4 MiB; negative is no limit.
	Requests, Bytes int
}

// withDefaults checks c and fills in what it leaves open.
func (c Config) withDefaults() (Config, error) {
	if len(c.Listen) == 0 {
		return c, errors.New("agent: no address to listen on")
	}
	if len(c.Roots) == 0 {
		return c, errors.New("agent: no subtree to answer from")
	}
	roots := append([]smi.OID{systemRoot}, c.Roots...)
	for i, o := range roots {
		for _, p := range roots[:i] {
			if o.HasPrefix(p) || p.HasPrefix(o) {
				return c, fmt.Errorf("agent: the subtrees %v and %v are one inside of the other", p, o)
			}
		}
	}
	if c.MaxMessageSize != 0 && c.MaxMessageSize < ber.MinMaxSize || c.MaxMessageSize > maxDatagram {
		return c, fmt.Errorf("agent: messages of %d octets, want %d to %d", c.MaxMessageSize, ber.MinMaxSize, maxDatagram)
	}
	if c.Rate.Requests == 0 {
		c.Rate.Requests = 5000
	}
	if c.Rate.Bytes == 0 {
		c.Rate.Bytes = 4 << 20
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// mostTo is how large an answer to an address may be.
func (c *Config) mostTo(a netip.Addr) int {
	switch {
	case a.IsLoopback():
		return maxDatagram
	case c.MaxMessageSize != 0:
		return c.MaxMessageSize
	case a.Is6():
		return oneFrame6
	}
	return oneFrame
}
