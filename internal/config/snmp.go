package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// SNMP is the way to the SNMP master agent, the agent in the box, and who is
// notified.
type SNMP struct {
	AgentX string // "unix:PATH", "tcp:HOST:PORT" or "off"
	// Listen are the addresses of the agent in the box, "HOST:PORT", an empty host
	// being all of them; nil where the file does not tell.
	Listen                  []string
	Contact, Name, Location string // of the system group
	Communities             []Community
	Users                   []User
	Notifications           Notifications
}

// A Community is a password of v1 and v2c, readable by everybody on the way.
type Community struct {
	Name string
	// Write allows to set the few variables that can be.
	Write bool
	// Sources are where requests may come from; nil is everywhere.
	Sources []netip.Prefix
}

// A User is one of SNMPv3.
type User struct {
	Name  string
	Auth  Secret // "sha1", "sha224", "sha256", "sha384" or "sha512"
	Priv  Secret // "aes128", "aes192" or "aes256"; none without Auth
	Write bool
}

// A Secret is an algorithm and its passphrase; the zero Secret is none.
type Secret struct{ Protocol, Passphrase string }

// Notifications say who is told what happens.
type Notifications struct {
	// Disabled turns them off until somebody turns them on over SNMP.
	Disabled bool
	// Rate is how many a second each receiver is sent at most, after a Burst of
	// them; zero is the default.
	Rate, Burst int
	// NoAgentX sends none by way of the SNMP master agent.
	NoAgentX bool
	Managers []Manager
}

// A Manager is sent notifications directly: with a Community in v2c, as a User
// in v3.
type Manager struct {
	Address   string // "HOST:PORT"
	Community string
	User      string // the name of one of SNMP.Users
	// Inform asks the manager to acknowledge, and sends again until it does.
	Inform  bool
	Timeout time.Duration // of an inform; zero is the default
}

// trapPort is where managers listen unless the file says otherwise.
const trapPort = 162

// snmp decodes snmp:.
func (d *decoder) snmp(s *SNMP) fields {
	return fields{
		"agentx":   parsed(d, &s.AgentX, parseAgentX),
		"listen":   d.listen(&s.Listen),
		"contact":  d.text(&s.Contact),
		"name":     d.text(&s.Name),
		"location": d.text(&s.Location),
		"communities": d.list(func(n ast.Node) {
			c := d.community(n)
			if slices.ContainsFunc(s.Communities, func(o Community) bool { return o.Name == c.Name }) && c.Name != "" {
				d.errorAt(n, "", "this community is listed twice")
			}
			s.Communities = append(s.Communities, c)
		}),
		"users": d.list(func(n ast.Node) {
			u := d.user(n)
			if slices.ContainsFunc(s.Users, func(o User) bool { return o.Name == u.Name }) && u.Name != "" {
				d.errorAt(n, "", fmt.Sprintf("user %q is listed twice", clip(u.Name)))
			}
			s.Users = append(s.Users, u)
		}),
		"notifications": d.section(func() fields { return d.notifications(&s.Notifications) }),
	}
}

// listen decodes one address or a list of them; off is an empty list.
func (d *decoder) listen(dst *[]string) func(ast.Node) {
	return func(n ast.Node) {
		one := func(n ast.Node) {
			var address string
			parsed(d, &address, ParseListen)(n)
			*dst = append(*dst, address)
		}
		switch s := n.(type) {
		case *ast.SequenceNode:
			d.list(one)(n)
		case *ast.BoolNode: // YAML's own word for it
			if s.Value {
				d.errorAt(n, "", "true; want addresses, or off")
			}
			*dst = []string{}
		case *ast.StringNode:
			if s.Value == "off" {
				*dst = []string{}
				return
			}
			one(n)
		default:
			one(n)
		}
	}
}

// ParseListen checks an address that the agent in the box answers at: HOST:PORT,
// where the host is an IP address or empty for all.
func ParseListen(s string) (string, error) {
	host, port, err := net.SplitHostPort(strings.TrimPrefix(s, "udp:"))
	n, perr := strconv.ParseUint(port, 10, 16)
	if err == nil && perr == nil && n > 0 {
		if _, err := netip.ParseAddr(host); err == nil || host == "" {
			return net.JoinHostPort(host, port), nil
		}
	}
	return "", fmt.Errorf("%q; want ADDRESS:PORT as 127.0.0.1:161 or [::1]:161, :161 for every address, or off", clip(s))
}

func (d *decoder) community(n ast.Node) (c Community) {
	at := d.mapping(n, fields{
		"name":  d.text(&c.Name),
		"write": d.boolean(&c.Write),
		"sources": d.list(func(n ast.Node) {
			var p netip.Prefix
			parsed(d, &p, parsePrefix)(n)
			c.Sources = append(c.Sources, p)
		}),
	})
	if at["name"] == nil && isMapping(n) {
		d.errorAt(n, "name", "missing; want the community's name")
	}
	if s, ok := at["sources"].(*ast.SequenceNode); ok && len(s.Values) == 0 {
		// It could mean nobody, and would be everybody.
		d.errorAt(s, "sources", "no network is listed; leave sources out where everybody may ask")
	}
	return c
}

// parsePrefix reads a network, or an address that stands for itself alone. Those of
// IPv4 are never in their form for IPv6, as sources of requests are not.
func parsePrefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	if p, err := netip.ParsePrefix(s); err == nil {
		if p != p.Masked() {
			return netip.Prefix{}, fmt.Errorf("%q has bits behind its length; want %v", s, p.Masked())
		}
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		return p, nil
	}
	return netip.Prefix{}, fmt.Errorf("%q; want a network as 10.0.0.0/8 or 2001:db8::/32, or an address", clip(s))
}

func (d *decoder) user(n ast.Node) (u User) {
	at := d.mapping(n, fields{
		"name":  d.text(&u.Name),
		"write": d.boolean(&u.Write),
		"auth":  func(n ast.Node) { u.Auth = d.secret(n, "sha1", "sha224", "sha256", "sha384", "sha512") },
		"priv":  func(n ast.Node) { u.Priv = d.secret(n, "aes128", "aes192", "aes256") },
	})
	switch {
	case at["name"] == nil && isMapping(n):
		d.errorAt(n, "name", "missing; want the user's name")
	case len(u.Name) > 32:
		d.errorAt(at["name"], "name", "a user's name has at most 32 bytes")
	case at["priv"] != nil && at["auth"] == nil:
		d.errorAt(at["priv"], "priv", "goes with auth: only")
	case at["auth"] == nil && u.Write:
		d.errorAt(at["write"], "write", "goes with auth: only")
	}
	return u
}

// minPassphrase is the shortest passphrase, from RFC 3414 §11.2.
const minPassphrase = 8

// secret decodes an algorithm and its passphrase, which no message shows.
func (d *decoder) secret(n ast.Node, protocols ...string) (s Secret) {
	at := d.mapping(n, fields{
		"protocol": d.oneOf(&s.Protocol, protocols...),
		"passphrase": func(n ast.Node) {
			if text, ok := n.(*ast.StringNode); ok && len(text.Value) >= minPassphrase {
				s.Passphrase = text.Value
				return
			}
			d.errorAt(n, "", fmt.Sprintf("want a text of at least %d characters (put it in quotes)", minPassphrase))
		},
	})
	for _, key := range []string{"protocol", "passphrase"} {
		if at[key] == nil && isMapping(n) {
			d.errorAt(n, key, "missing")
		}
	}
	return s
}

func (d *decoder) notifications(s *Notifications) fields {
	invert := func(dst *bool) func(ast.Node) {
		return func(n ast.Node) {
			on := true
			d.boolean(&on)(n)
			*dst = !on
		}
	}
	return fields{
		"enabled": invert(&s.Disabled),
		"agentx":  invert(&s.NoAgentX),
		"rate":    integer(d, &s.Rate, 1, 1000),
		"burst":   integer(d, &s.Burst, 1, 10000),
		"managers": d.list(func(n ast.Node) {
			m := d.manager(n)
			if slices.ContainsFunc(s.Managers, func(o Manager) bool { return o.Address == m.Address }) && m.Address != "" {
				d.errorAt(n, "", fmt.Sprintf("manager %s is listed twice", m.Address))
			}
			s.Managers = append(s.Managers, m)
		}),
	}
}

func (d *decoder) manager(n ast.Node) (m Manager) {
	at := d.mapping(n, fields{
		"address":   parsed(d, &m.Address, parseManager),
		"community": d.text(&m.Community),
		"user":      d.text(&m.User),
		"inform":    d.boolean(&m.Inform),
		"timeout":   d.duration(&m.Timeout, time.Second, time.Minute),
	})
	switch {
	case !isMapping(n):
	case at["address"] == nil:
		d.errorAt(n, "address", "missing; want HOST:PORT")
	case (at["community"] == nil) == (at["user"] == nil):
		d.errorAt(n, "", "want community: (SNMPv2c) or user: (SNMPv3, one of snmp.users)")
	case at["timeout"] != nil && !m.Inform:
		d.errorAt(at["timeout"], "timeout", "goes with inform: true only, traps are not answered")
	}
	return m
}

// parseManager reads HOST or HOST:PORT.
func parseManager(s string) (string, error) {
	if _, err := netip.ParseAddr(s); err == nil || !strings.ContainsAny(s, ":") && s != "" {
		return net.JoinHostPort(s, strconv.Itoa(trapPort)), nil
	}
	host, port, err := net.SplitHostPort(s)
	if n, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil || n == 0 || host == "" {
		return "", fmt.Errorf("%q; want HOST or HOST:PORT, as 192.0.2.1:162", clip(s))
	}
	return s, nil
}

// checkSNMP finds what is wrong between the parts of snmp:.
func (d *decoder) checkSNMP(n ast.Node, s *SNMP) {
	for i, m := range s.Notifications.Managers {
		if m.User != "" && !slices.ContainsFunc(s.Users, func(u User) bool { return u.Name == m.User }) {
			d.errorAt(n, fmt.Sprintf("snmp.notifications.managers[%d].user", i), fmt.Sprintf("%q is none of snmp.users", clip(m.User)))
		}
	}
}
