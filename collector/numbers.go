package collector

// maxNumber is the greatest row number, that SNMP can show and the history keys
// its series with.
const maxNumber = 65535

// numbers gives out row numbers: the lowest never used, and when none is left,
// those given back, the one given back first to begin with. The zero numbers has
// given out none.
type numbers struct {
	used  uint32 // 1 to used were given out
	freed []uint16
}

// take returns a number, or 0 if all are in use.
func (n *numbers) take() uint32 {
	if n.used < maxNumber {
		n.used++
		return n.used
	}
	if len(n.freed) == 0 {
		return 0
	}
	f := n.freed[0]
	n.freed = n.freed[1:]
	return uint32(f)
}

// free gives a number back; zero is none.
func (n *numbers) free(number uint32) {
	if number != 0 {
		n.freed = append(n.freed, uint16(number))
	}
}

// adopt makes exactly those numbers taken that held has. What is not among them
// has been forgotten before the agent started, and counts as given back first.
func (n *numbers) adopt(held map[uint32]bool) {
	for number := range held {
		n.used = max(n.used, number)
	}
	if n.used < maxNumber {
		return
	}
	for number := uint32(1); number <= maxNumber; number++ {
		if !held[number] {
			n.free(number)
		}
	}
}

// number gives the account its number, if it has none and there is one, and
// reports whether it did.
func (c *Continuity) number(a *account, n *numbers) bool {
	if a.Number != 0 {
		return false
	}
	if a.Number = n.take(); a.Number == 0 {
		c.unnumbered++
		return false
	}
	return true
}
