package agentx

import "lvs/mib/smi"

// gridRoot is where tests keep their tables.
var gridRoot = smi.MustParseOID("1.3.6.1.4.1.8225.4711.18")

// A grid is a conceptual table: columns 1..columns, rows indexed by two integers
// 1..groups and 1..per. All its cells change with salt, and a cell tells
// where it is from: column 1 holds salt.
type grid struct {
	columns, groups, per int
	salt                 uint64
}

func (g *grid) rows() int  { return g.groups * g.per }
func (g *grid) cells() int { return g.columns * g.rows() }

// name appends the name of cell k, columns first.
func (g *grid) name(dst smi.OID, k int) smi.OID {
	row := k % g.rows()
	return append(append(dst, gridRoot...), 1, uint32(k/g.rows()+1), uint32(row/g.per+1), uint32(row%g.per+1))
}

var gridTypes = [...]smi.Type{smi.Integer, smi.Counter64, smi.Counter32, smi.Gauge32, smi.OctetString, smi.IPAddress}

var gridOctets, gridAddress = []byte("octets"), []byte{192, 0, 2, 1}

// value is that of cell k. Bytes are the same for all, so that making one
// allocates nothing.
func (g *grid) value(k int) smi.Value {
	column := k / g.rows()
	if column == 0 {
		return smi.Value{Type: smi.Counter64, Int: g.salt}
	}
	v := smi.Value{Type: gridTypes[column%len(gridTypes)], Int: uint64(k)*1000 + g.salt}
	switch v.Type {
	case smi.Integer:
		v.Int = uint64(k)
	case smi.Counter64:
		v.Int += 1 << 40
	case smi.OctetString:
		v.Int, v.Bytes = 0, gridOctets
	case smi.IPAddress:
		v.Int, v.Bytes = 0, gridAddress
	}
	return v
}

// seek returns the first cell at or after name, and whether it is name itself.
func (g *grid) seek(name smi.OID) (k int, exact bool) {
	entry := len(gridRoot) + 1
	head := name[:min(len(name), entry-1)]
	if c := head.Compare(gridRoot[:len(head)]); c != 0 || len(name) < entry {
		if c > 0 {
			return g.cells(), false
		}
		return 0, false
	}
	if name[entry-1] != 1 {
		return min(int(name[entry-1]), 1) * g.cells(), false
	}
	for i, digit := range [...]struct{ n, size int }{{g.columns, g.rows()}, {g.groups, g.per}, {g.per, 1}} {
		if len(name) <= entry+i || name[entry+i] == 0 {
			return k, false
		}
		if int(name[entry+i]) > digit.n {
			return k + digit.n*digit.size, false
		}
		k += int(name[entry+i]-1) * digit.size
	}
	if len(name) > entry+3 {
		return k + 1, false
	}
	return k, true
}

func (g *grid) Get(name smi.OID) smi.Value {
	if k, exact := g.seek(name); exact {
		return g.value(k)
	}
	entry := len(gridRoot) + 1
	if len(name) > entry && name.HasPrefix(gridRoot) && name[entry-1] == 1 && name[entry]-1 < uint32(g.columns) {
		return smi.Value{Type: smi.NoSuchInstance}
	}
	return smi.Value{Type: smi.NoSuchObject}
}

func (g *grid) Next(dst, name smi.OID, include bool, end smi.OID) (smi.OID, smi.Value, bool) {
	k, exact := g.seek(name)
	if exact && !include {
		k++
	}
	if k >= g.cells() {
		return nil, smi.Value{}, false
	}
	next := g.name(dst[:0], k)
	if end != nil && next.Compare(end) >= 0 {
		return nil, smi.Value{}, false
	}
	return next, g.value(k), true
}
