package usm

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// mustBoot boots and wants an identity that is as good as the one before.
func mustBoot(t *testing.T, dir string) Identity {
	t.Helper()
	id, err := Boot(dir)
	if err != nil {
		t.Fatal(err)
	}
	if id.Replaced != nil {
		t.Fatal(id.Replaced)
	}
	if err := checkEngineID(id.EngineID); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestBootCounts(t *testing.T) {
	dir := t.TempDir()
	first := mustBoot(t, dir)
	if len(first.EngineID) != 17 || !bytes.HasPrefix(first.EngineID, []byte("\x80\x00\x20\x21\x05")) || first.Boots != 1 {
		t.Errorf("the first identity is %+v", first)
	}
	for boots := int32(2); boots < 12; boots++ {
		if id := mustBoot(t, dir); !bytes.Equal(id.EngineID, first.EngineID) || id.Boots != boots {
			t.Errorf("boot %d is %+v", boots, id)
		}
	}
	info, err := os.Stat(filepath.Join(dir, identityName))
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v; want mode 0600", info, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*.new")); err != nil || left != nil {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestBootsDiffer(t *testing.T) {
	seen := map[string]bool{}
	for _, dir := range []string{"", "", t.TempDir(), t.TempDir()} {
		id := mustBoot(t, dir)
		if seen[string(id.EngineID)] || id.Boots != 1 {
			t.Errorf("%+v is not new", id)
		}
		seen[string(id.EngineID)] = true
	}
}

// TestBootDamaged cuts the file anywhere and turns each of its bits over: the
// engine is either the next boot of the old one or a new one, and then it says
// why.
func TestBootDamaged(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, identityName)
	for range 9 {
		mustBoot(t, dir)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	old, err := parseIdentity(whole)
	if err != nil {
		t.Fatal(err)
	}
	try := func(what string, at int, text []byte) {
		t.Helper()
		// The files that the agent writes itself are TestBootCounts's concern;
		// these are thousands, and none is worth a wait for the disk.
		id, err := parseIdentity(text)
		if err == nil {
			t.Errorf("%s %d: taken for %+v", what, at, id)
		}
	}
	for n := range whole {
		try("cut at", n, whole[:n])
	}
	for bit := range 8 * len(whole) {
		damaged := slices.Clone(whole)
		damaged[bit/8] ^= 1 << (bit % 8)
		try("bit", bit, damaged)
	}
	for name, text := range map[string][]byte{
		"empty": nil, "cut": whole[:len(whole)/2], "twice": slices.Concat(whole, whole), "zeros": make([]byte, len(whole)),
		"boot 0":           (&Identity{EngineID: old.EngineID}).text(),
		"short engine ID":  (&Identity{EngineID: []byte("four"), Boots: 3}).text(),
		"engine ID of all": (&Identity{EngineID: bytes.Repeat([]byte{0xff}, 12), Boots: 3}).text(),
	} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		id, err := Boot(dir)
		if err != nil || id.Replaced == nil || bytes.Equal(id.EngineID, old.EngineID) || id.Boots != 1 {
			t.Errorf("%s: %+v, %v", name, id, err)
		}
		if next := mustBoot(t, dir); !bytes.Equal(next.EngineID, id.EngineID) || next.Boots != 2 {
			t.Errorf("%s: then %+v", name, next)
		}
	}
}

// TestBootLast stays at the last boot.
func TestBootLast(t *testing.T) {
	dir := t.TempDir()
	id := Identity{EngineID: testID().EngineID, Boots: maxBoots - 1}
	if err := os.WriteFile(filepath.Join(dir, identityName), id.text(), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if got := mustBoot(t, dir); got.Boots != maxBoots || !bytes.Equal(got.EngineID, id.EngineID) {
			t.Errorf("%+v", got)
		}
	}
}

// TestBootInterrupted finds what a boot left that was cut off before its end.
func TestBootInterrupted(t *testing.T) {
	dir := t.TempDir()
	first := mustBoot(t, dir)
	if err := os.WriteFile(filepath.Join(dir, identityName+".new"), []byte("# The SNMP eng"), 0o600); err != nil {
		t.Fatal(err)
	}
	if id := mustBoot(t, dir); !bytes.Equal(id.EngineID, first.EngineID) || id.Boots != 2 {
		t.Errorf("%+v after %+v", id, first)
	}
}

// TestBootFails has it say so where the boot cannot be kept: an engine that
// answered then would do so again under the same boot.
func TestBootFails(t *testing.T) {
	dir := t.TempDir()
	if _, err := Boot(filepath.Join(dir, "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, identityName), 0o700); err != nil {
		t.Fatal(err)
	}
	if id, err := Boot(dir); err == nil {
		t.Errorf("a directory in its place: %+v", id)
	}
	dir = t.TempDir()
	first := mustBoot(t, dir)
	if err := os.Mkdir(filepath.Join(dir, identityName+".new"), 0o700); err != nil {
		t.Fatal(err)
	}
	if id, err := Boot(dir); err == nil {
		t.Errorf("nowhere to write: %+v", id)
	}
	if err := os.Remove(filepath.Join(dir, identityName+".new")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if id := mustBoot(t, dir); !bytes.Equal(id.EngineID, first.EngineID) || id.Boots != 2 {
		t.Errorf("%+v after %+v and a boot that failed", id, first)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, id := range map[string]Identity{
		"zero":       {},
		"no boot":    {EngineID: testID().EngineID},
		"short":      {EngineID: []byte("four"), Boots: 1},
		"long":       {EngineID: bytes.Repeat([]byte("e"), 33), Boots: 1},
		"all zeros":  {EngineID: make([]byte, 12), Boots: 1},
		"before all": {EngineID: testID().EngineID, Boots: -1},
	} {
		if e, err := New(id, nil); err == nil || e != nil {
			t.Errorf("%s: %v, %v", name, e, err)
		}
	}
}
