package collector

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"lvs/dataplane"
	"lvs/internal/lab"
)

// TestContinuityAgainstModel lets a kernel live through thousands of samples and
// agent restarts. Of every account it asks that the total never falls, holds all
// traffic that could be known and none that was not, that a reset is counted in
// a sample if a counter fell, and only if the entry began anew, and for a reason
// that was one, and that the number stays and is nobody else's. States, peaks,
// hosts, the times of the last changes and what was removed must be what follows
// from all that was ever seen.
func TestContinuityAgainstModel(t *testing.T) {
	for seed := range lab.Repeat(t, "LVS_LIVES", 20) {
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) { mustLive(t, seed, 300, false) }) {
			break
		}
	}
}

// TestContinuityOverCrashes has the ledger lag behind: not every sample gets there,
// some tell no counters or no epoch, and the agent is killed and goes on from what
// the ledger has. The same must hold of totals, resets and numbers.
func TestContinuityOverCrashes(t *testing.T) {
	for seed := range lab.Repeat(t, "LVS_LIVES", 20) {
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) { mustLive(t, seed, 300, true) }) {
			break
		}
	}
}

// mustLive lives a history of that many steps, and when it fails tells the shortest
// that was found to fail as well.
func mustLive(t *testing.T, seed uint64, steps int, crashes bool) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	history := make([]uint64, steps)
	for i := range history {
		history[i] = r.Uint64()
	}
	fails := func(history []uint64) bool { _, err := live(history, crashes, false); return err != nil }
	if fails(history) {
		history = shrink(history, fails)
		log, err := live(history, crashes, true)
		t.Fatalf("%s\n%v", strings.Join(log, "\n"), err)
	}
}

// shrink leaves out steps of a history that fails, as long as it does.
func shrink(history []uint64, fails func([]uint64) bool) []uint64 {
	for size := len(history) / 2; size > 0; {
		shorter := false
		for at := 0; at+size <= len(history); {
			try := slices.Concat(history[:at], history[at+size:])
			if fails(try) {
				history, shorter = try, true
			} else {
				at += size
			}
		}
		if !shorter || size > len(history) {
			size /= 2
		}
	}
	return history
}

// A life is an agent over a model kernel.
type life struct {
	*model
	crashes bool
	keep    bool // a log
	store   *memory
	c       *Continuity
	before  *dataplane.Snapshot // of this run of the agent
	last    map[memoryKey]dataplane.Account
	kept    map[memoryKey]dataplane.Account // last, as the ledger has it
	torn    bool                            // the last sample with counters was, which no ledger keeps
	partial bool                            // the last sample was
	log     []string
}

// live lives a history of steps, each of which begins with a random number and goes
// on from what there is. The log, if one is kept, tells what was done.
func live(history []uint64, crashes, keep bool) (log []string, err error) {
	l := &life{model: newModel(), crashes: crashes, keep: keep, store: newMemory(), c: NewContinuity(nil, DefaultForget),
		last: map[memoryKey]dataplane.Account{}, kept: map[memoryKey]dataplane.Account{}}
	for n, seed := range history {
		l.rand = rand.New(rand.NewPCG(seed, 1))
		if err := l.step(); err != nil {
			return l.log, fmt.Errorf("step %d: %w", n, err)
		}
	}
	return l.log, nil
}

// step has things happen, and samples.
func (l *life) step() error {
	for range l.rand.IntN(4) {
		if l.rand.IntN(3) == 0 {
			l.someTraffic()
		}
		if l.rand.IntN(3) == 0 {
			l.sumUp(false)
		}
		l.log = append(l.log, l.disturb())
	}
	l.someTraffic()
	l.sumUp(l.rand.IntN(4) == 0)
	l.stir()
	l.callNames()
	how, solid := l.chooseReading()
	if !how.partial {
		l.torn = !solid
	}
	l.partial = how.partial
	out := l.c.Apply(l.sample(how), l.now)
	if l.keep {
		l.log = append(l.log, l.describe(out))
	}
	got := accounts(out)
	for _, row := range l.rows {
		if err := row.check(l.model, l.last, got); err != nil {
			return fmt.Errorf("%v %v: %w", row.id.key, row.id.rip, err)
		}
	}
	maps.Copy(l.last, got)
	errs := []error{unique(l.last)}
	if !l.crashes {
		errs = append(errs, l.checkStates(got), checkServers(out, l.last), checkChanged(l.before, out), l.checkRemoved(out, l.last))
	}
	l.before = out
	if !l.crashes || solid && !l.torn && l.rand.IntN(3) > 0 {
		l.store.commit(out)
		l.commit()
		maps.Copy(l.kept, got)
	}
	if (l.crashes || solid) && l.rand.IntN(15) == 0 {
		l.log = append(l.log, "the agent is started again")
		l.c, l.before, l.last = NewContinuity(l.store.list(), DefaultForget), nil, maps.Clone(l.kept)
		l.c.setNames(l.names)
		l.restart()
	}
	return errors.Join(errs...)
}

// callNames changes what entries are called, now and then.
func (l *life) callNames() {
	names := l.rand.IntN(8)
	if names > 2 {
		return
	}
	l.names = new(Names(func(k dataplane.ServiceKey, rip netip.AddrPort) string {
		if names == 0 || k != modelKeys[0] || names == 1 && rip.IsValid() {
			return ""
		}
		return "web"
	}))
	l.c.setNames(l.names)
}

// chooseReading tells how to sample, and whether an agent that goes on from there
// knows all that it must.
func (l *life) chooseReading() (how reading, solid bool) {
	how, solid = reading{torn: func() {}}, true
	if l.crashes {
		how.partial, how.nameless = l.rand.IntN(8) == 0, l.rand.IntN(8) == 0
	}
	switch s := l.any(); l.rand.IntN(12) {
	case 0, 1:
		if s == nil || how.partial || l.partial || l.ofService(s).dirty {
			break // cleared twice in one interval cannot be told from once
		}
		how.realsFirst, solid = l.rand.IntN(2) == 0, false
		l.sumUp(true)
		how.torn = func() { l.tear(s, !how.realsFirst) }
	case 2:
		how.skip, solid = s, false
	}
	return how, solid
}

// tear clears a service while it is read; with some traffic after.
func (l *life) tear(s *modelService, traffic bool) {
	l.log = append(l.log, "zero, while it is read, "+s.key.String())
	l.zero(s, causeZeroed)
	for _, r := range s.reals {
		// A moment is too short to grow past the old value, or to come back from
		// the trash as well.
		if t := l.ofReal(r); traffic && t.kernel > 3 && t.sample == l.samples-1 {
			l.count(r, l.rand.Uint64N(3))
		}
	}
	l.sumUp(true)
}

// describe is what a sample had and what became of it, in a line for each row.
func (l *life) describe(out *dataplane.Snapshot) string {
	var b strings.Builder
	fmt.Fprintf(&b, "sample %d, partial %v, epoch %q, inconsistent %d\n", l.samples, out.Partial, out.Director.Epoch, out.Inconsistent)
	printAccounts(&b, out)
	return b.String()
}

func (m *model) someTraffic() {
	for range m.rand.IntN(12) {
		m.traffic(m.any(), m.rand.Uint64N(30))
	}
}

// accounts are all accounts of a snapshot.
func accounts(s *dataplane.Snapshot) map[memoryKey]dataplane.Account {
	m := map[memoryKey]dataplane.Account{{}: s.Director.Account}
	for i := range s.Services {
		v := &s.Services[i]
		m[memoryKey{key: v.Key}] = v.Account
		for j := range v.Reals {
			m[memoryKey{v.Key, v.Reals[j].RIP}] = v.Reals[j].Account
		}
	}
	return m
}

// unique checks that no number is held twice.
func unique(all map[memoryKey]dataplane.Account) error {
	type row struct {
		key    dataplane.ServiceKey // of a real server
		number uint32
	}
	held := map[row]memoryKey{}
	for id, a := range all {
		r := row{number: a.Number}
		if id.rip.IsValid() {
			r.key = id.key
		}
		if other, ok := held[r]; ok {
			return fmt.Errorf("%v and %v have number %d", id, other, a.Number)
		}
		held[r] = id
	}
	return nil
}
