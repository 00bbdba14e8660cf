//go:build lab

package e2e

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"lvs/internal/lab"
)

// kills is $LVS_KILLS, or a small number that fits among the other tests.
func kills(t *testing.T) int {
	t.Helper()
	text := os.Getenv("LVS_KILLS")
	if text == "" {
		return 12
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestLabKill kills the agent again and again under traffic and changes, at all
// moments of its life. What it ever served has to be in the history, to the
// integer, and nothing it counts may ever fall.
func TestLabKill(t *testing.T) {
	n := kills(t)
	lab.Site(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	e := newEditor(t)
	noConnections := shortConnections(t, e)
	s := &soak{ahead: table{}, churn: newChurn(e, seed, 6, 100), load: &load{t: t}}
	s.editor, s.alone, s.own = e, map[string]bool{}, map[string]bool{}
	if err := s.build(); err != nil {
		t.Fatal(err)
	}
	if err := s.churn.fill(); err != nil {
		t.Fatal(err)
	}
	master := lab.SNMPD(t)
	w := newWitness(unstarted(t, "--snmp.agentx="+master.Unix))

	ctx, stop := context.WithCancel(t.Context())
	var churning sync.WaitGroup
	t.Cleanup(func() { stop(); churning.Wait() })
	churning.Go(func() {
		if err := s.churn.run(ctx, 5); err != nil {
			t.Error(err)
		}
	})
	s.load.begin()
	rng := rand.New(rand.NewPCG(seed, 1))
	for i := range n {
		w.life(i, moments[i%len(moments)], rng)
		if t.Failed() {
			t.Fatalf("after %d kills", i+1)
		}
	}
	w.launch()
	w.ready()
	w.checkAll() // by way of the running agent
	s.load.end()
	stop()
	churning.Wait()
	lab.Settle(t)
	noConnections()
	r, compared := (&site{agent: w.agent, master: master, ahead: s.ahead}).check(t)
	for at, a := range r.doc.accounts() {
		if s.own[at.service] && len(a.Resets) > 0 {
			t.Errorf("%v was never reset, and has %v", at, a.Resets)
		}
	}
	w.terminate()
	w.checkStore()
	w.checkAll() // from the file
	w.checkCatalog()
	w.report(n)
	t.Logf("%d cells compared at rest with ipvsadm; %d changes, %d exchanges of traffic meanwhile", compared, s.churn.changes(), s.load.exchanges.Load())
}

// A moment is when an agent is killed: when wait returns, which is called right
// after the start. seen gets every tick that the agent serves.
type moment struct {
	name string
	wait func(rng *rand.Rand, seen <-chan time.Time)
}

var moments = []moment{
	{"at random", func(rng *rand.Rand, _ <-chan time.Time) {
		time.Sleep(time.Duration(rng.Int64N(int64(3 * time.Second))))
	}},
	{"as a tick is due", func(rng *rand.Rand, seen <-chan time.Time) {
		waitTick(seen)
		time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second)))
		time.Sleep(time.Duration(rng.Int64N(int64(80 * time.Millisecond))))
	}},
	{"soon after the start", func(rng *rand.Rand, _ <-chan time.Time) {
		time.Sleep(time.Duration(rng.Int64N(int64(600 * time.Millisecond))))
	}},
	{"as a tick was served", func(rng *rand.Rand, seen <-chan time.Time) {
		for range 1 + rng.IntN(2) {
			waitTick(seen)
		}
	}},
}

// waitTick waits for a tick to be seen, but not for ever: the agent may be slow.
func waitTick(seen <-chan time.Time) {
	select {
	case <-seen:
	case <-time.After(10 * time.Second):
	}
}

// life runs the agent once, up to its kill at that moment.
func (w *witness) life(i int, m moment, rng *rand.Rand) {
	w.t.Helper()
	w.launch()
	ctx, stop := context.WithCancel(w.t.Context())
	seen := make(chan time.Time, 100)
	first := len(w.ticks)
	var watching sync.WaitGroup
	watching.Go(func() { w.look(ctx, seen) })
	m.wait(rng, seen)
	err := w.end(syscall.SIGKILL)
	stop()
	watching.Wait()
	if err == nil || !strings.Contains(err.Error(), "killed") {
		w.t.Errorf("life %d, to be killed %s, ended by itself: %v", i, m.name, err)
	}
	if len(w.ticks) == first {
		w.unseen++
	}
	w.readLog(first)
	w.checkStore()
	if len(w.ticks) > 0 {
		// Those of the life before once more, now that there was a restart.
		w.check(w.ticks[max(0, first-3)], time.Now())
	}
}
