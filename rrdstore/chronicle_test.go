package rrdstore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lvs/dataplane"
)

// chronicleOptions close a window of rows every 360 steps and keep few of them,
// so that all that is ever done is done often.
func chronicleOptions() Options {
	return Options{
		Retention: 2 * time.Hour, MaxBytes: 64 << 20,
		Tiers: []Tier{{time.Minute, 6 * time.Hour}, {5 * time.Minute, day}, {time.Hour, 3 * day}},
	}
}

// stepAt is the tick of a step, and the step follows from the tick, so that a
// process can go on where one before it was killed.
func stepAt(step uint64) int64 { return firstTick + 10*int64(step) }

// mix is a number that follows from others and looks like chance.
func mix(seed uint64, more ...uint64) uint64 {
	for _, n := range more {
		seed = (seed ^ n) * 0x9e3779b97f4a7c15
		seed ^= seed >> 29
	}
	return seed
}

// chronicle is the table at a step of a life in which all follows from the step:
// what is there, what it counted, and which ticks were missed, for which it is
// nil.
func chronicle(step uint64) *dataplane.Snapshot {
	if step%97 == 5 || step%700 < 4 {
		return nil
	}
	now := tickAt(stepAt(step))
	snap := &dataplane.Snapshot{Tick: now, Time: now.Add(time.Duration(mix(1, step) % 1e9))}
	snap.Director.Epoch, snap.Director.HasStats = "boot", true
	snap.Director.Total = dataplane.Counters{Connections: 3 * step}
	account := func(n int, id uint64) dataplane.Account {
		total := func(scale uint64) uint64 { return step*scale*id + mix(scale, step, id)%(scale*id) }
		a := dataplane.Account{Number: uint32(n), FirstSeen: tickAt(1_000_000), LastSeen: snap.Time}
		a.Total = dataplane.Counters{Connections: total(2), InPackets: total(70), InBytes: total(9000), OutBytes: total(1 << 40)}
		a.Kernel = a.Total
		a.Resets[dataplane.Zeroed] = chronicleResets(step, id)
		a.Changes = uint32(step / 200)
		return a
	}
	phase := int(step / 180)
	for i := range 3 {
		if (i+phase)%7 == 0 {
			continue
		}
		svc := dataplane.ServiceState{Service: dataplane.Service{Key: testKey(i)}}
		svc.Account = account(i+1+100*int(step/900), uint64(i+1)) // numbers pass on
		for j := range 4 {
			id := uint64(10*i + j + 4)
			svc.Peak += chroniclePeak(step, id)
			if (i+j+phase)%5 == 0 {
				continue
			}
			r := dataplane.RealState{Active: uint32(mix(2, step, id) % 100), Inactive: uint32(mix(3, step/6, id) % 9)}
			if mix(4, step, id)%4 == 0 { // as many as there ever were
				r.Active = uint32(chroniclePeak(step, id)) - r.Inactive
			}
			r.RIP, r.Weight = testRIP(j), uint32(j)
			r.Account = account(j+1, id)
			r.Peak = chroniclePeak(step, id)
			svc.Reals = append(svc.Reals, r)
		}
		snap.Services = append(snap.Services, svc)
	}
	return snap
}

// chroniclePeak is the most connections of a real server up to a step. A row has
// as many now and then only, and of a service hardly ever.
func chroniclePeak(step, id uint64) uint64 { return 200 + step/50*id }

// chronicleResets is how often a kernel's counters began anew by a step.
func chronicleResets(step, id uint64) uint32 { return uint32((step + 17*id) / 131) }

// chronicleWitness is what the steps from first to last tell.
func chronicleWitness(first, last uint64) *witness {
	w, resets := newWitness(10, 20), make(map[identity]uint32)
	for step := first; step <= last; step++ {
		snap := chronicle(step)
		if snap == nil {
			continue
		}
		fresh := make(map[string]bool)
		eachAccount(snap, func(id identity, a *dataplane.Account) {
			n := a.Resets[dataplane.Zeroed]
			before, ok := resets[id]
			fresh[id.String()], resets[id] = ok && before != n, n
		})
		w.snapshot(snap, func(id string) bool { return fresh[id] })
	}
	return w
}

func eachAccount(snap *dataplane.Snapshot, look func(identity, *dataplane.Account)) {
	for i := range snap.Services {
		svc := &snap.Services[i]
		look(identity{key: svc.Key}, &svc.Account)
		for j := range svc.Reals {
			look(identity{svc.Key, svc.Reals[j].RIP}, &svc.Reals[j].Account)
		}
	}
}

// tendChronicle lives through a step.
func tendChronicle(s *Store, step uint64) error {
	snap := chronicle(step)
	if snap == nil {
		return nil
	}
	return s.Commit(context.Background(), snap)
}

// checkChronicle reads a store that has lived up to a step, or up to some step
// after it, and returns which: raw rows and tiers of all kinds, which must be what
// the chronicle says.
func checkChronicle(t *testing.T, r *Reader, rnd *rand.Rand, acknowledged uint64) (newest uint64) {
	t.Helper()
	info, err := r.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for acknowledged > 0 && chronicle(acknowledged) == nil {
		acknowledged--
	}
	if info.Newest.IsZero() {
		if acknowledged > 0 {
			t.Fatalf("step %d was acknowledged, and nothing is there", acknowledged)
		}
		return 0
	}
	newest = uint64(info.Newest.Unix()-firstTick) / 10
	if newest < acknowledged {
		t.Fatalf("newest step %d, acknowledged %d", newest, acknowledged)
	}
	oldest := uint64(0)
	if keep := uint64(720); newest > keep { // Retention
		oldest = newest - keep
	}
	checkChronicleRows(t, r, oldest, newest)
	askChronicle(t, r, rnd, newest)
	return newest
}

// askChronicle asks one question of any kind.
func askChronicle(t *testing.T, r *Reader, rnd *rand.Rand, newest uint64) {
	t.Helper()
	levels := []struct {
		step time.Duration
		keep uint64 // steps
	}{{10 * time.Second, 700}, {time.Minute, 2000}, {5 * time.Minute, 8000}, {time.Hour, 25000}}
	c := levels[rnd.IntN(len(levels))]
	from := newest - rnd.Uint64N(min(newest, c.keep)+1)
	xff := rnd.Float64()
	q := Query{
		Series: r.Series()[1:], Functions: []Function{Average, Min, Max, Last}, Resolution: c.step, XFF: &xff,
		Start: tickAt(stepAt(from)), End: tickAt(stepAt(min(newest, from+1000))),
	}
	w := chronicleWitness(from-min(from, 1000), min(newest, from+1500))
	for step := newest - min(newest, 1500); step <= newest; step++ { // what was last there when
		if snap := chronicle(step); snap != nil {
			eachAccount(snap, func(id identity, _ *dataplane.Account) { w.last[id.String()] = uint32(stepAt(step)) })
		}
	}
	w.compare(t, r, q)
}

func checkChronicleRows(t *testing.T, r *Reader, oldest, newest uint64) {
	t.Helper()
	next := oldest
	for row, err := range r.Rows(t.Context(), tickAt(stepAt(oldest)), tickAt(1<<32), func(*Series) bool { return true }) {
		if err != nil {
			t.Fatal(err)
		}
		for next <= newest && chronicle(next) == nil {
			next++
		}
		if row.Tick.Unix() != stepAt(next) {
			t.Fatalf("row %d comes where %d should, step %d of %d", row.Tick.Unix(), stepAt(next), next, newest)
		}
		if want, got := chronicleLines(next), entriesOf(rowText(row)); !slices.Equal(want, got) {
			t.Fatalf("row of step %d (-want +got)\n%s", next, cmp.Diff(want, got))
		}
		next++
	}
	if next <= newest {
		t.Fatalf("rows end at step %d, newest %d", next-1, newest)
	}
	if r.Damaged() != 0 {
		t.Fatalf("%d records were left out", r.Damaged())
	}
}

// chronicleLines are the entries of a step, which many images are held against.
func chronicleLines(step uint64) []string {
	if lines, ok := linesOfSteps.Load(step); ok {
		return lines.([]string)
	}
	lines := entriesOf(snapshotText(chronicle(step)))
	linesOfSteps.Store(step, lines)
	return lines
}

var linesOfSteps sync.Map

// entriesOf leaves out the director, of which an archived row tells less.
func entriesOf(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return strings.HasPrefix(line, "director ") })
}

func TestChronicle(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	checkAfter(t, dir)
	s := mustOpen(t, dir, chronicleOptions())
	rnd := rand.New(rand.NewPCG(4, 4))
	r, err := s.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for step := range uint64(2600) {
		if err := tendChronicle(s, step); err != nil {
			t.Fatal(err)
		}
		mustMaintain(t, s)
		if step%650 == 649 {
			t.Run(fmt.Sprint(step), func(t *testing.T) {
				if err := r.Refresh(t.Context()); err != nil {
					t.Fatal(err)
				}
				checkChronicle(t, r, rnd, step)
				for range 6 {
					askChronicle(t, r, rnd, step)
				}
			})
		}
	}
}
