package main

import "strconv"

// A cdef is a calculation, by its stable name; the zero cdef is none.
//
// Cacti gives every data source of a graph a letter, in the order of the items
// that use it, and knows no better way to name a second source in a calculation:
// "a" is the first item's, "b" the second's. The graphs that need it begin with
// hidden items in that order, each of which uses one source once.
type cdef string

const (
	bits           cdef = "bits"
	negative       cdef = "negative"
	negativeBits   cdef = "negative_bits"
	perFirst       cdef = "per_first"
	perSecond      cdef = "per_second"
	negativeSecond cdef = "negative_per_second"
)

// A term is one element of a calculation in reverse Polish notation, as Cacti
// stores it: special data sources, text, and operators by their number.
type term struct{ kind, value string }

var (
	current  = term{"4", "CURRENT_DATA_SOURCE"}
	multiply = term{"2", "3"}
	divide   = term{"2", "4"}
)

func text(s string) term { return term{"6", s} }

// calculations are the cdefs of the pack. Those that Cacti itself comes with are
// not used: an operator may have changed or deleted them.
var calculations = []struct {
	name  cdef
	title string
	terms []term
}{
	{bits, "LVS - Bytes to bits", []term{current, text("8"), multiply}},
	{negative, "LVS - Below the axis", []term{current, text("-1"), multiply}},
	{negativeBits, "LVS - Bytes to bits, below the axis", []term{current, text("-8"), multiply}},
	{perFirst, "LVS - Per unit of the first item", []term{current, text("a"), divide}},
	{perSecond, "LVS - Per unit of the second item", []term{current, text("b"), divide}},
	{negativeSecond, "LVS - Per unit of the second item, below the axis", []term{current, text("b"), divide, text("-1"), multiply}},
}

func (c cdef) id() string {
	if c == "" {
		return "0"
	}
	return id(cdefID, string(c))
}

func (t *template) cdefs() {
	for _, c := range calculations {
		t.in(c.name.id(), func() {
			t.leaf("name", c.title)
			t.in("items", func() {
				for i, term := range c.terms {
					n := strconv.Itoa(i + 1)
					t.in(id(cdefItem, string(c.name), n), func() {
						t.leaf("sequence", n)
						t.leaf("type", term.kind)
						t.leaf("value", term.value)
					})
				}
			})
		})
	}
}
