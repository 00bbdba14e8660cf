package rrdstore

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// A disk is what both files hold at one time.
type disk map[string][]byte

func readDisk(t *testing.T, dir string) disk {
	t.Helper()
	d := make(disk)
	for _, name := range []string{headName, archName} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		d[name] = b
	}
	return d
}

// commits is how many transactions a file has seen.
func commits(file []byte) (most uint64) {
	for _, page := range [][]byte{file, file[pageSize:]} {
		most = max(most, binary.NativeEndian.Uint64(page[pageHeader+48:]))
	}
	return most
}

// powerCut is a file as a power cut may leave it in the midst of one transaction,
// which bbolt writes in two parts with a barrier after each: all new pages in any
// order, and then a meta page. Of the pages any sectors may have reached the disk;
// the meta page may have, may not have, or be torn.
func powerCut(rnd *rand.Rand, before, after []byte) []byte {
	metas := 2 * pageSize
	if rnd.IntN(4) == 0 { // after the first barrier
		image := bytes.Clone(after)
		switch rnd.IntN(3) {
		case 0:
			copy(image[:metas], before)
		case 1: // torn where no disk would
			for at := range 2 {
				n := pageHeader + rnd.IntN(metaSize)
				copy(image[at*pageSize+n:(at+1)*pageSize], before[at*pageSize+n:])
			}
		}
		return image
	}
	sector := []int{512, pageSize}[rnd.IntN(2)]
	image := bytes.Clone(before)
	if len(after) > len(before) && rnd.IntN(2) == 0 {
		image = append(image, make([]byte, len(after)-len(before))...)
	}
	share := rnd.Float64()
	for at := metas; at < len(after); at += sector {
		old := image[min(at, len(image)):min(at+sector, len(image))]
		if bytes.Equal(old, after[at:at+sector]) || rnd.Float64() > share {
			continue
		}
		if at >= len(image) { // it grew before anything was written there
			image = append(image, make([]byte, len(after)-len(image))...)
		}
		copy(image[at:], after[at:at+sector])
	}
	return image
}

// powerCuts is how many TestPowerCutLosesNoAcknowledgedTick makes.
func powerCuts() int {
	if n, err := strconv.Atoi(os.Getenv("LVS_POWER_CUTS")); err == nil {
		return n
	}
	return 40
}

// TestPowerCutLosesNoAcknowledgedTick lives through the chronicle and makes images
// of both files as power cuts may leave them: during a commit, during a part of
// maintenance, and during both at once. Each opens as it is, is sound, and has
// every tick of before.
func TestPowerCutLosesNoAcknowledgedTick(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := mustOpen(t, dir, chronicleOptions())
	c := &cutter{rnd: rand.New(rand.NewPCG(5, 5)), left: powerCuts(), each: 1 + powerCuts()/300}
	for step := uint64(0); c.left > 0; step++ {
		// What is done for the archive, and commits soon after, are looked at in
		// any case.
		busy := stepAt(step)%3600 < 40 || c.rnd.IntN(100) == 0
		before := disk(nil)
		if busy {
			before = readDisk(t, dir)
		}
		if err := tendChronicle(s, step); err != nil {
			t.Fatal(err)
		}
		for first := true; ; first = false {
			committed := disk(nil)
			if busy {
				committed = readDisk(t, dir)
				if first && chronicle(step) != nil {
					c.cut(t, before, committed, nil, step)
				}
			}
			more, err := s.Maintain(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !more {
				break
			}
			after := readDisk(t, dir)
			if first && busy && chronicle(step) != nil { // at once with the commit
				c.cut(t, before, committed, after, step)
			} else if busy {
				c.cut(t, committed, committed, after, step+1)
			}
		}
	}
	if c.during[archName] == 0 || c.during["both"] == 0 {
		t.Errorf("images of %v", c.during)
	}
	t.Logf("images of transactions of %v", c.during)
}

type cutter struct {
	rnd        *rand.Rand
	left, each int
	during     map[string]int
}

// cut makes images of the commit between two states, and of a transaction of the
// archive unless maintained is nil. All before step is acknowledged.
func (c *cutter) cut(t *testing.T, before, committed, maintained disk, step uint64) {
	t.Helper()
	what := headName
	head, arch := [2][]byte{before[headName], committed[headName]}, [2][]byte{committed[archName], committed[archName]}
	if maintained != nil {
		what = "both"
		arch[1] = maintained[archName]
		if commits(head[0]) == commits(head[1]) {
			what = archName
		}
	}
	for _, f := range [][2][]byte{head, arch} {
		if commits(f[1])-commits(f[0]) > 1 {
			return // more than one transaction: what lies between is not known
		}
	}
	if c.during == nil {
		c.during = make(map[string]int)
	}
	n := c.each
	if what != headName { // there are more commits than parts of maintenance
		n *= 3
	}
	for range min(n, c.left) {
		c.left--
		c.during[what]++
		dir := t.TempDir()
		for name, f := range map[string][2][]byte{headName: head, archName: arch} {
			if err := os.WriteFile(filepath.Join(dir, name), powerCut(c.rnd, f[0], f[1]), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		c.check(t, dir, step)
		if t.Failed() {
			t.Fatalf("image of a transaction of %s at step %d", what, step)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
}

// check opens an image and goes on with it.
func (c *cutter) check(t *testing.T, dir string, step uint64) {
	t.Helper()
	checkNow(t, dir)
	if t.Failed() {
		return
	}
	acknowledged := step - min(step, 1)
	if c.rnd.IntN(2) == 0 {
		r, err := OpenReader(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		checkChronicle(t, r, c.rnd, acknowledged)
		return
	}
	s, err := Open(dir, chronicleOptions())
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(3) {
		if err := tendChronicle(s, step+i); err != nil && !(i == 0 && s.Stats().Newest.Unix() == stepAt(step)) {
			t.Fatal(err)
		}
		mustMaintain(t, s)
	}
	r, err := s.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	checkChronicle(t, r, c.rnd, step+2)
	if got := s.Stats(); got.Aside != "" || got.Damaged != 0 {
		t.Errorf("stats %+v", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
