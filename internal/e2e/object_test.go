package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"lvs/mib"
)

// An objectType is an object type of a MIB as its text has it.
type objectType struct {
	name, oid string // the oid with a dot in front
	table     string // empty for a scalar
	syntax    string
}

// objects are the object types of both MIBs that have instances, in the order of
// a walk.
var objects = sync.OnceValue(func() (list []objectType) {
	for _, o := range mib.Objects() {
		list = append(list, objectType{o.Name, "." + o.OID.String(), o.Table, o.Syntax})
	}
	return list
})

// An object is one of the JSON document, with its numbers as they are written.
type object = map[string]any

// parseObject reads a document.
func parseObject(text []byte) (object, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	o := object{}
	if err := d.Decode(&o); err != nil {
		return nil, err
	}
	return o, nil
}

// A place is where in the document the variables of one row are from: the row's
// own object, and the service's of a real server. Of scalars, the row is the
// document.
type place struct {
	doc, service, row object
	index             string
}

// get is what is at a path: members with dots between, from the row or, with a
// slash in front, from the document. Nil is not there.
func (p place) get(path string) any {
	from, rooted := strings.CutPrefix(path, "/")
	at := any(p.row)
	if rooted {
		at = any(p.doc)
	}
	for member := range strings.SplitSeq(from, ".") {
		o, ok := at.(object)
		if !ok {
			return nil
		}
		at = o[member]
	}
	return at
}

// number is an unsigned number; not there is not ok.
func (p place) number(path string) (n uint64, ok bool) {
	v, ok := p.get(path).(json.Number)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(v.String(), 10, 64)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", path, err))
	}
	return n, true
}

// text is a string, empty where it is not there.
func (p place) text(path string) string {
	s, _ := p.get(path).(string)
	return s
}

// time is a time, zero where it is not there.
func (p place) time(path string) time.Time {
	s := p.text(path)
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", path, err))
	}
	return t
}

// list is an array of objects.
func (p place) list(path string) (list []object) {
	array, _ := p.get(path).([]any)
	for _, o := range array {
		list = append(list, o.(object))
	}
	return list
}

// places are the rows of a table in the document; of no table, the document's.
func places(doc object, table string) (list []place) {
	top := place{doc: doc, row: doc, index: "0"}
	switch {
	case table == "":
		return []place{top}
	case table == "lvsdServerTable":
		for _, s := range top.list("servers") {
			list = append(list, place{doc: doc, row: s, index: addressIndex(s["address"].(string))})
		}
		return list
	case table == "lvsdAgentResetTable":
		for i := range resetReasons {
			list = append(list, place{doc: doc, row: doc, index: fmt.Sprint(i + 1)})
		}
		return list
	}
	reals := table == "lvsRealTable" || table == "lvsdRealTable"
	for _, s := range top.list("services") {
		service := place{doc: doc, service: s, row: s, index: fmt.Sprint(s["number"])}
		switch {
		case service.index == "0": // it has no row, and so have its real servers
		case !reals:
			list = append(list, service)
		default:
			for _, r := range service.list("real_servers") {
				list = append(list, place{doc: doc, service: s, row: r, index: service.index + "." + fmt.Sprint(r["number"])})
			}
		}
	}
	return list
}

// addressIndex is an InetAddressType and an InetAddress as an index (RFC 2578
// §7.7): the type, the length, and every octet.
func addressIndex(text string) string {
	octets := netip.MustParseAddr(text).AsSlice()
	arcs := []string{"1", fmt.Sprint(len(octets))}
	if len(octets) == 16 {
		arcs[0] = "2"
	}
	for _, b := range octets {
		arcs = append(arcs, fmt.Sprint(b))
	}
	return strings.Join(arcs, ".")
}

// A rule tells what a variable is by the document; not ok is that there is none.
type rule func(place) (v variable, ok bool)

// expected are all variables of both MIBs by the document.
func expected(doc object) (map[string]variable, error) {
	m := map[string]variable{}
	for _, o := range objects() {
		r := rules[o.name]
		if r == nil {
			return nil, fmt.Errorf("nothing is known of %s", o.name)
		}
		for _, p := range places(doc, o.table) {
			if v, ok := r(p); ok {
				m[o.oid+"."+p.index] = v
			}
		}
	}
	return m, nil
}

// TestEveryObjectHasARule keeps the table of rules as long as the MIBs.
func TestEveryObjectHasARule(t *testing.T) {
	known := map[string]bool{}
	for _, o := range objects() {
		known[o.name] = true
		if rules[o.name] == nil {
			t.Errorf("nothing is known of %s", o.name)
		}
	}
	for name := range rules {
		if !known[name] {
			t.Errorf("%s is in no MIB", name)
		}
	}
	if len(known) < 200 {
		t.Errorf("both MIBs have %d object types only", len(known))
	}
}
