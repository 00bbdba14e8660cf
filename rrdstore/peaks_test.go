package rrdstore

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"lvs/dataplane"
)

// busier is table(2, 3, …) with that many connections on every real server, and
// peaks to match.
func busier(tick int64, connections uint32) *dataplane.Snapshot {
	snap := table(2, 3, tick, uint64(connections))
	snap.Director.Connections, snap.Director.HasConnections = uint64(connections), true
	snap.Director.Kernel, snap.Director.Peak = snap.Director.Total, uint64(connections)
	for i := range snap.Services {
		svc := &snap.Services[i]
		svc.Peak = 3 * uint64(connections)
		for j := range svc.Reals {
			r := &svc.Reals[j]
			r.Active, r.Inactive, r.Persistent, r.Weight = connections-connections/3, connections/3, 0, 1
			r.Peak = uint64(connections)
		}
	}
	return snap
}

// openMortal opens a store that abandon may end.
func openMortal(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// peaks are those remembered, in the order of Remembered: the director's, and of
// each service its own and its real servers'.
func peaks(t *testing.T, s *Store) (all []uint64) {
	t.Helper()
	for _, a := range mustRemember(t, s) {
		all = append(all, a.Peak)
	}
	return all
}

// peaksOf are those that so many connections leave.
func peaksOf(n uint64) []uint64 { return []uint64{n, 3 * n, n, n, n, 3 * n, n, n, n} }

// While more and more connections come, one record is written with each keyframe,
// and none when no more come.
func TestRisingPeaksAreWrittenWithKeyframes(t *testing.T) {
	s := mustOpen(t, t.TempDir(), Options{})
	const rows = 800
	keyframes, written := 0, 0
	for i := range 2 * rows {
		mustCommit(t, s, busier(firstTick+10*int64(i), uint32(100+min(i, rows-1))))
		if i > 0 && len(s.puts) > 0 {
			t.Fatalf("row %d: %d accounts are written", i, len(s.puts))
		}
		if s.writer.since == 0 && i < rows {
			keyframes++
		}
		if n := len(s.peakRecord); n > 0 {
			written++
			if s.writer.since != 0 || n > 64 {
				t.Fatalf("row %d, %d after a keyframe: %d bytes of peaks", i, s.writer.since, n)
			}
		}
	}
	if keyframes < rows/keyframeEvery || written > keyframes+1 || written < keyframes-1 {
		t.Errorf("%d keyframes in %d rows, and peaks written with %d", keyframes, rows, written)
	}
	if got := peaks(t, s); !slices.Equal(got, peaksOf(100+rows-1)) {
		t.Errorf("peaks %v", got)
	}
}

// A process that dies leaves every peak that was committed: of rows, and of
// samples that no row has.
func TestPeaksOutliveACrash(t *testing.T) {
	dir := t.TempDir()
	tick, want := int64(firstTick), uint64(0)
	for round, rows := range []int{1, 70, 500, 3, 65} {
		s := openMortal(t, dir)
		if got := peaks(t, s); round > 0 && !slices.Equal(got, peaksOf(want)) {
			t.Errorf("round %d: peaks %v, want %d", round, got, want)
		}
		for i := range rows {
			n := uint32(mix(uint64(round), uint64(i)) % 10_000)
			snap := busier(tick, n)
			want = max(want, uint64(n))
			if i == rows-1 && round%2 == 0 {
				want += 1000 // was seen, and not stored
			}
			settle := func(a *dataplane.Account, scale uint64) { a.Peak = scale * want }
			settle(&snap.Director.Account, 1)
			for i := range snap.Services {
				settle(&snap.Services[i].Account, 3)
				for j := range snap.Services[i].Reals {
					settle(&snap.Services[i].Reals[j].Account, 1)
				}
			}
			mustCommit(t, s, snap)
			tick += 10
		}
		if got := peaks(t, s); !slices.Equal(got, peaksOf(want)) {
			t.Errorf("round %d before the crash: peaks %v, want %d", round, got, want)
		}
		abandon(t, s)
	}
	checkNow(t, dir)
}

// An account that began anew is not credited with what an older one of the same
// number had, in rows of the same window.
func TestPeakOfAnAccountThatBeganAnew(t *testing.T) {
	dir := t.TempDir()
	s := openMortal(t, dir)
	mustCommit(t, s, busier(firstTick, 900))
	for i := range int64(3) {
		snap := busier(firstTick+10+10*i, 50)
		eachAccount(snap, func(_ identity, a *dataplane.Account) { a.FirstSeen = tickAt(firstTick + 10) })
		snap.Director.Peak = 900
		mustCommit(t, s, snap)
	}
	want := append([]uint64{900}, peaksOf(50)[1:]...)
	if got := peaks(t, s); !slices.Equal(got, want) {
		t.Errorf("peaks %v, want %v", got, want)
	}
	abandon(t, s)
	s = mustOpen(t, dir, Options{})
	if got := peaks(t, s); !slices.Equal(got, want) {
		t.Errorf("after a crash: peaks %v, want %v", got, want)
	}
}

// What is gone keeps its peak, whichever rows go.
func TestPeakOfWhatIsGone(t *testing.T) {
	dir := t.TempDir()
	s := openMortal(t, dir)
	mustCommit(t, s, busier(firstTick, 10))
	mustCommit(t, s, busier(firstTick+10, 900))
	less := busier(firstTick+20, 20)
	less.Services = less.Services[:1]
	mustCommit(t, s, less)
	for range 2 {
		abandon(t, s)
		s = openMortal(t, dir)
		if got := peaks(t, s); !slices.Equal(got, peaksOf(900)) {
			t.Errorf("peaks %v", got)
		}
		less = busier(s.Stats().Newest.Unix()+10, 20)
		less.Services = less.Services[:1]
		mustCommit(t, s, less)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// A record without any of the new fields is as it always was; with one, programs
// that would take it for damage refuse it as newer.
func TestRecordVersionSaysWhatItNeeds(t *testing.T) {
	k := seriesKey{sidOf(1, 0), firstTick}
	old := record{id: identity{key: testKey(0)}, firstSeen: stampOf(tickAt(firstTick)), lastSeen: noStamp, lastReset: noStamp, lastChange: noStamp, follows: true}
	const want = "010910"
	if got := fmt.Sprintf("%x", old.append(nil, k)[:3]); got != want {
		t.Errorf("a record of before begins with %s, want %s", got, want)
	}
	for name, change := range map[string]func(*record){
		"peak": func(r *record) { r.peak = 1 }, "changes": func(r *record) { r.changes = 1 }, "failures": func(r *record) { r.failures = 1 },
	} {
		r := old
		change(&r)
		if v := r.append(nil, k); v[0] != seriesVersion {
			t.Errorf("with %s: version %d", name, v[0])
		}
	}
	row := seal([]byte{seriesVersion, 0}, 0, bucketRow, firstTick, rowKey{firstTick, 0}.bytes())
	if _, err := unseal(row, bucketRow, firstTick, rowKey{firstTick, 0}.bytes()); !isNewer(err) {
		t.Errorf("a row of version %d: %v, want ErrNewer", seriesVersion, err)
	}
}

// A store of before tells no changes and no peaks but what its last window's rows
// do, and takes them from then on.
func TestStoreOfBeforeGainsPeaks(t *testing.T) {
	dir := t.TempDir()
	writeOldHead(t, dir)
	s := mustOpen(t, dir, Options{Step: time.Minute})
	for _, a := range mustRemember(t, s) {
		if a.Changes != 0 || a.Failures != 0 || !a.RIP.IsValid() && a.Key.IsValid() && !a.LastChange.IsZero() {
			t.Errorf("%v %v: %+v", a.Key, a.RIP, a.Account)
		}
	}
	mustCommit(t, s, busier(firstTick+60*150, 5000))
	if got := peaks(t, s); !slices.Equal(got, peaksOf(5000)) {
		t.Errorf("peaks %v", got)
	}
}
