package collector

import "lvs/dataplane"

// maxInterim bounds what is kept of an interim.
const maxInterim = 12

// An interim is what was read before the ledger told what it remembers: it is
// applied to that once it is known, so that totals which were served meanwhile
// go on from there and do not fall. Kept are the first sample, the last, and those
// in which counters began anew or an entry came or went, with the one before each:
// counters that have grown past what they were would not tell. Of too many the
// earlier are kept. Samples without counters are not: what they lack the next one has.
type interim struct {
	samples []*dataplane.Snapshot
	holds   bool // the last one is more than that: something happened in it
}

// keep takes a reading that nobody will change, and tells whether something
// happened since the one before.
func (i *interim) keep(src *dataplane.Snapshot, happened bool) {
	last := len(i.samples) - 1
	switch {
	case src.Partial:
	case last < 1, (happened || i.holds) && last+1 < maxInterim:
		i.samples, i.holds = append(i.samples, src), happened
	default:
		i.samples[last] = src
	}
}

// replay continues the accounts by what was kept, and returns how often counters
// are seen to have begun anew since the ledger's last sample.
func (i *interim) replay(c *Continuity) (resets [3]dataplane.ResetCounts) {
	for n, src := range i.samples {
		c.Apply(src, src.Time)
		if n == 0 {
			resets = c.resets
		}
	}
	i.samples = nil
	return resets
}
