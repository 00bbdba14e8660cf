package main

import (
	"fmt"
	"strings"
)

// A document is XML on its way, indented by tabs as Cacti's own exports are.
// Cacti reads it into arrays by element name, where of two siblings of one name
// the first is lost: that is an error here.
type document struct {
	b     strings.Builder
	stack []map[string]bool // the names used so far in each open element
	path  []string
	err   error // the first one
}

var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// name takes note of an element's name and indents it.
func (d *document) name(s string) {
	if len(d.stack) == 0 {
		d.stack = append(d.stack, map[string]bool{})
	}
	used := d.stack[len(d.stack)-1]
	if used[s] && d.err == nil {
		d.err = fmt.Errorf("%s has two elements %s", strings.Join(d.path, "/"), s)
	}
	used[s] = true
	d.b.WriteString(strings.Repeat("\t", len(d.path)))
}

// in writes an element with whatever body writes into it.
func (d *document) in(name string, body func()) {
	d.name(name)
	d.path, d.stack = append(d.path, name), append(d.stack, map[string]bool{})
	d.b.WriteString("<" + name + ">\n")
	body()
	d.path, d.stack = d.path[:len(d.path)-1], d.stack[:len(d.stack)-1]
	d.b.WriteString(strings.Repeat("\t", len(d.path)) + "</" + name + ">\n")
}

// leaf writes an element with text.
func (d *document) leaf(name, text string) {
	d.name(name)
	d.b.WriteString("<" + name + ">" + escape.Replace(text) + "</" + name + ">\n")
}

// fixed writes a value that graphs and data sources take from their template,
// which is what the empty t_ element in front of it says.
func (d *document) fixed(name, text string) {
	d.leaf("t_"+name, "")
	d.leaf(name, text)
}

// numbered writes n elements that Cacti wants named by their place alone:
// item_000, item_001 and so on.
func (d *document) numbered(n int, body func(i int)) {
	for i := range n {
		d.in(fmt.Sprintf("item_%03d", i), func() { body(i) })
	}
}

// text is the document as a file, without anything that a reader of XML may
// leave out; it fails if two siblings have one name.
func (d *document) text() (string, error) { return d.b.String(), d.err }
