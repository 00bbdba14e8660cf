package config

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"

	"lvs/dataplane"
)

// Names are what services and real servers are called. The zero Names calls
// none. It is immutable, and so safe for concurrent use.
type Names struct {
	m map[object]string
}

// An object is a service, or with a RIP one of its real servers.
type object struct {
	service dataplane.ServiceKey
	rip     netip.AddrPort
}

// Name is what a service and one of its real servers are called, empty where
// they have no name. The zero RIP asks for the service alone.
func (n Names) Name(key dataplane.ServiceKey, rip netip.AddrPort) (service, real string) {
	service = n.m[object{service: key}]
	if rip.IsValid() {
		real = n.m[object{key, rip}]
	}
	return service, real
}

// Len is how many things have a name.
func (n Names) Len() int { return len(n.m) }

// A named is a name as the file gives it.
type named struct {
	object
	name string
	node ast.Node
	path string
}

type namesSection struct{ list []named }

// names decodes names:, which maps a service's key to its name, or to a mapping
// of its name and those of its real servers.
func (d *decoder) names(n ast.Node, s *namesSection) {
	if _, null := n.(*ast.NullNode); null {
		return
	}
	d.entries(n, func(text string, keyNode, value ast.Node) {
		d.below("["+text+"]", func() {
			key, err := parseKey(text)
			if err != nil {
				d.errorAt(keyNode, "", err.Error())
				return
			}
			if _, plain := value.(*ast.StringNode); plain {
				d.name(value, object{service: key}, &s.list)
				return
			}
			d.mapping(value, fields{
				"name":         func(n ast.Node) { d.name(n, object{service: key}, &s.list) },
				"real_servers": func(n ast.Node) { d.realNames(n, key, s) },
			})
		})
	})
}

func (d *decoder) realNames(n ast.Node, key dataplane.ServiceKey, s *namesSection) {
	d.entries(n, func(text string, keyNode, value ast.Node) {
		d.below("["+text+"]", func() {
			rip, err := dataplane.ParseRIP(text)
			if err != nil {
				d.errorAt(keyNode, "", err.Error())
				return
			}
			d.name(value, object{key, rip}, &s.list)
		})
	})
}

// name decodes the name of an object.
func (d *decoder) name(n ast.Node, o object, list *[]named) {
	var name string
	d.text(&name)(n)
	if name == "" {
		return
	}
	if err := checkName(name, o); err != nil {
		d.errorAt(n, "", fmt.Sprintf("%q: %v", clip(name), err))
		return
	}
	*list = append(*list, named{o, name, n, strings.Join(d.path, "")})
}

// maxName is what a name may be long, in bytes: a label, a column and an SNMP
// string of 255 octets all hold it.
const maxName = 64

// checkName refuses what would be mistaken for something else: names stand where
// keys and addresses do.
func checkName(name string, o object) error {
	if len(name) > maxName {
		return fmt.Errorf("a name has at most %d bytes", maxName)
	}
	if strings.TrimFunc(name, unicode.IsSpace) != name {
		return errors.New("a name neither begins nor ends with a space")
	}
	if _, err := dataplane.ParseServiceKey(name); err == nil {
		return errors.New("a name may not be the key of a service")
	}
	if _, err := dataplane.ParseRIP(name); err == nil && o.rip.IsValid() {
		return errors.New("a name may not be an address")
	}
	return nil
}

// buildNames joins the names of both sections: everything is named once, and no
// two services, nor two real servers of one service, alike.
func (d *decoder) buildNames(s *namesSection, run *directorSection) Names {
	type scope struct {
		service dataplane.ServiceKey // zero for names of services
		name    string
	}
	names, taken := map[object]string{}, map[scope]object{}
	path := d.path
	defer func() { d.path = path }()
	for _, n := range append(run.names, s.list...) {
		d.path = []string{n.path}
		sc := scope{name: n.name}
		if n.rip.IsValid() {
			sc.service = n.service
		}
		if have, twice := names[n.object]; twice {
			d.errorAt(n.node, "", fmt.Sprintf("%q: it is named %q already", n.name, have))
			continue
		}
		if other, twice := taken[sc]; twice {
			what := other.service.String()
			if other.rip.IsValid() {
				what = other.rip.String()
			}
			d.errorAt(n.node, "", fmt.Sprintf("%q is the name of %s already", n.name, what))
			continue
		}
		names[n.object], taken[sc] = n.name, n.object
	}
	return Names{names}
}
