package rrdstore

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"lvs/dataplane"
)

var compareAddrs = cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })

// checkAfter checks the files of dir when the test is over, with our invariants
// and with bbolt's own.
func checkAfter(t *testing.T, dir string) {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			return
		}
		checkNow(t, dir)
	})
}

func checkNow(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{headName, archName} {
		checkFile(t, filepath.Join(dir, name))
	}
}

func checkFile(t *testing.T, path string) {
	t.Helper()
	if err := Check(path); err != nil {
		t.Errorf("check: %v", err)
		return // bbolt might end the process
	}
	db, err := bbolt.Open(path, 0, &bbolt.Options{ReadOnly: true, Timeout: time.Second, PreLoadFreelist: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.View(func(tx *bbolt.Tx) error {
		var errs []error
		for err := range tx.Check() {
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
	if err != nil {
		t.Errorf("bbolt's check of %s: %v", path, err)
	}
}

func mustOpen(t testing.TB, dir string, opts Options) *Store {
	t.Helper()
	s, err := Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, ErrClosed) {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// abandon lets go of a store and leaves it as unclean as a kill does.
func abandon(t *testing.T, s *Store) {
	t.Helper()
	if err := errors.Join(s.lock.Close(), s.db.Close(), s.closeArch()); err != nil {
		t.Fatal(err)
	}
}

func mustCommit(t testing.TB, s *Store, snap *dataplane.Snapshot) {
	t.Helper()
	if err := s.Commit(context.Background(), snap); err != nil {
		t.Fatal(err)
	}
}

// mustTend is mustCommit and all the maintenance that follows from it.
func mustTend(t testing.TB, s *Store, snap *dataplane.Snapshot) {
	t.Helper()
	mustCommit(t, s, snap)
	mustMaintain(t, s)
}

func mustMaintain(t testing.TB, s *Store) {
	t.Helper()
	for range 10000 {
		more, err := s.Maintain(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			return
		}
	}
	t.Fatal("maintenance does not end")
}

func mustRemember(t testing.TB, s *Store) []dataplane.Remembered {
	t.Helper()
	got, err := s.Remembered(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func tickAt(n int64) time.Time { return time.Unix(n, 0).UTC() }

// table is a snapshot of services × reals whose counters all depend on step.
func table(services, reals int, tick int64, step uint64) *dataplane.Snapshot {
	now := tickAt(tick)
	snap := &dataplane.Snapshot{Tick: now, Time: now.Add(3 * time.Millisecond)}
	snap.Director.Epoch = "boot"
	snap.Director.HasStats = true
	snap.Director.Total = dataplane.Counters{Connections: step}
	account := func(n int, scale uint64) dataplane.Account {
		c := dataplane.Counters{
			Connections: step * scale, InPackets: step * scale * 9,
			InBytes: step * scale * 900, OutBytes: step * 7,
		}
		return dataplane.Account{Number: uint32(n), Kernel: c, Total: c, FirstSeen: tickAt(1_000_000), LastSeen: snap.Time}
	}
	for i := range services {
		svc := dataplane.ServiceState{}
		svc.Key = testKey(i)
		svc.Account = account(i+1, uint64(i+1))
		for j := range reals {
			real := dataplane.RealState{}
			real.RIP, real.Weight, real.Active = testRIP(j), 1, uint32(step)%50
			real.Account = account(j+1, uint64(i*3+j))
			svc.Reals = append(svc.Reals, real)
		}
		snap.Services = append(snap.Services, svc)
	}
	return snap
}

func testKey(i int) dataplane.ServiceKey {
	if i%5 == 4 {
		return dataplane.MarkKey(dataplane.INET6, uint32(i+1))
	}
	return dataplane.AddrKey(dataplane.TCP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), uint16(80+i/256)))
}

func testRIP(j int) netip.AddrPort {
	if j%7 == 6 {
		return netip.AddrPortFrom(netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", j+1)), 80)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(j >> 8), byte(j)}), 80)
}

func TestOpenMakesAPrivateDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	s := mustOpen(t, dir, Options{})
	mustCommit(t, s, table(1, 1, 1000, 1))
	for name, want := range map[string]os.FileMode{"": 0o700 | os.ModeDir, headName: 0o600, lockName: 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%q has mode %v, want %v", name, info.Mode(), want)
		}
	}
}

func TestEmptyStoreRemembersNothing(t *testing.T) {
	s := mustOpen(t, t.TempDir(), Options{})
	if got := mustRemember(t, s); len(got) != 0 {
		t.Errorf("remembered %v", got)
	}
}

func TestCommitRefusesTicksThatDoNotRise(t *testing.T) {
	dir := t.TempDir()
	checkAfter(t, dir)
	s := mustOpen(t, dir, Options{})
	mustCommit(t, s, table(2, 2, 1000, 1))
	for _, tick := range []time.Time{tickAt(1000), tickAt(999), tickAt(0), tickAt(-5), tickAt(1 << 32), tickAt(1010).Add(time.Millisecond), {}} {
		snap := table(2, 2, 1010, 2)
		snap.Tick = tick
		var tickErr *TickError
		if err := s.Commit(t.Context(), snap); !errors.As(err, &tickErr) || !errors.Is(err, ErrTick) {
			t.Errorf("tick %v: %v, want a TickError", tick, err)
		}
	}
	mustCommit(t, s, table(2, 2, 1010, 2))
	if st := s.Stats(); st.Rows != 2 || st.Failures != 7 || st.Commits != 2 {
		t.Errorf("stats %+v", st)
	}
}

func TestCommitRefusesAmbiguousSnapshots(t *testing.T) {
	dir := t.TempDir()
	checkAfter(t, dir)
	s := mustOpen(t, dir, Options{})
	mustCommit(t, s, table(3, 2, 1000, 1))
	want := mustRemember(t, s)
	for name, spoil := range map[string]func(*dataplane.Snapshot){
		"number twice":    func(n *dataplane.Snapshot) { n.Services[1].Number = 1 },
		"new with number": func(n *dataplane.Snapshot) { n.Services[2].Key, n.Services[2].Number = testKey(77), 1 },
		"service twice":   func(n *dataplane.Snapshot) { n.Services[1].Key = n.Services[0].Key },
		"real twice":      func(n *dataplane.Snapshot) { n.Services[0].Reals[1].RIP = n.Services[0].Reals[0].RIP },
		"number too big":  func(n *dataplane.Snapshot) { n.Services[0].Reals[1].Number = 1 << 16 },
		"no key":          func(n *dataplane.Snapshot) { n.Services[0].Key = dataplane.ServiceKey{} },
		"odd address": func(n *dataplane.Snapshot) {
			n.Services[0].Reals[1].RIP = netip.MustParseAddrPort("[::ffff:10.0.0.1]:80")
		},
	} {
		snap := table(3, 2, 1010, 2)
		spoil(snap)
		if err := s.Commit(t.Context(), snap); err == nil {
			t.Errorf("%s: committed", name)
		}
		if diff := cmp.Diff(want, mustRemember(t, s), compareAddrs); diff != "" {
			t.Errorf("%s: remembered (-want +got)\n%s", name, diff)
		}
	}
	mustCommit(t, s, table(3, 2, 1010, 2))
}

func TestUnnumberedEntriesAreLeftOutAndCounted(t *testing.T) {
	dir := t.TempDir()
	checkAfter(t, dir)
	s := mustOpen(t, dir, Options{})
	snap := table(3, 4, 1000, 5)
	snap.Services[0].Number = 0
	snap.Services[1].Reals[2].Number = 0
	mustCommit(t, s, snap)
	if got := s.Stats().Unnumbered; got != 6 {
		t.Errorf("unnumbered %d, want 6", got)
	}
	if got := len(mustRemember(t, s)); got != 1+2+4+3 {
		t.Errorf("remembered %d accounts, want 10", got)
	}
}

func TestClosedStoreRefuses(t *testing.T) {
	s := mustOpen(t, t.TempDir(), Options{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := s.Remembered(t.Context())
	for _, err := range []error{err, s.Commit(t.Context(), table(1, 1, 1000, 1)), s.Close()} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
	}
}

func TestStatsAndReadersDoNotWaitForACommit(t *testing.T) {
	s := mustOpen(t, t.TempDir(), Options{})
	mustCommit(t, s, table(1, 2, 1000, 1))
	s.mu.Lock() // as a commit on a slow disk does
	defer s.mu.Unlock()
	if st := s.Stats(); st.Rows != 1 || st.Series != 4 || st.Bytes == 0 || !st.Newest.Equal(tickAt(1000)) {
		t.Errorf("stats %+v", st)
	}
	r, err := s.Reader(t.Context())
	if err != nil || len(r.Series()) != 4 {
		t.Fatalf("reader of %v, %v", r, err)
	}
	if st, err := r.src.state(t.Context()); err != nil || st.newest != 1000 {
		t.Errorf("state %+v, %v", st, err)
	}
}

func TestCanceledCommitDoesNotStart(t *testing.T) {
	s := mustOpen(t, t.TempDir(), Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Commit(ctx, table(1, 1, 1000, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if s.Stats().Rows != 0 {
		t.Error("it left a row")
	}
}

// removeClean makes dir look as after a kill.
func removeClean(t testing.TB, dir string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, cleanName)); err != nil {
		t.Fatal(err)
	}
}
