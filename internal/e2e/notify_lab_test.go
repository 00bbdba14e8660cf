//go:build lab

package e2e

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"lvs/dataplane"
	"lvs/internal/lab"
)

// TestLabNotify has a director flap as it might in an hour, a change or a few at
// every sample, while snmpd is restarted and killed, the agent is restarted, and
// ip_vs is unloaded. Three managers have to get every notification of it, in
// order, none twice: one by way of snmpd, one as v2c traps, one as v3 informs. A
// fourth never answers.
func TestLabNotify(t *testing.T) {
	n := flaps(t)
	f := newFlapping(t, uint64(n))
	begin := time.Now()
	for i := range n {
		switch i % minFlaps {
		case 1:
			f.overload()
		case 4:
			f.master.Terminate()
		case 7:
			f.master.Start()
		case 10:
			f.drain()
		case 14:
			f.delivered() // what snmpd is just at when it is killed nobody can tell
			f.master.Kill()
		case 17:
			f.master.Start()
		case 20:
			f.restart()
		case 25:
			f.unload()
		}
		f.step(f.random(f.table)...)
	}
	f.settle()
	f.delivered()
	f.checkCounts()
	for name, r := range f.managers {
		f.check(name, notifications(r))
	}
	f.checkAlike()
	f.checkKinds()
	t.Logf("%d notifications of %d samples in %v, %d late changes, %d readings not done in time",
		f.told(), n, time.Since(begin).Round(time.Second), f.late, f.unread+f.overruns())
}

// A flapping is a director on which a script runs, and those who are told.
type flapping struct {
	*agent
	*hand
	namer
	t        *testing.T
	master   *lab.MasterAgent
	managers map[string]*lab.Receiver
	deaf     string // the address of the manager that never answers

	table modelTable
	last  *toldDocument
	// want are the steps so far: each is one of several possible lists, as a change
	// that was made while a sample was due may be in it or not.
	want [][][]told
	late int    // how many steps have more than one
	seq  uint32 // the number that the latest notification of this agent has to have
	// unread are the readings not done in time of the agents before this one, whose
	// log begins with line logged.
	unread, logged int
}

func newFlapping(t *testing.T, seed uint64) *flapping {
	t.Helper()
	f := &flapping{t: t, hand: newHand(t, seed), namer: namer{map[row]number{}}}
	f.table = modelTable{map[dataplane.ServiceKey]map[netip.AddrPort]modelReal{}, map[dataplane.SyncRole]bool{}}
	f.build()
	f.agent, f.master, f.managers, f.deaf = toldAgent(t, 20)
	f.agent.start()
	f.awaitUp("agentx", true)
	f.begun()
	return f
}

// build puts all services into the table, and their connections.
func (f *flapping) build() {
	f.t.Helper()
	for _, s := range f.scripted() {
		for _, a := range f.addService(s) {
			f.do(a)
		}
	}
	f.connect(f.table)
}

func (f *flapping) do(a alteration) {
	f.t.Helper()
	if err := a.kernel(); err != nil {
		f.t.Fatal(err)
	}
	a.model(f.table)
}

// begun notes that an agent was started.
func (f *flapping) begun() {
	f.t.Helper()
	f.last, f.seq = f.toldDocument(), 0
	f.expect([]told{{toldStarted, []lab.ReceivedVar{textVar(objectArc+"2.1.0", f.last.Agent.Version)}}})
	lab.Wait(f.t, "the numbers of rows", func() bool {
		f.last = f.toldDocument()
		return len(f.last.Services) == 0 || f.last.Services[0].Number > 0
	})
	f.learn(f.last)
}

// expect adds a step with all that may come of it.
func (f *flapping) expect(lists ...[]told) {
	f.want = append(f.want, lists)
	f.seq += uint32(len(lists[0])) // which have all the same length
}

// told is how many notifications are expected.
func (f *flapping) told() (n int) {
	for _, step := range f.want {
		n += len(step[0])
	}
	return n
}

// learn notes the numbers of rows, which are for ever.
func (f *flapping) learn(d *toldDocument) {
	f.t.Helper()
	for n, at := range d.numbers() {
		if was, known := f.numbers[at]; known && was != n {
			f.t.Fatalf("row %v had number %v, now %v", at, was, n)
		}
		f.numbers[at] = n
	}
}

// overruns are how many readings the agent says were not done in time, as happens
// on a busy machine; two notifications tell of each.
func (f *flapping) overruns() (n int) {
	for _, l := range f.agent.logLines()[f.logged:] {
		if strings.Contains(l.text, `msg="the director cannot be read`) && strings.Contains(l.text, "not done within") {
			n++
		}
	}
	return n
}

// settle waits for the sample after the latest, and for all that has to be told of
// the steps so far.
func (f *flapping) settle() {
	f.t.Helper()
	after := f.last.Tick
	var doc *toldDocument
	ok := func() bool {
		doc = f.toldDocument()
		return doc.Tick.After(after) && doc.Agent.Notifications.Sequence >= f.seq+uint32(2*f.overruns())
	}
	for deadline := time.Now().Add(lab.Patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			f.explain()
			f.t.Fatalf("waited in vain: sample %v after %v, number %d, want %d", doc.Tick, after, doc.Agent.Notifications.Sequence, f.seq)
		}
	}
	f.learn(doc)
	f.last = doc
}

// step makes alterations between two samples.
func (f *flapping) step(list ...alteration) {
	f.t.Helper()
	f.settle()
	before := f.table
	tables := []modelTable{before}
	for _, a := range list {
		f.table = f.table.clone()
		f.do(a)
		tables = append(tables, f.table)
	}
	if time.Since(f.last.Tick) < time.Second { // the next sample has all of it
		f.expect(f.changed(before, f.table))
		return
	}
	f.late++
	var lists [][]told // with up to two samples in between
	for i, first := range tables {
		for _, second := range tables[i:] {
			lists = append(lists, slices.Concat(f.changed(before, first), f.changed(first, second), f.changed(second, f.table)))
		}
	}
	n := f.toldPast(time.Now())
	lists = slices.DeleteFunc(lists, func(list []told) bool { return len(list) != n })
	if len(lists) == 0 {
		f.t.Fatalf("%d notifications came of changes at about the time of a sample, which cannot be", n)
	}
	f.expect(lists...)
}

// toldPast waits until a sample was read after a time, and returns how many
// notifications came since the latest step.
func (f *flapping) toldPast(at time.Time) (n int) {
	f.t.Helper()
	lab.Wait(f.t, "two samples more", func() bool {
		f.last = f.toldDocument()
		return f.last.Tick.After(at.Add(2 * time.Second))
	})
	return int(f.last.Agent.Notifications.Sequence-f.seq) - 2*f.overruns()
}
