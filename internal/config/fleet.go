package config

import (
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"lvs/collector/snmp"
)

// A Fleet is the configuration file of lvs-exporter serve, checked and typed. A
// zero field was not given.
type Fleet struct {
	// Listen are addresses to serve HTTP at, where the command line has none.
	Listen []string
	// Interval between two readings of a director that gives none.
	Interval time.Duration // whole seconds, 1 s to 1 h
	// Timeout of an SNMP request and how often it is repeated; Retries is -1 where
	// it is never.
	Timeout    time.Duration
	Retries    int
	Store      Store // a directory with a store for each director
	Prometheus Prometheus
	// Auths by name; DefaultAuth is always there.
	Auths map[string]snmp.Auth
	// Directors to read all the time, by rising name.
	Directors []FleetDirector
}

// A FleetDirector is a director to be read over SNMP.
type FleetDirector struct {
	Name, Target string
	Auth         string // a key of Fleet.Auths
	Module       snmp.Module
	Interval     time.Duration
}

// DefaultAuth is used where none is named, as snmp_exporter does: version 2c with
// the community "public", unless the file gives it anew.
const DefaultAuth = "public_v2"

// defaultInterval is that of directors where the file gives none.
const defaultInterval = 10 * time.Second

// NoFleet is what an empty file gives.
func NoFleet() *Fleet {
	return &Fleet{Interval: defaultInterval, Auths: map[string]snmp.Auth{DefaultAuth: {Version: 2, Community: "public"}}}
}

// LoadFleet parses the file of that name.
func LoadFleet(filename string) (*Fleet, error) {
	f, err := os.Open(filename)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	defer f.Close()
	return ParseFleet(f, filename)
}

// ParseFleet reads the configuration of lvs-exporter serve. Names and errors are
// as those of Parse.
func ParseFleet(r io.Reader, filename string) (*Fleet, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	d := &decoder{file: filename}
	c := NoFleet()
	if body := d.document(text); body != nil {
		d.fleet(body, c)
	}
	if err := d.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// fleet decodes the top of the file.
func (d *decoder) fleet(n ast.Node, c *Fleet) {
	var directors ast.Node
	d.mapping(n, fields{
		"listen": d.list(func(n ast.Node) {
			var address string
			parsed(d, &address, parseListen)(n)
			c.Listen = append(c.Listen, address)
		}),
		"interval":   d.duration(&c.Interval, time.Second, time.Hour),
		"timeout":    d.duration(&c.Timeout, time.Second, time.Minute),
		"retries":    d.retries(&c.Retries),
		"store":      d.section(func() fields { return d.store(&c.Store) }),
		"prometheus": d.section(func() fields { return d.prometheus(&c.Prometheus) }),
		"auths":      func(n ast.Node) { d.auths(n, c.Auths) },
		"directors":  func(n ast.Node) { directors = n },
	})
	if _, null := directors.(*ast.NullNode); directors == nil || null {
		return
	}
	d.below(".directors", func() {
		names := map[string]bool{}
		d.list(func(n ast.Node) { d.fleetDirector(n, c, names) })(directors)
	})
	slices.SortFunc(c.Directors, func(a, b FleetDirector) int { return strings.Compare(a.Name, b.Name) })
}

// retries decodes a number of which zero means never.
func (d *decoder) retries(dst *int) func(ast.Node) {
	return func(n ast.Node) {
		if integer(d, dst, 0, 10)(n); *dst == 0 {
			*dst = -1
		}
	}
}

// parseListen checks an address to listen at.
func parseListen(s string) (string, error) {
	if _, _, err := net.SplitHostPort(s); err != nil {
		return "", fmt.Errorf("%q; want ADDRESS:PORT, as :10588 or \"[::1]:10588\"", clip(s))
	}
	return s, nil
}

// auths decodes the ways to ask.
func (d *decoder) auths(n ast.Node, auths map[string]snmp.Auth) {
	if _, null := n.(*ast.NullNode); null {
		return
	}
	d.entries(n, func(name string, keyNode, value ast.Node) {
		d.below("."+name, func() {
			a, broken := snmp.Auth{}, len(d.errs)
			var version uint8
			given := d.mapping(value, fields{
				"version":        integer(d, &version, 1, 3),
				"community":      d.text(&a.Community),
				"username":       d.text(&a.Username),
				"security_level": d.text(&a.SecurityLevel),
				"auth_protocol":  d.text(&a.AuthProtocol),
				"auth_password":  d.text(&a.AuthPassword),
				"password":       d.text(&a.AuthPassword),
				"priv_protocol":  d.text(&a.PrivProtocol),
				"priv_password":  d.text(&a.PrivPassword),
			})
			if given["password"] != nil && given["auth_password"] != nil {
				d.errorAt(given["password"], "password", "the same as auth_password; want one of them")
			}
			a.Version = int(version)
			if err := a.Check(); err != nil && len(d.errs) == broken {
				d.errorAt(keyNode, "", strings.ReplaceAll(err.Error(), "\n", "; "))
			}
			auths[name] = a
		})
	})
}

// fleetDirector decodes one of directors.
func (d *decoder) fleetDirector(n ast.Node, c *Fleet, names map[string]bool) {
	one := FleetDirector{Auth: DefaultAuth, Module: snmp.Director, Interval: c.Interval}
	given := d.mapping(n, fields{
		"name":     parsed(d, &one.Name, parseDirectorName),
		"target":   parsed(d, &one.Target, parseTarget),
		"auth":     d.text(&one.Auth),
		"module":   parsed(d, &one.Module, snmp.ParseModule),
		"interval": d.duration(&one.Interval, time.Second, time.Hour),
	})
	if given["target"] == nil {
		d.errorAt(n, "target", "missing; want HOST or HOST:PORT")
	}
	if _, known := c.Auths[one.Auth]; !known && given["auth"] != nil {
		d.errorAt(given["auth"], "auth", fmt.Sprintf("%q is not among auths; there are %s", clip(one.Auth), alternatives(slices.Sorted(maps.Keys(c.Auths)))))
	}
	if given["name"] == nil {
		one.Name, _ = parseDirectorName(one.Target)
		if one.Name == "" && one.Target != "" {
			d.errorAt(n, "name", "missing; the target cannot serve as one")
		}
	}
	if names[one.Name] && one.Name != "" {
		d.errorAt(n, "name", fmt.Sprintf("%q is the name of another director", clip(one.Name)))
	}
	names[one.Name] = true
	c.Directors = append(c.Directors, one)
}

// parseDirectorName checks a name, which is also a directory's.
func parseDirectorName(s string) (string, error) {
	ok := s != "" && len(s) <= 200 && s[0] != '.' && s[0] != '-'
	for _, r := range s {
		ok = ok && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-:", r))
	}
	if !ok {
		return "", fmt.Errorf("%q; want a name of letters, digits and . _ - : that begins with a letter or digit", clip(s))
	}
	return s, nil
}

func parseTarget(s string) (string, error) {
	if _, err := snmp.New(snmp.Config{Target: s}); err != nil {
		return "", fmt.Errorf("%q; want HOST or HOST:PORT", clip(s))
	}
	return s, nil
}
