package agent

import (
	"slices"
	"sync"

	"lvs/mib/smi"
)

// A view is everything managers may see of one tree: the system group and the
// subtrees below the roots. What the tree has elsewhere is not there.
type view struct {
	parts []part // in the order of their roots

	narrow sync.Once
	wide   []span
}

// A part is a subtree and the tree that answers for it.
type part struct {
	root, end smi.OID // end is the first name behind it
	tree      smi.Tree
}

// A span is a run of Counter64 variables, which SNMPv1 does not see.
type span struct{ last, after smi.OID }

// newView shows system, and tree, unless it is nil, below roots.
func newView(system, tree smi.Tree, roots []smi.OID) *view {
	v := &view{parts: []part{{root: systemRoot, tree: system}}}
	for _, root := range roots {
		if tree == nil {
			tree = nothing{}
		}
		v.parts = append(v.parts, part{root: root, tree: tree})
	}
	slices.SortFunc(v.parts, func(a, b part) int { return a.root.Compare(b.root) })
	for i := range v.parts {
		v.parts[i].end = behind(v.parts[i].root)
	}
	return v
}

// nothing is a tree without variables.
type nothing struct{}

func (nothing) Get(smi.OID) smi.Value { return smi.Value{Type: smi.NoSuchObject} }

func (nothing) Next(dst, _ smi.OID, _ bool, _ smi.OID) (smi.OID, smi.Value, bool) {
	return dst[:0], smi.Value{Type: smi.EndOfMIBView}, false
}

// behind is the first name that is not root's nor below it, and nil where there
// is none.
func behind(root smi.OID) smi.OID {
	for n := len(root); n > 0; n-- {
		if end := slices.Clone(root[:n]); end[n-1]+1 != 0 {
			end[n-1]++
			return end
		}
	}
	return nil
}

// inside reports whether name is in the view, whether there is a variable or not.
func (v *view) inside(name smi.OID) bool {
	return slices.ContainsFunc(v.parts, func(p part) bool { return name.HasPrefix(p.root) })
}

// Get implements [smi.Tree].
func (v *view) Get(name smi.OID) smi.Value {
	for i := range v.parts {
		if name.HasPrefix(v.parts[i].root) {
			return v.parts[i].tree.Get(name)
		}
	}
	return smi.Value{Type: smi.NoSuchObject}
}

// Next implements [smi.Tree]; dst must not be name's own memory.
func (v *view) Next(dst, name smi.OID, include bool, end smi.OID) (smi.OID, smi.Value, bool) {
	for i := range v.parts {
		p := &v.parts[i]
		if !name.HasPrefix(p.root) {
			if name.Compare(p.root) > 0 {
				continue // behind all of it
			}
			name, include = p.root, true
		}
		bound := p.end
		if end != nil && (bound == nil || end.Compare(bound) < 0) {
			bound = end
		}
		if next, value, ok := p.tree.Next(dst, name, include, bound); ok {
			return next, value, true
		}
	}
	return dst[:0], smi.Value{Type: smi.EndOfMIBView}, false
}

// nextNarrow is Next for SNMPv1, which has no Counter64: they are passed over
// (RFC 3584 §4.2.2.1). A table may have columns of tens of thousands of them, so
// where each run of them ends is found out once, and not by every request.
func (v *view) nextNarrow(dst, name smi.OID) (smi.OID, smi.Value, bool) {
	next, value, ok := v.Next(dst, name, false, nil)
	if !ok || value.Type != smi.Counter64 {
		return next, value, ok
	}
	v.narrow.Do(v.findWide)
	i, _ := slices.BinarySearchFunc(v.wide, next, func(s span, o smi.OID) int { return s.last.Compare(o) })
	if i >= len(v.wide) || v.wide[i].after == nil {
		return next[:0], smi.Value{Type: smi.EndOfMIBView}, false
	}
	after := v.wide[i].after
	return append(next[:0], after...), v.Get(after), true
}

// findWide fills v.wide.
func (v *view) findWide() {
	var name, spare smi.OID
	open := false // the last span goes on
	for {
		next, value, ok := v.Next(spare, name, false, nil)
		switch {
		case !ok:
			return
		case value.Type == smi.Counter64 && open:
			s := &v.wide[len(v.wide)-1]
			s.last = append(s.last[:0], next...)
		case value.Type == smi.Counter64:
			v.wide = append(v.wide, span{last: slices.Clone(next)})
			open = true
		case open:
			v.wide[len(v.wide)-1].after = slices.Clone(next)
			open = false
		}
		name, spare = next, name
	}
}
