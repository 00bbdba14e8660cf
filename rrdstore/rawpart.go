package rrdstore

import (
	"math"
	"slices"

	"lvs/rrdstore/chunk"
)

// A rawPart is raw rows of a block: what a superchunk of level 0 holds, or what
// the head has of the block's entities.
type rawPart struct {
	archived bool // it came from rawChunk
	ticks    []uint32
	beat     uint32 // the heartbeat when the superchunk was made
	slots    [chunk.Slots]*chunk.Raw
	series   [chunk.Slots]*Series // whose the slots are, where somebody asked
	// full are the rows of slots that add fills, and expected about how many come.
	full     [chunk.Slots]*building
	expected int
	columns  []uint64 // memory of finish
	// decoded is memory that slots were decoded into, to be used again.
	decoded [chunk.Slots]*chunk.Raw
}

// rawChunk decodes a superchunk's slots of picked entities, all where picked is
// nil. What does not decode is counted and left out; nil is nothing at all.
func (r *Reader) rawChunk(k chunkKey, v []byte, picked map[uint32]*Series, want func(uint16) bool) *rawPart {
	b, err := chunk.Parse(k.place(), v)
	if err != nil || b.Step != 0 {
		r.damaged++
		return nil
	}
	p := new(rawPart)
	if n := len(r.spare); n > 0 {
		p, r.spare = r.spare[n-1], r.spare[:n-1]
	}
	p.archived, p.ticks, p.beat = true, b.Ticks, b.PDP
	for i := range chunk.Slots {
		s := picked[k.block*chunk.Slots+uint32(i)]
		if picked != nil && s == nil || !b.Has(i) {
			continue
		}
		raw := p.decoded[i]
		if raw == nil {
			raw = new(chunk.Raw)
			p.decoded[i] = raw
		}
		slot, err := b.Slot(i)
		if err == nil {
			err = raw.Parse(slot, len(p.ticks), want)
		}
		if err != nil {
			r.damaged++
			continue
		}
		p.slots[i], p.series[i] = raw, s
	}
	return p
}

// release lets parts that came from rawChunk be decoded into again.
func (r *Reader) release(parts []*rawPart) {
	for _, p := range parts {
		if !p.archived {
			continue // it holds nothing that is of use to a superchunk
		}
		clear(p.slots[:])
		clear(p.series[:])
		r.spare = append(r.spare, p)
	}
}

// entries adds what the part has of its tick i to a row. Columns are walked in
// order: it is called with rising i, and cursors keep the place.
func (p *rawPart) entries(i int, row *Row, byID map[uint16]Source) {
	for slot, raw := range p.slots {
		if raw == nil {
			continue
		}
		e := Entry{Series: p.series[slot], Reset: raw.Resets.Has(i)}
		any := false
		for c := range raw.Columns {
			col := &raw.Columns[c]
			if v, has := columnValue(col, i); has {
				any = true
				e.set(col.Source, v, byID)
			}
		}
		switch {
		case !any:
		case e.Series.IsDirector():
			row.director(&e)
		default:
			row.Entries = append(row.Entries, e)
		}
	}
}

// columnValue is a column's update at tick i, if it has one.
func columnValue(col *chunk.RawColumn, i int) (v Value, has bool) {
	if col.Has != nil && !col.Has.Has(i) {
		return Value{}, false
	}
	if col.Unknown.Has(i) {
		return Value{}, true
	}
	at := col.Values(i)
	if col.Uints != nil {
		return UintValue(col.Uints[at]), true
	}
	// One fraction makes numbers of a column's integers: they are integers still.
	if f := col.Floats[at]; f >= 0 && f < 1<<53 && f == math.Trunc(f) {
		return UintValue(uint64(f)), true
	}
	return FloatValue(col.Floats[at]), true
}

// director takes over what a row has of the director.
func (row *Row) director(e *Entry) {
	row.Total, row.HasStats = e.Total, e.Known&knownCounters == knownCounters
	row.Connections, row.HasConnections = e.Active, e.Has(len(counterOrder))
	row.Others = e.Others
	for i, s := range standardSources {
		if e.Has(i) && !row.tells(i) {
			row.Others = append(row.Others, SourceValue{s, UintValue(*e.field(i))})
		}
	}
}

// tells reports whether Total and Connections tell a standard source of the
// director.
func (row *Row) tells(i int) bool {
	return row.HasStats && i < len(counterOrder) || row.HasConnections && i == len(counterOrder)
}

// set makes v the entry's value of a source.
func (e *Entry) set(source uint16, v Value, byID map[uint16]Source) {
	if u, ok := v.Uint(); ok && int(source) < len(standardSources) {
		e.Known |= 1 << source
		*e.field(int(source)) = u
	} else if s, ok := byID[source]; ok { // its record may be damaged
		e.Others = append(e.Others, SourceValue{s, v})
	}
}

// field is where an entry keeps a standard source.
func (e *Entry) field(i int) *uint64 {
	return [...]*uint64{
		&e.Total.Connections, &e.Total.InPackets, &e.Total.OutPackets, &e.Total.InBytes, &e.Total.OutBytes,
		&e.Active, &e.Inactive, &e.Persistent, &e.Weight,
	}[i]
}

// begin adds a tick.
func (p *rawPart) begin(tick uint32) { p.ticks = append(p.ticks, tick) }

// A building is a slot's rows as they come. Counters are known together, and so
// are gauges. They are kept as rows, and made columns of at the end, so that a row
// is written to one place in memory.
type building struct {
	rows []values // of the ticks that have counters or gauges
	// ragged: counters or gauges are missing at some tick, and sets tell where
	// they are. Until then rows has a row for each tick.
	ragged           bool
	counters, gauges chunk.Bits
	width            int // how many gauges are known where any is, the first ones
	resets           chunk.Bits
	raw              chunk.Raw // what finish makes of it
}

// add stores what the last tick begun has in a slot: counters if they are known,
// and the first of the gauges.
func (p *rawPart) add(slot int, v *values, counters bool, gauges int, reset bool) {
	b := p.full[slot]
	if b == nil {
		b = newBuilding(max(p.expected, len(p.ticks)))
		p.full[slot] = b
	}
	i := len(p.ticks) - 1
	if reset {
		setBit(&b.resets, i)
	}
	if !b.ragged {
		if counters && gauges > 0 && len(b.rows) == i {
			b.rows, b.width = append(b.rows, *v), gauges
			return
		}
		b.rag()
	}
	if !counters && gauges == 0 {
		return
	}
	b.rows = append(b.rows, *v)
	if counters {
		setBit(&b.counters, i)
	}
	if gauges > 0 {
		setBit(&b.gauges, i)
		b.width = gauges
	}
}

// rag makes sets of what every tick had so far.
func (b *building) rag() {
	b.ragged = true
	for i := range b.rows {
		setBit(&b.counters, i)
		setBit(&b.gauges, i)
	}
}

// newBuilding has room for so many ticks.
func newBuilding(ticks int) *building {
	sets := chunk.NewBits(2 * (ticks + 63))
	half := len(sets) / 2
	return &building{rows: make([]values, 0, ticks), counters: sets[:0:half], gauges: sets[half:half]}
}

// Where rows keep the standard sources.
var (
	counterOrder = [...]int{valueConnections, valueInPackets, valueOutPackets, valueInBytes, valueOutBytes}
	gaugeOrder   = [...]int{valueActive, valueInactive, valuePersistent, valueWeight}
)

// setBit is Set in a set that grows.
func setBit(b *chunk.Bits, i int) {
	for i/64 >= len(*b) {
		*b = append(*b, 0)
	}
	b.Set(i)
}

// finish makes columns of what was added: none without a value, and no bitmap
// where every tick has one.
func (p *rawPart) finish() {
	need := 0
	for _, b := range p.full {
		if b != nil && len(b.rows) > 0 {
			need += (len(counterOrder) + b.width) * len(p.ticks)
		}
	}
	if len(p.columns) < need {
		p.columns = make([]uint64, need)
	}
	left := p.columns
	for slot, b := range p.full {
		if b == nil || len(b.rows) == 0 {
			continue
		}
		if !b.ragged && len(b.rows) < len(p.ticks) {
			b.rag()
		}
		raw := &b.raw
		raw.Resets, raw.Columns = b.resets, slices.Grow(raw.Columns[:0], int(numValues))
		var all [numValues][]uint64
		columns := all[:len(counterOrder)+b.width]
		for c := range columns {
			columns[c], left = left[:len(p.ticks)], left[len(p.ticks):]
		}
		counters, gauges := b.transpose(columns, len(p.ticks))
		for c, v := range columns {
			has, n := b.counters, counters
			if c >= len(counterOrder) {
				has, n = b.gauges, gauges
			}
			if n == len(p.ticks) {
				has = nil
			}
			if n > 0 {
				raw.Columns = append(raw.Columns, chunk.RawColumn{Source: uint16(c), Uints: v[:n:n], Has: has})
			}
		}
		p.slots[slot] = raw
	}
}

// transpose writes the rows into columns, each of which has room for all ticks, and
// returns how many values those of counters and of gauges have.
func (b *building) transpose(columns [][]uint64, ticks int) (counters, gauges int) {
	if !b.ragged {
		b.transposeAll(columns)
		return ticks, ticks
	}
	at := 0
	for i := range ticks {
		hasCounters, hasGauges := b.counters.Has(i), b.gauges.Has(i)
		if !hasCounters && !hasGauges {
			continue
		}
		v := &b.rows[at]
		at++
		if hasCounters {
			for c, from := range counterOrder {
				columns[c][counters] = v[from]
			}
			counters++
		}
		if hasGauges {
			for c, from := range gaugeOrder[:b.width] {
				columns[len(counterOrder)+c][gauges] = v[from]
			}
			gauges++
		}
	}
	return counters, gauges
}

// transposeAll is transpose where nothing is missing.
func (b *building) transposeAll(columns [][]uint64) {
	for c, column := range columns {
		from := 0
		if c < len(counterOrder) {
			from = counterOrder[c]
		} else {
			from = gaugeOrder[c-len(counterOrder)]
		}
		column = column[:len(b.rows)]
		for i := range b.rows {
			column[i] = b.rows[i][from]
		}
	}
}
