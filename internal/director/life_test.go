package director

import (
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// Whatever configurations follow each other, whatever others do in between and
// whatever is refused for a while: with Enforce the table ends as wanted, and
// without it everything that is not as wanted is drift.
func TestTableEndsAsWantedOrIsDrift(t *testing.T) {
	for seed := range uint64(150) {
		synctest.Test(t, func(t *testing.T) { randomLife(t, rand.New(rand.NewPCG(seed, 2)), seed) })
		if t.Failed() {
			return
		}
	}
}

func randomLife(t *testing.T, rnd *rand.Rand, seed uint64) {
	r := newRig(t, "")
	refusing := false
	r.table.Before = func(string) error {
		if refusing && rnd.IntN(4) == 0 {
			return errors.New("refused")
		}
		return nil
	}
	var spec *Spec
	for range 6 {
		spec = randomSpec(rnd)
		spec.Enforce = rnd.IntN(2) == 0
		if rnd.IntN(2) == 0 {
			for i := range spec.Services {
				spec.Services[i].Quiesce = Quiesce{Enabled: true, Limit: time.Minute}
			}
		}
		refusing = rnd.IntN(3) == 0
		_ = r.a.Apply(t.Context(), spec) // refusals are tried again
		refusing = false
		for range rnd.IntN(3) {
			time.Sleep(time.Second)
			// Somebody makes one or two changes of quite another configuration.
			changes := Diff(randomSpec(rnd), read(t, r.table), Owned{})
			for _, i := range rnd.Perm(len(changes))[:min(len(changes), 2)] {
				_ = changes[i].apply(t.Context(), r.table)
			}
			_ = r.tick()
		}
	}
	for range 5 {
		time.Sleep(2 * time.Minute) // beyond retries and limits
		if err := r.tick(); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
	r.table.Calls()
	s := r.a.Status()
	if len(s.Failures) != 0 || len(s.Draining) != 0 {
		t.Errorf("seed %d: failures %+v and draining %+v, want none", seed, s.Failures, s.Draining)
	}
	left := differences(Diff(spec, read(t, r.table), r.a.base.owned()))
	if spec.Enforce && len(left) > 0 {
		t.Errorf("seed %d: enforced, but %v", seed, left)
	}
	if over := without(left, s.Drift); len(over) > 0 {
		t.Errorf("seed %d: %v is no drift", seed, over)
	}
	if len(s.Drift) > len(left) {
		t.Errorf("seed %d: drift %v, but differences are %v", seed, s.Drift, left)
	}
	if err := r.tick(); err != nil || len(r.table.Calls()) > 0 {
		t.Errorf("seed %d: a settled table is changed again (%v)", seed, err)
	}
}
