//go:build lab

package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"lvs/internal/lab"
)

// What the log says at every start without SNMP, and with a table to read.
var started = []string{"INFO starting lvs-agent", "INFO Listening on", "INFO TLS is disabled", "INFO reading the kernel's table"}

func (a *agent) head() string { return filepath.Join(a.store(), "head.db") }

// TestLabFaultDiskFull fills the disk below the store and frees it again.
func TestLabFaultDiskFull(t *testing.T) {
	smallTable(t)
	a := unstarted(t, "--snmp.agentx=off")
	if err := os.Mkdir(a.store(), 0o700); err != nil {
		t.Fatal(err)
	}
	lab.Run(t, "mount", "-t", "tmpfs", "-o", "size=4m", "small", a.store())
	t.Cleanup(func() { lab.Run(t, "umount", "-l", a.store()) })
	log := journal{a: a}
	a.begin()
	a.ready()
	first := a.sampled().Tick
	log.want(started...)

	ballast := filepath.Join(a.store(), "ballast")
	b := make([]byte, 5<<20)
	if err := os.WriteFile(ballast, b, 0o600); err == nil {
		t.Fatal("5 MiB went onto a disk of 4")
	}
	// New services take room for their accounts.
	var table strings.Builder
	for i := range 1200 {
		fmt.Fprintf(&table, "-A -t 192.0.2.40:%d -s rr\n", i+1)
	}
	lab.RunInput(t, []byte(table.String()), "ipvsadm", "-R")
	a.awaitUp("store", false)
	full := a.sampled()
	if len(full.Services) != 1202 || full.Stale || !a.up("kernel") {
		t.Errorf("%d services, stale %v: want all that is in the table", len(full.Services), full.Stale)
	}
	log.want("ERROR no space left on device")
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	a.awaitUp("store", true)
	log.want("INFO samples are stored again")
	last := a.sampled()
	a.terminate()
	log.want("INFO stopping")
	old, fresh := a.ticks("tcp/192.0.2.10:80"), a.ticks("tcp/192.0.2.40:1200")
	if !slices.Contains(old, first) || !slices.Contains(old, last.Tick) || !slices.Contains(fresh, last.Tick) {
		t.Errorf("the history has ticks %v and, of a service made while the disk was full, %v; want %v and %v in it", old, fresh, first, last.Tick)
	}
	if slices.Contains(old, full.Tick) {
		t.Errorf("tick %v is stored, though the disk was full then", full.Tick)
	}
	if m, err := filepath.Glob(a.head() + ".damaged*"); err != nil || len(m) > 0 {
		t.Errorf("a full disk is no damage, but %v were put aside (%v)", m, err)
	}
}

// TestLabFaultDiskHangs freezes the file system below the store: what writes to it
// waits, as for a disk that does not answer.
func TestLabFaultDiskHangs(t *testing.T) {
	smallTable(t)
	a := unstarted(t, "--snmp.agentx=off")
	image := filepath.Join(a.dir, "image")
	if err := os.Mkdir(a.store(), 0o700); err != nil {
		t.Fatal(err)
	}
	lab.Run(t, "truncate", "-s", "40M", image)
	lab.Run(t, "mkfs.ext4", "-q", "-F", image)
	lab.Run(t, "modprobe", "-a", "loop", "ext4")
	lab.Run(t, "mount", "-o", "loop", image, a.store())
	t.Cleanup(func() { lab.Run(t, "umount", "-l", a.store()) })
	log := journal{a: a}
	a.begin()
	a.ready()
	before := a.sampled()
	log.want(started...)

	lab.Run(t, "fsfreeze", "-f", a.store())
	frozen := true
	thaw := func() {
		if frozen {
			frozen = false
			lab.Run(t, "fsfreeze", "-u", a.store())
		}
	}
	defer thaw()
	a.awaitUp("store", false)
	during := a.sampled()
	if !during.Tick.After(before.Tick) || during.Stale {
		t.Errorf("tick %v after %v, stale %v: sampling waits for the disk", during.Tick, before.Tick, during.Stale)
	}
	a.metrics("") // nor does a scrape: it would for ever
	thaw()
	a.awaitUp("store", true)
	lab.Wait(t, "storing keeps up", func() bool {
		return strings.Count(a.log(), "storing is slow") == strings.Count(a.log(), "storing keeps up again")
	})
	after := a.sampled()
	a.terminate()
	log.want("INFO stopping")
	if !strings.Contains(a.log(), "storing is slow") {
		t.Error("the log does not say that storing is slow")
	}
	if ticks := a.ticks("tcp/192.0.2.10:80"); !slices.Contains(ticks, before.Tick) || !slices.Contains(ticks, after.Tick) {
		t.Errorf("the history has %v, want %v and %v in it", ticks, before.Tick, after.Tick)
	}
}

// TestLabFaultStoreLocked runs a second agent on the store of a first.
func TestLabFaultStoreLocked(t *testing.T) {
	smallTable(t)
	master := lab.SNMPD(t)
	first := unstarted(t, "--snmp.agentx=off")
	first.begin()
	first.ready()
	before := first.sampled()
	second := unstarted(t, "--snmp.agentx="+master.Unix)
	second.flags[slices.Index(second.flags, "--store.path="+second.store())] = "--store.path=" + first.store()
	log := journal{a: second}
	second.begin()
	second.ready()
	if doc := second.sampled(); len(doc.Services) != 2 {
		t.Errorf("the second agent serves %d services, want 2", len(doc.Services))
	}
	log.want(append(started, "INFO registered with the SNMP master",
		fmt.Sprintf("ERROR is in use by process %d; until", first.cmd.Process.Pid))...)
	second.awaitUp("store", false)
	first.awaitUp("store", true)
	w, err := parseWalk(walk(t, master, ""))
	if err != nil || len(w.rows) != 0 || len(w.scalars) == 0 {
		t.Errorf("SNMP has %v, %v, want scalars but no row, as their numbers are not known", w, err)
	}

	first.terminate()
	log.want("INFO samples are stored again")
	second.awaitUp("store", true)
	after := second.sampled()
	if !slices.EqualFunc(before.Services, after.Services, func(x, y serviceDocument) bool { return x.Key == y.Key && x.Number == y.Number }) {
		t.Errorf("row numbers changed: %+v, before %+v", after.Services, before.Services)
	}
	if !answered(t, master) {
		t.Error("SNMP does not have all rows")
	}
	second.terminate()
	if ticks := first.ticks("tcp/192.0.2.10:80"); !slices.Contains(ticks, before.Tick) || !slices.Contains(ticks, after.Tick) {
		t.Errorf("the history has %v, want ticks of both agents, %v and %v", ticks, before.Tick, after.Tick)
	}
}

// TestLabFaultStoreDamaged damages the store while the agent is down.
func TestLabFaultStoreDamaged(t *testing.T) {
	smallTable(t)
	a := unstarted(t, "--snmp.agentx=off")
	a.begin()
	a.ready()
	a.sampled()
	a.terminate()
	whole, err := os.ReadFile(a.head())
	if err != nil {
		t.Fatal(err)
	}
	used := len(bytes.TrimRight(whole, "\x00"))
	log := journal{a: a}
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		name   string
		damage func() []byte
	}{
		{"cut", func() []byte { return whole[:used/2] }},
		{"overwritten", func() []byte {
			b := bytes.Clone(whole)
			for range 3 * used / 4096 { // so that no page stays whole
				at := random.IntN(used)
				binary.NativeEndian.PutUint64(b[at:min(at+8, len(b)):at+8], random.Uint64())
			}
			return b
		}},
		{"foreign", func() []byte { return bytes.Repeat([]byte("This is no database.\n"), 1000) }},
	} {
		if err := os.WriteFile(a.head(), c.damage(), 0o600); err != nil {
			t.Fatal(err)
		}
		log.skip()
		a.begin()
		a.ready()
		lines := log.want(append(started, "ERROR store was damaged, starting a new one")...)
		t.Logf("%s: %s", c.name, lines[len(lines)-1].text)
		a.awaitUp("store", true)
		tick := a.sampled().Tick
		a.terminate()
		if ticks := a.ticks("tcp/192.0.2.10:80"); !slices.Contains(ticks, tick) || len(ticks) > 10 {
			t.Errorf("%s: the new history has %v", c.name, ticks)
		}
	}
	if aside, err := filepath.Glob(a.head() + ".damaged-*"); err != nil || len(aside) != 2 {
		t.Errorf("%v are kept aside (%v), want the newest two", aside, err)
	}
}

// TestLabFaultStoreNewer starts the agent on the store of a later version of it.
func TestLabFaultStoreNewer(t *testing.T) {
	smallTable(t)
	master := lab.SNMPD(t)
	a := unstarted(t, "--snmp.agentx="+master.Unix)
	a.begin()
	a.ready()
	a.terminate()
	makeNewer(t, a.head())
	before, err := os.ReadFile(a.head())
	if err != nil {
		t.Fatal(err)
	}
	log := journal{a: a}
	log.skip()
	a.begin()
	a.ready()
	doc := a.sampled()
	time.Sleep(2 * time.Second) // for attempts to be made again
	log.want(append(started, "INFO registered with the SNMP master", "ERROR newer version")...)
	if len(doc.Services) != 2 || doc.Stale || a.up("store") || !a.up("agentx") {
		t.Errorf("%d services, stale %v, component store %v, agentx %v; want all but the store",
			len(doc.Services), doc.Stale, a.up("store"), a.up("agentx"))
	}
	if w, err := parseWalk(walk(t, master, "")); err != nil || len(w.rows) != 0 || len(w.scalars) == 0 {
		t.Errorf("SNMP has %v, %v, want scalars but no row, as their numbers are not known", w, err)
	}
	a.terminate()
	after, err := os.ReadFile(a.head())
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was changed (%v)", err)
	}
}

// makeNewer gives a store the schema after the one this version writes: of the
// record meta/schema the version of the record, that of the schema, and a CRC-32C
// of where it is and of both.
func makeNewer(t *testing.T, file string) {
	t.Helper()
	db, err := bbolt.Open(file, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		meta, key := tx.Bucket([]byte("meta")), []byte("schema")
		v := bytes.Clone(meta.Get(key)[:2])
		v[1]++
		place := append(append([]byte("meta"), 0, 0, 0, 0), key...)
		table := crc32.MakeTable(crc32.Castagnoli)
		return meta.Put(key, binary.BigEndian.AppendUint32(v, crc32.Checksum(append(place, v...), table)))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
