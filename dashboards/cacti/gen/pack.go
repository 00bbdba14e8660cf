package main

// A pack is what Cacti imports in one go: the host template that a device is
// given when it is added, and all that belongs to it.
type pack struct {
	// file is the name of the template file; host, the stable name of the host
	// template.
	file, host, title string
	queries           []query
	// loose are the graphs of scalars, which need no data query.
	loose []looseGraph
}

// packs are all template files.
func packs() []pack {
	return []pack{{
		file: "cacti_host_template_lvs_director.xml", host: "lvs_director", title: "LVS Director",
		queries: []query{directorServices(), directorRealServers(), directorHosts(), lvsServices(), lvsRealServers()},
		loose:   directorGraphs(),
	}}
}

// A query is a data query: one SNMP table. Each of its rows may get every graph.
type query struct {
	// name is the stable one, and the stem of its file: "lvs_services".
	name, title, description string
	// index is the column that is walked for the rows; it must be readable. The
	// index of a row is the last sub-identifier or, where it is deep, as many as
	// there are behind the column.
	index string
	deep  bool
	// count is a scalar with the number of rows; where there is none, Cacti counts.
	count string
	// moved is a scalar that falls when rows come, go or change their names.
	moved string
	// order lists the fields that name a row, the best first. That one must be
	// unique and stay a row's own, because Cacti follows it.
	order   []string
	numeric bool // order is by number, not by alphabet
	inputs  []input
	// subject names a row in titles: "Service |query_lvsServiceNumber|".
	subject string
	stores  []store
	graphs  []graph
}

// An input is a field that tells what a row is.
type input struct {
	field string // the column's name in the MIB, and Cacti's name of the field
	title string
	// source is what is made of the value, in Cacti's words: "VALUE/TABLE:...".
	// Empty is the value itself; "index" is the row's index, without a column.
	source string
}

// A store is a data template: the values of a row that share one RRD file. Cacti
// drops a row of values unless all of them arrived, so that what may be absent
// for some rows is in a store of its own.
type store struct {
	name, title string
	sources     []source
}

// A source is one value in a store.
type source struct {
	name   string // of the RRD's data source, at most 19 characters
	column string // in the MIB
	kind   kind
}

// A kind says how RRDtool takes values, by Cacti's numbers.
type kind int

const (
	gauge kind = 1
	// derive is for counters. With a minimum of 0 it takes a fall of the counter
	// for what it is, unknown, whereas RRDtool's COUNTER takes every fall for a
	// wrap and draws a spike of 2^32 or 2^64. Where a Counter32 really wraps, which
	// those of the LVS-MIB do, one step is unknown; LVS-DIRECTOR-MIB has Counter64.
	derive kind = 3
)

// A graph is a graph template over one store. It must not need two: Cacti finds
// out that graphs of a row may share a data source only where each of them uses
// all of the store and nothing else, and would keep the same values twice.
type graph struct {
	name, title string
	vertical    string
	store       string // its stable name
	base        int    // 1000, or 1024
	items       []item
	// note is printed below the legend.
	note string
}

// A looseGraph is a graph of scalars, each in a store of its own. Of these Cacti
// shares nothing between graphs.
type looseGraph struct {
	graph
	scalars []store
}

// An item draws one source and prints its figures.
type item struct {
	source string
	label  string
	shape  shape
	colour string
	drawn  cdef // how the value is drawn
	told   cdef // how it is printed in the legend
}

// A shape is how an item is drawn, by Cacti's numbers.
type shape int

const (
	line  shape = 4
	area  shape = 7
	stack shape = 8
	// hidden items are printed only. They come first where others refer to them;
	// see cdef.
	hidden shape = 0
)

// Colours: incoming and outgoing are the same everywhere.
const (
	green  = "54A24B"
	blue   = "4C78A8"
	orange = "F58518"
	red    = "E45756"
	grey   = "9D9D9D"
	purple = "8E6C8A"
)
