package snmp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gosnmp/gosnmp"
)

// maxAtOnce bounds the names in one request, whatever a Config says.
const maxAtOnce = 500

// A client is the socket to one agent. It is not safe for concurrent use.
type client struct {
	g       *gosnmp.GoSNMP
	conn    *conn
	timeout time.Duration // of a first try
	tries   int
	stats   *counters
}

// dial opens a socket to the agent of a Config that was completed.
func dial(ctx context.Context, cfg *Config, stats *counters) (*client, error) {
	host, port, err := splitTarget(cfg.Target)
	if err != nil {
		return nil, err
	}
	// What has to be found out first is a name's address, which is no answer's time.
	g := &gosnmp.GoSNMP{Target: host, Port: port, Transport: "udp", MaxOids: maxAtOnce, Context: ctx, Timeout: max(cfg.Timeout, DefaultTimeout)}
	cfg.Auth.apply(g)
	if err := g.Connect(); err != nil {
		return nil, err
	}
	c := &client{g: g, conn: &conn{Conn: g.Conn}, timeout: cfg.Timeout, tries: cfg.Retries + 1, stats: stats}
	g.Conn = c.conn
	return c, nil
}

// splitTarget takes apart "host", "host:port", "[2001:db8::1]:port" or an address.
func splitTarget(target string) (host string, port uint16, err error) {
	const snmp = 161
	if addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(target, "["), "]")); err == nil {
		return addr.String(), snmp, nil
	}
	host, number := target, strconv.Itoa(snmp)
	if strings.Contains(target, ":") {
		if host, number, err = net.SplitHostPort(target); err != nil {
			return "", 0, fmt.Errorf("target %q: want HOST or HOST:PORT", target)
		}
	}
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil || n == 0 || host == "" || strings.ContainsAny(host, " /@?#\\\"'") || len(host) > 253 {
		return "", 0, fmt.Errorf("target %q: want HOST or HOST:PORT", target)
	}
	return host, uint16(n), nil
}

func (c *client) close() { c.conn.Close() }

// A request is the kind of a PDU.
type request uint8

const (
	get request = iota
	getNext
	getBulk
)

// try asks once and waits for the answer. Late answers to other requests do not
// count; one that is none at all is an ErrAnswer, and no answer an ErrTimeout.
func (c *client) try(ctx context.Context, kind request, names []string, repetitions int, again int) (*gosnmp.SnmpPacket, error) {
	release := c.conn.watch(ctx)
	defer release()
	c.g.Context, c.g.Timeout = ctx, c.timeout<<min(again, 2)
	c.stats.requests.Add(1)
	if again > 0 {
		c.stats.retries.Add(1)
	}
	var p *gosnmp.SnmpPacket
	var err error
	switch kind {
	case get:
		p, err = c.g.Get(names)
	case getNext:
		p, err = c.g.GetNext(names)
	default:
		p, err = c.g.GetBulk(names, 0, uint32(repetitions))
	}
	if err != nil {
		return nil, classify(ctx, err)
	}
	switch {
	case p.PDUType != gosnmp.GetResponse:
		return nil, badAnswer("it is a PDU of type %#x", byte(p.PDUType))
	case p.RequestID == 0: // which gosnmp takes for an answer to anything
		return nil, badAnswer("it has no request-id")
	}
	return p, nil
}

// classify makes one of ours of what gosnmp returns.
func classify(ctx context.Context, err error) error {
	var network net.Error
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case refused(err):
		return fmt.Errorf("%w: %w", ErrAccess, err)
	// gosnmp says so, and no more, of a report that the user or the password is
	// wrong, as agents do not sign those. Where it was the engine that is another
	// one now, asking anew finds that out.
	case strings.Contains(err.Error(), "not authentic"):
		return fmt.Errorf("%w: the answer is not signed with the password", ErrAccess)
	case errors.Is(err, gosnmp.ErrMaxRetriesExceeded), errors.As(err, &network) && network.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return ErrTimeout
	case errors.As(err, &network): // refused by the host, or unreachable
		return err
	}
	return badAnswer("%s", strings.SplitN(err.Error(), "\n", 2)[0])
}

// hopeless reports whether asking again makes no sense.
func hopeless(ctx context.Context, err error) bool {
	return ctx.Err() != nil || refused(err)
}

// scalars asks for single variables. What the agent does not have is the zero
// value.
func (c *client) scalars(ctx context.Context, names []string) ([]value, error) {
	values := make([]value, len(names))
	left := make([]int, len(names)) // positions still to be asked for
	for i := range left {
		left[i] = i
	}
	for failures := 0; len(left) > 0; {
		asked := make([]string, len(left))
		for i, at := range left {
			asked[i] = names[at]
		}
		p, err := c.try(ctx, get, asked, 0, failures)
		if err == nil && p.Error == gosnmp.NoSuchName && c.g.Version == gosnmp.Version1 && p.ErrorIndex > 0 && int(p.ErrorIndex) <= len(left) {
			left = append(left[:p.ErrorIndex-1], left[p.ErrorIndex:]...) // v1 tells of one at a time
			continue
		}
		if err == nil {
			err = fillScalars(values, left, asked, p)
		}
		if err == nil {
			return values, nil
		}
		if failures++; failures >= c.tries || hopeless(ctx, err) {
			return nil, err
		}
	}
	return values, nil
}

func fillScalars(values []value, left []int, asked []string, p *gosnmp.SnmpPacket) error {
	if p.Error != gosnmp.NoError {
		return fmt.Errorf("%w: %v", ErrStatus, p.Error)
	}
	if len(p.Variables) != len(asked) {
		return badAnswer("it has %d variables of %d", len(p.Variables), len(asked))
	}
	for i := range p.Variables {
		if p.Variables[i].Name != asked[i] {
			return badAnswer("it has %s instead of %s", p.Variables[i].Name, asked[i])
		}
		v, err := valueOf(&p.Variables[i])
		if err != nil {
			return err
		}
		values[left[i]] = v
	}
	return nil
}

// A conn is a socket whose reads end with a context: gosnmp sets deadlines of its
// own, and knows a context's deadline only.
type conn struct {
	net.Conn
	mu    sync.Mutex
	turn  int // of watching
	ended bool
}

// watch has reads return when ctx ends, until release.
func (c *conn) watch(ctx context.Context) (release func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn++
	turn := c.turn
	c.ended = false
	stop := context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.turn == turn { // else it comes late, and somebody else reads by now
			c.ended = true
			_ = c.Conn.SetDeadline(time.Unix(1, 0)) // on a closed socket nobody reads
		}
	})
	return func() {
		stop()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.turn++
	}
}

// SetDeadline sets the deadline of reads and writes unless the context ended.
func (c *conn) SetDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		t = time.Unix(1, 0)
	}
	return c.Conn.SetDeadline(t)
}
