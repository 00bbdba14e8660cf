package agentx

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"lvs/mib/smi"
)

// A Config says where the master is and what to register there.
type Config struct {
	// Address is the master's, "unix:PATH" or "tcp:HOST:PORT".
	Address string
	// Registrations are the subtrees to answer for; at least one.
	Registrations []smi.OID
	// ID and Description name this subagent to the master (RFC 2741 §6.2.1, o.id
	// and o.descr). Both may be empty.
	ID          smi.OID
	Description string
	// Capabilities are the rows of the master's sysORTable while there is a
	// session; a master that does not take them is served all the same.
	Capabilities []Capability
	// Setter takes what managers write; nil refuses all of it (notWritable). It is
	// called by the goroutine that answers requests. What it writes shows in the
	// next tree that is given to Swap.
	Setter smi.Setter
	// Timeout is how long the master may take for an answer and for accepting
	// what is written to it; 0 is 5 s.
	Timeout time.Duration
	// PingInterval is how long a session may be silent before the master is
	// asked for a sign of life; 0 is 15 s.
	PingInterval time.Duration
	// Logger gets one line when the session's state changes; nil discards them.
	Logger *slog.Logger
}

// A Capability is a statement of what an agent implements (AGENT-CAPABILITIES,
// RFC 2580 §6) as sysORTable lists it.
type Capability struct {
	OID         smi.OID // sysORID; not empty
	Description string  // sysORDescr
}

// withDefaults checks c and fills in what it leaves open.
func (c Config) withDefaults() (Config, error) {
	if _, _, err := splitAddress(c.Address); err != nil {
		return c, err
	}
	if len(c.Registrations) == 0 {
		return c, errors.New("agentx: no subtree to register")
	}
	for _, o := range append([]smi.OID{c.ID}, c.Registrations...) {
		if len(o) > smi.MaxOIDLen {
			return c, fmt.Errorf("agentx: register %v: more than %d sub-identifiers", o, smi.MaxOIDLen)
		}
	}
	if len(c.Description) > maxString {
		return c, fmt.Errorf("agentx: description of more than %d bytes", maxString)
	}
	for _, k := range c.Capabilities {
		if n := len(k.OID); n == 0 || n > smi.MaxOIDLen || len(k.Description) > maxString {
			return c, fmt.Errorf("agentx: capability %v: %d sub-identifiers, want 1 to %d, and %d bytes, at most %d",
				k.OID, n, smi.MaxOIDLen, len(k.Description), maxString)
		}
	}
	if c.Timeout < 0 || c.PingInterval < 0 {
		return c, errors.New("agentx: negative timeout")
	}
	if c.Timeout == 0 {
		c.Timeout = 5 * time.Second
	}
	if c.PingInterval == 0 {
		c.PingInterval = 15 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// splitAddress takes "unix:PATH" and "tcp:HOST:PORT" apart for package net.
func splitAddress(s string) (network, address string, err error) {
	network, address, _ = strings.Cut(s, ":")
	switch network {
	case "unix":
		if address != "" {
			return network, address, nil
		}
	case "tcp":
		if _, port, err := net.SplitHostPort(address); err == nil && port != "" {
			return network, address, nil
		}
	}
	return "", "", fmt.Errorf("agentx: address %q, want unix:PATH or tcp:HOST:PORT", s)
}
