package notify

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"lvs/mib/smi"
)

// An Engine is who we are in SNMPv3 (RFC 3411 §3.1.1, RFC 3414 §2.2): the
// authoritative engine of the traps we send.
type Engine struct {
	ID    []byte // snmpEngineID, 5 to 32 octets
	Boots uint32 // snmpEngineBoots
	Time  uint32 // snmpEngineTime now, in seconds
}

// A ManagerConfig says where a manager is and how it wants to be told.
type ManagerConfig struct {
	// Address is HOST:PORT: an IP address, IPv6 in brackets, or a name, which is
	// resolved whenever a socket is opened. Managers listen on port 162.
	Address string
	// Community is that of SNMPv2c. User is set instead for SNMPv3.
	Community string
	User      *User
	// Inform asks the manager to acknowledge each notification. Without it,
	// nobody learns of a trap that was lost on its way.
	Inform bool
	// Timeout is how long an inform is waited for to be acknowledged, and Retries
	// how often it is sent again then before the manager counts as away. Zero is
	// 2 s and 2; negative Retries are none.
	Timeout time.Duration
	Retries int
	// Engine says who we are now. Traps of SNMPv3 need it, all else does not.
	Engine func() Engine
	// UpTime is sysUpTime at a moment; before the agent's start it is zero.
	UpTime func(at time.Time) time.Duration
}

// maxCommunity is how long a community may be: gosnmp writes its length as one
// octet.
const maxCommunity = 127

func (c *ManagerConfig) check() error {
	switch {
	case c.User == nil && (c.Community == "" || len(c.Community) > maxCommunity):
		return fmt.Errorf("a community of 1 to %d octets or a user is wanted", maxCommunity)
	case c.User != nil && c.Community != "":
		return errors.New("a community and a user do not go together")
	case c.User != nil && !c.Inform && c.Engine == nil:
		return errors.New("traps of SNMPv3 need an engine")
	case c.UpTime == nil:
		return errors.New("the time since the start is wanted")
	case c.User != nil:
		return c.User.check()
	}
	return nil
}

// redial is how old a socket may be: a name may mean another address by then.
const redial = 5 * time.Minute

// A Manager is a [Target] that is sent notifications straight, over UDP: traps or
// informs, SNMPv2c or SNMPv3.
//
// A trap counts as delivered when it was sent, unless the manager's host says at
// once that nobody listens there, as hosts nearby do: then it is kept for later.
//
// An inform counts as delivered when the manager has acknowledged it. Until then
// it is sent again, now and in later calls of Notify, always with the request-id
// it had first, by which the manager can tell that it is the same. SNMPv3
// managers say why they take nothing: a wrong user, passphrase or level is a
// refusal. Only a wrong privacy passphrase looks as if the manager were away: AES
// makes something of any message, and nothing that would be answered. Reports cannot be authenticated (RFC 3414 §3.2), so who can forge
// them can have notifications refused.
//
// A Manager is safe for concurrent use; calls of Notify wait for each other.
type Manager struct {
	c    ManagerConfig
	host string
	port uint16
	seed maphash.Seed

	again atomic.Uint64

	mu   sync.Mutex
	link *link // nil when there is no socket
}

// NewManager checks the configuration of a manager. It opens no socket.
func NewManager(c ManagerConfig) (*Manager, error) {
	host, port, err := net.SplitHostPort(c.Address)
	if err != nil {
		return nil, fmt.Errorf("notify: manager: %w", err)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || host == "" {
		return nil, fmt.Errorf("notify: manager %s: want HOST:PORT", c.Address)
	}
	c.Timeout = orDefault(c.Timeout, 2*time.Second)
	c.Retries = max(orDefault(c.Retries, 2), 0)
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("notify: manager %s: %w", c.Address, err)
	}
	return &Manager{c: c, host: host, port: uint16(n), seed: maphash.MakeSeed()}, nil
}

// Notify sends n, and waits for the answer to an inform. An error that is
// [ErrLater] says that the manager is away; any other, that it will not have n.
func (m *Manager) Notify(ctx context.Context, n smi.Notification) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	vars, err := variables(n, m.c.UpTime(n.Time))
	if err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	err = m.send(ctx, vars, m.requestID(n))
	if errors.Is(err, errEngineChanged) {
		err = m.send(ctx, vars, m.requestID(n)) // to the one that is found now
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("notify: %w: %w", ErrLater, ctx.Err())
	case isFinal(err):
		return fmt.Errorf("notify: %w", err)
	}
	return fmt.Errorf("notify: %w: %w", ErrLater, err)
}

// send is one exchange, over a socket that is kept if it went well.
func (m *Manager) send(ctx context.Context, vars []variable, id uint32) error {
	if m.link != nil && m.link.stale(m.c) {
		m.close()
	}
	if m.link == nil {
		l, err := m.open(ctx)
		if err != nil {
			return err
		}
		m.link = l
	}
	err := m.link.send(ctx, vars, id)
	if err != nil {
		m.close()
	}
	return err
}

// requestID is the same for the same notification, whenever it is sent, and
// nobody else's guess. It is not zero.
func (m *Manager) requestID(n smi.Notification) uint32 {
	var h maphash.Hash
	h.SetSeed(m.seed)
	fmt.Fprint(&h, n.OID, n.Time.UnixNano(), n.Vars)
	return uint32(h.Sum64())&0x7ffffffe | 1
}

// Retransmissions is how often a message was sent again because there was no
// answer in time.
func (m *Manager) Retransmissions() uint64 { return m.again.Load() }

// Close closes the socket, if there is one. Notify opens another.
func (m *Manager) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.close()
	return nil
}

func (m *Manager) close() {
	if m.link != nil {
		m.link.close()
		m.link = nil
	}
}
