package usm

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// minPassphrase is how short a passphrase may be (RFC 3414 §11.2).
const minPassphrase = 8

// stretched is how much of a repeated passphrase is hashed (RFC 3414 §A.2).
const stretched = 1 << 20

// ku makes the key of a passphrase that is the same for every engine: the hash of
// a mebibyte of it, repeated (RFC 3414 §A.2.2). It takes 1 to 3 ms.
func (a AuthProtocol) ku(passphrase []byte) []byte {
	// A whole number of repetitions in a block of about 4 KiB spares copying.
	block := make([]byte, 0, len(passphrase)*(4096/len(passphrase)+1))
	for len(block) < cap(block) {
		block = append(block, passphrase...)
	}
	h := auths[a].new()
	for left := stretched; left > 0; left -= len(block) {
		h.Write(block[:min(left, len(block))])
	}
	return h.Sum(nil)
}

// localize binds a key to one engine, so that what one machine gives away is of
// no use at others (RFC 3414 §A.2.2).
func (a AuthProtocol) localize(ku, engineID []byte) []byte {
	h := auths[a].new()
	h.Write(ku)
	h.Write(engineID)
	h.Write(ku)
	return h.Sum(nil)
}

// extend makes a localized key as long as the cipher needs it.
func (p PrivProtocol) extend(a AuthProtocol, kul, engineID []byte) []byte {
	want := privs[p].key
	for last := kul; len(kul) < want; kul = append(kul, last...) {
		if privs[p].reeder {
			last = a.localize(a.ku(last), engineID)
			continue
		}
		h := auths[a].new()
		h.Write(kul)
		last = h.Sum(nil)
	}
	return kul[:want]
}

// A keyring makes localized keys and remembers what costs time, for as long as
// one table of users takes to be made: users often share a passphrase.
type keyring struct {
	engineID []byte
	kus      map[passphrase][]byte
}

type passphrase struct {
	auth AuthProtocol
	text string
}

// localized makes the localized key of a secret, a passphrase or a key in hex
// digits after 0x, that has to have size octets.
func (r *keyring) localized(a AuthProtocol, secret string, size int) (key []byte, ready bool, err error) {
	digits, ready := strings.CutPrefix(secret, "0x")
	if ready {
		key, err = hex.DecodeString(digits)
		// The error of package hex would show a part of the secret.
		if err != nil || len(key) != size {
			return nil, true, fmt.Errorf("a localized key is 0x and %d hex digits here", 2*size)
		}
		return key, true, nil
	}
	if len(secret) < minPassphrase {
		return nil, false, fmt.Errorf("a passphrase has at least %d characters", minPassphrase)
	}
	if len(secret) > stretched {
		return nil, false, errors.New("the passphrase is longer than can be used")
	}
	ku := r.kus[passphrase{a, secret}]
	if ku == nil {
		ku = a.ku([]byte(secret))
		r.kus[passphrase{a, secret}] = ku
	}
	return a.localize(ku, r.engineID), false, nil
}

// auth makes the key that a secret authenticates with.
func (r *keyring) auth(a AuthProtocol, secret string) (*authKey, error) {
	key, _, err := r.localized(a, secret, auths[a].new().Size())
	if err != nil {
		return nil, err
	}
	return newAuthKey(a, key), nil
}

// priv makes the key that a secret encrypts with. Its passphrase is hashed as the
// authentication's is (RFC 3826 §3.1.2.1).
func (r *keyring) priv(p PrivProtocol, a AuthProtocol, secret string) (*privKey, error) {
	key, ready, err := r.localized(a, secret, privs[p].key)
	if err != nil {
		return nil, err
	}
	if !ready {
		key = p.extend(a, key, r.engineID)
	}
	return newPrivKey(key)
}
