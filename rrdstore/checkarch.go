package rrdstore

import (
	"errors"
	"math"
	"slices"

	"lvs/rrdstore/chunk"
)

// An archChecker looks at the invariants of an arch.db:
//
//   - there is a level for raw rows as soon as there is any; its windows, and
//     those of tiers, are an hour, a day, a week or 364 days, or of a step that
//     divides none of them 168 rows; a tier's step divides its windows;
//   - of the levels that are fed each step is a multiple of the one before, and
//     all are of the step of data points;
//   - frontiers and windows begin at multiples of the level's span;
//   - an identity is one entity, and every slot in use belongs to one;
//   - a source has one number, and columns are of sources that are known;
//   - a superchunk of raw rows has ticks of its window, one of a tier all rows of
//     it, made of data points whose step divides the tier's;
//   - every slot decodes; in a row of a tier are no more data points than fit,
//     the least is no more than the greatest, and mean and last are between.
type archChecker struct {
	*verifier
	problem func(format string, args ...any)
	records []archiveRecord
	catalog
	begun bool
	raw   chunk.Raw // memory
	tier  chunk.Tier
}

// begin looks at the catalog, all records of which have come. It is called
// before the first superchunk and at the end, for there may be none.
func (c *archChecker) begin() {
	if c.begun || len(c.records) == 0 {
		return
	}
	c.begun = true
	var err error
	if c.catalog, err = parseCatalog(c.records); err != nil || c.damaged > 0 {
		return // reported already
	}
	entities, sources, tiers := 0, 0, 0
	for _, r := range c.records {
		switch r.bucket {
		case bucketEntity:
			entities++
		case bucketSource:
			sources++
		case bucketTier:
			tiers++
		}
	}
	if entities != len(c.entities) {
		c.problem("%d entities are %d identities", entities, len(c.entities))
	}
	if known := sources + len(standardSources) + 1; known != len(c.sources) || known != len(c.byID) {
		c.problem("%d sources have %d names and %d numbers", known, len(c.sources), len(c.byID))
	}
	for _, e := range c.entities {
		if err := e.id.check(); err != nil {
			c.problem("entity %d: %v", e.aid, err)
		}
	}
	if tiers != len(c.levels) {
		c.problem("%d levels are stored, %d make sense", tiers, len(c.levels))
	}
	c.checkLevels()
}

func (c *archChecker) checkLevels() {
	if len(c.levels) > 0 && c.step == 0 {
		c.problem("the step of data points is not told")
		return
	}
	before := c.step
	for i, l := range c.levels {
		if (i == 0) != (l.step == 0) {
			c.problem("level %d has step %d", i, l.step)
		}
		if !slices.Contains(spans[:], l.span) && l.span != 168*l.step || l.step != 0 && l.span%l.step != 0 {
			c.problem("windows of step %d are %d s", l.step, l.span)
		}
		if l.frontier%l.span != 0 {
			c.problem("step %d is complete until %d, within a window of %d s", l.step, l.frontier, l.span)
		}
		if l.step != 0 && l.fed {
			if l.step%before != 0 {
				c.problem("step %d is no multiple of %d", l.step, before)
			}
			before = l.step
		}
	}
}

// chunk looks at a superchunk.
func (c *archChecker) chunk(k chunkKey, b *chunk.Block) error {
	c.begin()
	l := c.level(k.step)
	if l == nil {
		c.problem("window %d is of step %d, which is no level", k.window, k.step)
		return nil
	}
	switch {
	case k.window%l.span != 0:
		c.problem("window %d of step %d begins within one of %d s", k.window, k.step, l.span)
	case b.Start != k.window || b.Step != k.step:
		c.problem("block %d of window %d, step %d: it is of window %d, step %d", k.block, k.window, k.step, b.Start, b.Step)
		return nil
	case k.step == 0 && (b.Rows == 0 || b.Ticks[b.Rows-1]-k.window >= l.span):
		c.problem("block %d of window %d has %d ticks, some later than it", k.block, k.window, b.Rows)
	case k.step != 0 && (b.Rows != int(l.span/l.step) || b.PDP == 0 || b.Step%b.PDP != 0):
		c.problem("block %d of window %d, step %d: %d rows of data points of %d s", k.block, k.window, k.step, b.Rows, b.PDP)
		return nil
	}
	for slot := range chunk.Slots {
		if !b.Has(slot) {
			continue
		}
		if c.byAID[k.block*chunk.Slots+uint32(slot)] == nil {
			c.problem("slot %d of block %d of window %d, step %d: there is no such entity", slot, k.block, k.window, k.step)
		}
		v, err := b.Slot(slot)
		if err == nil {
			err = c.slot(b, v)
		}
		if err != nil {
			return c.chunkError(k, err)
		}
	}
	return nil
}

// slot looks at the rows of an entity.
func (c *archChecker) slot(b *chunk.Block, v []byte) error {
	known := func(source uint16) {
		if _, ok := c.byID[source]; !ok {
			c.problem("window %d, step %d: there is no source %d", b.Start, b.Step, source)
		}
	}
	if b.Step == 0 {
		err := c.raw.Parse(v, b.Rows, nil)
		for i := range c.raw.Columns {
			known(c.raw.Columns[i].Source)
		}
		return err
	}
	err := c.tier.Parse(v, b.Rows, b.Step/b.PDP, chunk.AllParts, nil)
	if err != nil {
		return err
	}
	for i := range c.tier.Columns {
		col := &c.tier.Columns[i]
		known(col.Source)
		for row, n := range col.Known {
			if why := implausible(n, col.Sum[row], col.Min[row], col.Max[row], col.Last[row]); why != nil {
				c.problem("window %d, step %d, source %d, row %d: %v", b.Start, b.Step, col.Source, row, why)
			}
		}
	}
	return nil
}

// implausible says what is wrong with the parts of a row, of which those that
// are NaN are unknown.
func implausible(n uint32, sum, least, most, last float64) error {
	mean := sum / float64(n)
	switch {
	case n == 0:
		return nil
	case exceeds(least, most):
		return errors.New("its least is more than its greatest")
	case exceeds(least, mean) || exceeds(mean, most):
		return errors.New("its mean is not between its least and its greatest")
	case exceeds(least, last) || exceeds(last, most):
		return errors.New("its last is not between its least and its greatest")
	}
	return nil
}

// exceeds reports whether both are known and a is more than b, by more than sums
// are off that were rounded many times.
func exceeds(a, b float64) bool { return a-b > 1e-9*max(math.Abs(a), math.Abs(b)) }
