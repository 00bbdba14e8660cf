package usm

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"os"
	"path/filepath"
)

// identityName is the file of a state directory that holds an Identity.
const identityName = "snmp-engine"

// enterprise is the private enterprise number that our MIB is below, with the bit
// that says that the engine ID is made as RFC 3411 §5 has it.
const enterprise = 1<<31 | 8225

// maxBoots is where snmpEngineBoots stays (RFC 3414 §2.3). An engine that
// arrived there answers no authenticated request; one restart a second gets
// there in 68 years.
const maxBoots = math.MaxInt32

// An Identity is what managers know an engine by. A manager takes a request for
// old, and so does the engine, by the boots and the seconds since; so boots must
// never be again what they were under the same engine ID.
type Identity struct {
	EngineID []byte // snmpEngineID, 5 to 32 octets
	Boots    int32  // snmpEngineBoots, 1 to 2147483647
	// Replaced is why EngineID is a new one although the state directory held
	// one; nil if it did not, or if EngineID is the one it held. Managers find the
	// new one by themselves; keys localized to the old one are of no more use.
	Replaced error
}

// Boot reads the identity that the agent has in the state directory dir, counts
// one boot more and returns when that is on the disk: only then may the engine
// answer. Where there is no identity yet, or a damaged one, a new one begins at
// boot 1; its engine ID is random, so it is no other machine's. An empty dir
// keeps nothing: each process is a new engine. One process at a time may use a
// directory, and none that is another machine's copy.
func Boot(dir string) (Identity, error) {
	if dir == "" {
		return newIdentity(), nil
	}
	path := filepath.Join(dir, identityName)
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Identity{}, fmt.Errorf("usm: %w", err)
	}
	id, perr := parseIdentity(text)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		id = newIdentity()
	case perr != nil:
		id = newIdentity()
		id.Replaced = fmt.Errorf("usm: %s: %w", path, perr)
	case id.Boots < maxBoots:
		id.Boots++
	}
	if err := replaceFile(path, id.text()); err != nil {
		return Identity{}, fmt.Errorf("usm: %w", err)
	}
	return id, nil
}

// newIdentity makes an engine ID of format 5, "octets, administratively
// assigned" (RFC 3411 §5), from chance: addresses and names may change hands.
func newIdentity() Identity {
	id := make([]byte, 17)
	rand.Read(id) // does not fail
	e := uint32(enterprise)
	copy(id, []byte{byte(e >> 24), byte(e >> 16), byte(e >> 8), byte(e), 5})
	return Identity{EngineID: id, Boots: 1}
}

// identityFormat is the file's text before the line with its checksum.
const identityFormat = `# The SNMP engine of this machine: how managers know it, and how often it has
# started. Not for copying to other machines. Removing it begins a new engine.
engine %x
boots %d
`

// text is the file of id.
func (id *Identity) text() []byte {
	text := fmt.Appendf(nil, identityFormat, id.EngineID, id.Boots)
	return fmt.Appendf(text, "check %08x\n", crc32.ChecksumIEEE(text))
}

// parseIdentity is text's inverse. What is not exactly as text writes it is
// damaged.
func parseIdentity(text []byte) (id Identity, err error) {
	var sum uint32
	_, err = fmt.Sscanf(string(text), identityFormat+"check %x\n", &id.EngineID, &id.Boots, &sum)
	if err != nil || !bytes.Equal(id.text(), text) || checkEngineID(id.EngineID) != nil || id.Boots < 1 {
		return Identity{}, errors.New("is damaged")
	}
	return id, nil
}

// checkEngineID refuses what SnmpEngineID of RFC 3411 §5 refuses.
func checkEngineID(id []byte) error {
	if len(id) < 5 || len(id) > 32 {
		return fmt.Errorf("an engine ID has 5 to 32 octets, not %d", len(id))
	}
	if bytes.Count(id, []byte{0}) == len(id) || bytes.Count(id, []byte{0xff}) == len(id) {
		return errors.New("an engine ID is not all zeros or ones")
	}
	return nil
}

// replaceFile writes a file whole or not at all, and returns when it would
// outlast a power cut.
func replaceFile(path string, text []byte) error {
	made := path + ".new"
	f, err := os.OpenFile(made, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(made, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(made))
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
