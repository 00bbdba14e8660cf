package rrdstore

import (
	"math"

	"lvs/rrdstore/chunk"
)

// A group is series that are read together: entities of one block, or some that
// the archive does not know yet.
type group struct {
	block  uint32
	known  bool // in the archive
	series map[int]*Series
	picked map[uint32]*Series // by archive number
}

func newGroup(block uint32) *group {
	return &group{
		block: block, known: block != math.MaxUint32,
		series: make(map[int]*Series), picked: make(map[uint32]*Series),
	}
}

// groupsOf puts the series of a block together, and those that the archive does
// not know yet as they come.
func groupsOf(series []*Series) (all []*group) {
	byBlock := make(map[uint32]*group)
	var unknown *group
	for _, s := range series {
		if s.entity == nil {
			if unknown == nil || len(unknown.series) == chunk.Slots {
				unknown = newGroup(math.MaxUint32)
				all = append(all, unknown)
			}
			unknown.add(len(unknown.series), s)
			continue
		}
		block, slot := blockOf(s.entity.aid)
		g := byBlock[block]
		if g == nil {
			g = newGroup(block)
			byBlock[block] = g
			all = append(all, g)
		}
		g.add(slot, s)
	}
	return all
}

func (g *group) add(slot int, s *Series) {
	g.series[slot] = s
	if s.entity != nil {
		g.picked[s.entity.aid] = s
	}
}
