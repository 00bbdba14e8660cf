package web

import (
	"strconv"
	"strings"

	"lvs/dataplane"
)

// A Fact is one of the details on a service's page.
type Fact struct {
	Name string
	Cell
}

// Facts are what the table has no column for, and its totals to the last digit.
func (r *Row) Facts() []Fact {
	var list []Fact
	add := func(name string, c Cell) { list = append(list, Fact{name, c}) }
	if n := r.Label(); n != "" {
		add("Name", Cell{Text: n})
	}
	a := r.account()
	if !r.Gone {
		if r.Real == nil {
			r.serviceFacts(add)
		} else {
			r.realFacts(add)
		}
		add("Peak", exactly(a.Peak, "connections at once"))
	}
	if !r.Gone || a.Changes > 0 { // what went has changed: none is not known
		add("State changes", exactly(uint64(a.Changes), ""))
		add("Failures", exactly(uint64(a.Failures), ""))
	}
	if a.Number > 0 {
		add("Row number", exactly(uint64(a.Number), ""))
	}
	if !a.FirstSeen.IsZero() {
		add("Counting for", Cell{At: a.FirstSeen.Unix()})
	}
	if !a.LastReset.IsZero() {
		add("Last reset", Cell{At: a.LastReset.Unix(), Soft: "ago, " + resetWords(a.Resets)})
	}
	if !r.partial && !a.Total.IsZero() {
		r.totalFacts(add)
	}
	return list
}

// exactly is a number with all its digits.
func exactly(v uint64, unit string) Cell { return Cell{Text: strconv.FormatUint(v, 10), Soft: unit} }

func (r *Row) serviceFacts(add func(string, Cell)) {
	s := r.Service
	add("Scheduler", Cell{Text: s.Scheduler})
	if flags := s.Flags.Configured(); flags != 0 {
		add("Flags", Cell{Text: flags.String()})
	}
	if s.Flags&dataplane.FlagPersistent != 0 {
		c := Cell{Text: seconds(s.Timeout)}
		if !s.Netmask.IsFull() {
			c.Soft = "clients of " + s.Netmask.String()
		}
		add("Persistence", c)
	}
	if s.PersistenceEngine != "" {
		add("Persistence engine", Cell{Text: s.PersistenceEngine})
	}
	if s.HasRefused {
		add("Refused", exactly(s.Refused, "connections got no real server"))
	}
}

func (r *Row) realFacts(add func(string, Cell)) {
	s := r.Real
	c := Cell{Text: s.Method.String()}
	if s.Method == dataplane.Tunnel {
		c.Soft = s.Encap.Type.String()
		if s.Encap.Port > 0 {
			c.Soft += " port " + strconv.Itoa(int(s.Encap.Port))
		}
		if s.Encap.Flags != 0 {
			c.Soft += " " + s.Encap.Flags.String()
		}
	}
	add("Forwarding method", c)
	if s.UpperThreshold > 0 || s.LowerThreshold > 0 {
		lower := "none"
		if s.LowerThreshold > 0 {
			lower = strconv.FormatUint(uint64(s.LowerThreshold), 10)
		}
		add("Thresholds", Cell{Text: strconv.FormatUint(uint64(s.UpperThreshold), 10) + " upper", Soft: lower + " lower"})
	}
	if !r.partial {
		add("Persistent", exactly(uint64(s.Persistent), "connections"))
	}
}

func (r *Row) totalFacts(add func(string, Cell)) {
	t := &r.account().Total
	add("Connections", exactly(t.Connections, "in total"))
	add("In", exactly(t.InBytes, "bytes in "+strconv.FormatUint(t.InPackets, 10)+" packets"))
	switch {
	case r.bypass:
		add("Out", Cell{Text: notAvailable, Soft: "answers pass by the director"})
	case !r.Gone || t.OutPackets > 0:
		add("Out", exactly(t.OutBytes, "bytes in "+strconv.FormatUint(t.OutPackets, 10)+" packets"))
	}
}

// resetWords tell how often the kernel's counters started anew, and why.
func resetWords(counts dataplane.ResetCounts) string {
	var list []string
	for reason, n := range counts {
		switch {
		case n == 1:
			list = append(list, resetNames[reason])
		case n > 1:
			list = append(list, resetNames[reason]+" "+strconv.FormatUint(uint64(n), 10)+" times")
		}
	}
	return strings.Join(list, ", ")
}

// resetNames are the reasons in words.
var resetNames = [dataplane.NumResetReasons]string{
	dataplane.Recreated: "added again", dataplane.Zeroed: "zeroed", dataplane.KernelRestart: "kernel restarted", dataplane.Wrap32: "passed 32 bits",
}
