package usm

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"
)

// window is how far a request's time may be from the engine's, in seconds (RFC
// 3414 §2.2.3).
const window = 150

// An Engine protects an agent's messages. It is safe for concurrent use.
type Engine struct {
	id    []byte
	boots int32
	clock func() time.Duration // see newClock
	began time.Duration        // by it, when snmpEngineTime was 0

	users  atomic.Pointer[map[string]*user]
	nobody *authKey // costs what a user's costs, where there is no such user

	salt    atomic.Uint64
	counts  [DecryptionErrors + 1]atomic.Uint32
	replays replays
}

// New makes the engine of an identity that [Boot] returned, with users. The
// engine's time begins now. Passphrases take some milliseconds each; no users
// are allowed.
func New(id Identity, users []User) (*Engine, error) {
	if err := checkEngineID(id.EngineID); err != nil {
		return nil, fmt.Errorf("usm: %w", err)
	}
	if id.Boots < 1 {
		return nil, errors.New("usm: an engine that runs has booted")
	}
	e := &Engine{id: bytes.Clone(id.EngineID), boots: id.Boots, clock: newClock()}
	e.began = e.clock()
	var chance [8 + 32]byte
	rand.Read(chance[:]) // does not fail
	// From anywhere on, each is used once (RFC 3826 §3.1.2.1): 2^64 is enough.
	e.salt.Store(binary.BigEndian.Uint64(chance[:]))
	e.nobody = newAuthKey(SHA256, chance[8:])
	if err := e.SetUsers(users); err != nil {
		return nil, err
	}
	return e, nil
}

// SetUsers takes the place of all users. Where one is wrong, the error names each
// that is, without its secrets, and the users stay as they were. Requests that
// are under way are answered with the keys they came with.
func (e *Engine) SetUsers(users []User) error {
	made, err := makeUsers(e.id, users)
	if err != nil {
		return err
	}
	e.users.Store(&made)
	return nil
}

// ID is snmpEngineID; it is not to be changed.
func (e *Engine) ID() []byte { return e.id }

// Boots is snmpEngineBoots.
func (e *Engine) Boots() int32 { return e.boots }

// Time is snmpEngineTime: whole seconds since New, whatever is done to the
// machine's clock. It goes on while the machine is suspended, where the system
// tells (Linux), as managers' notion of it does: one that stood still for longer
// than the window would let nobody in. It stops after 68 years.
func (e *Engine) Time() int32 { return clamp(int64((e.clock() - e.began) / time.Second)) }

// clamp is the nearest number that snmpEngineTime can be.
func clamp(n int64) int32 { return int32(max(0, min(n, math.MaxInt32))) }
