package usm

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"lvs/mib/ber"
)

func TestSaltsDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 2 {
		e := newTestEngine(t)
		m, p, _, err := receive(e, by(t, e, secret, AuthPriv).bytes())
		if err != nil {
			t.Fatal(err)
		}
		for range 100 {
			var b ber.Builder
			b.Reset(Overhead)
			b.Append([]byte("\x30\x04\x04\x00\x04\x00"))
			e.Seal(&b, m.ID, 1472, p)
			var answer ber.V3
			var params parameters
			if err := errors.Join(answer.Decode(b.Bytes()), params.decode(&answer)); err != nil {
				t.Fatal(err)
			}
			if len(params.priv) != saltLen || seen[string(params.priv)] {
				t.Fatalf("salt %x, after %d others", params.priv, len(seen))
			}
			seen[string(params.priv)] = true
		}
	}
}

func TestTimeWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newTestEngine(t)
		time.Sleep(1000*time.Second + 999*time.Millisecond)
		if e.Time() != 1000 {
			t.Fatalf("engine time is %d after 1000.999 s", e.Time())
		}
		for apart, want := range map[int32]bool{-1000: false, -151: false, -150: true, -1: true, 0: true, 1: true, 150: true, 151: false} {
			sent := by(t, e, secret, AuthPriv)
			sent.time += apart
			if _, _, _, err := receive(e, sent.bytes()); (err == nil) != want {
				t.Errorf("%d s apart: %v", apart, err)
			}
		}
		m, p, _, err := receive(e, by(t, e, secret, AuthPriv).bytes())
		if err != nil {
			t.Fatal(err)
		}
		checkSealed(t, e, &m, p) // the answer is of now, too
		recorded := by(t, e, signed, AuthNoPriv).bytes()
		time.Sleep(150 * time.Second)
		if _, _, _, err := receive(e, recorded); err != nil {
			t.Error("after 150 s: ", err)
		}
		time.Sleep(time.Second)
		if _, _, _, err := receive(e, recorded); err == nil {
			t.Error("let in after 151 s")
		}
	})
}

// After an hour of sleep the manager's notion of the engine's time is an hour on,
// and so has the engine's to be; what was recorded before is let in no more.
func TestTimeGoesOnWhileTheMachineIsSuspended(t *testing.T) {
	e := newTestEngine(t)
	var up time.Duration
	e.clock = func() time.Duration { return up }
	up += 10*time.Second + time.Second/2
	recorded, asked := by(t, e, signed, AuthNoPriv).bytes(), by(t, e, secret, AuthPriv)
	up += time.Hour
	if e.Time() != 3610 {
		t.Errorf("engine time is %d after 3610.5 s", e.Time())
	}
	if _, _, _, err := receive(e, recorded); err == nil {
		t.Error("let in what was sent an hour ago")
	}
	asked.time += 3600
	if _, _, _, err := receive(e, asked.bytes()); err != nil {
		t.Errorf("a manager that was awake: %v", err)
	}
}

func TestLastBoot(t *testing.T) {
	e, err := New(Identity{EngineID: testID().EngineID, Boots: maxBoots}, []User{open, signed})
	if err != nil {
		t.Fatal(err)
	}
	var r *Report
	if _, _, _, err := receive(e, by(t, e, signed, AuthNoPriv).bytes()); !errors.As(err, &r) || r.Stat != NotInTimeWindows {
		t.Errorf("%v, want %v", err, NotInTimeWindows)
	}
	if _, _, _, err := receive(e, by(t, e, open, NoAuthNoPriv).bytes()); err != nil {
		t.Errorf("without authentication: %v", err)
	}
}

func TestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newTestEngine(t)
		first := func(datagram []byte) bool {
			t.Helper()
			_, p, _, err := receive(e, slices.Clone(datagram))
			if err != nil {
				t.Fatal(err)
			}
			return e.First(p)
		}
		time.Sleep(time.Hour)
		ahead := by(t, e, secret, AuthPriv)
		ahead.time += window
		a, b := ahead.bytes(), by(t, e, signed, AuthNoPriv).bytes()
		if !first(a) || !first(b) {
			t.Fatal("the first is not the first")
		}
		for range 300 {
			if first(a) {
				t.Fatalf("the first again at %d s", e.Time())
			}
			time.Sleep(time.Second)
		}
		unsigned := by(t, e, open, NoAuthNoPriv).bytes()
		if !first(unsigned) || !first(unsigned) {
			t.Error("what has no digest is told apart")
		}
	})
}

func TestFirstIsBounded(t *testing.T) {
	var r replays
	digest := func(n uint64) (d [12]byte) {
		binary.BigEndian.PutUint64(d[:], n)
		return d
	}
	n := uint64(0)
	for ; r.add(digest(n), 0, 0); n++ {
	}
	if n != maxReplays || len(r.last) != maxReplays {
		t.Fatalf("%d are remembered, want %d", n, maxReplays)
	}
	if r.add(digest(n), 100, 100) || r.add(digest(0), 100, 100) {
		t.Error("one more is remembered")
	}
	if r.add(digest(n), 150, 150) {
		t.Error("one was forgotten that may come again")
	}
	if !r.add(digest(n), 151, 151) || len(r.last) != 1 {
		t.Errorf("%d are remembered after the window moved on, want 1", len(r.last))
	}
}
