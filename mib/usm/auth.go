package usm

import (
	"crypto/hmac"
	"crypto/subtle"
	"hash"
	"sync"
)

// An authKey signs and verifies messages. It is safe for concurrent use.
type authKey struct {
	sent int // octets of the digest that a message has

	mu  sync.Mutex // guards what follows, which is kept to allocate nothing
	mac hash.Hash
	sum [64]byte
}

func newAuthKey(a AuthProtocol, key []byte) *authKey {
	return &authKey{sent: auths[a].sent, mac: hmac.New(auths[a].new, key)}
}

// zeros stand in for the digest while it is computed (RFC 3414 §6.3.1).
var zeros [maxDigest]byte

// compute leaves the digest of message in k.sum, without the octets from offset at
// on, where the digest itself belongs.
func (k *authKey) compute(message []byte, at int) []byte {
	k.mac.Reset()
	k.mac.Write(message[:at])
	k.mac.Write(zeros[:k.sent])
	k.mac.Write(message[at+k.sent:])
	return k.mac.Sum(k.sum[:0])[:k.sent]
}

// sign writes the digest of message at offset at.
func (k *authKey) sign(message []byte, at int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	copy(message[at:], k.compute(message, at))
}

// verify reports whether the digest at offset at is that of message. It takes as
// long for a wrong digest as for the right one.
func (k *authKey) verify(message []byte, at int) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return subtle.ConstantTimeCompare(message[at:at+k.sent], k.compute(message, at)) == 1
}

// spend takes the time that verify takes.
func (k *authKey) spend(message []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.mac.Reset()
	k.mac.Write(message)
	k.mac.Sum(k.sum[:0])
}
