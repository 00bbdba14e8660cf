package usm

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"sync"
)

// saltLen is how many octets of the initialization vector a message has.
const saltLen = 8

// A privKey encrypts and decrypts with AES in CFB mode, 128 bits at a time (RFC
// 3826 §3.1.3), in place. It is safe for concurrent use.
type privKey struct {
	block cipher.Block

	mu     sync.Mutex // guards what follows, which is kept to allocate nothing
	iv, ks [aes.BlockSize]byte
}

func newPrivKey(key []byte) (*privKey, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return &privKey{block: block}, nil
}

// start puts the initialization vector together (RFC 3826 §3.1.2.1).
func (k *privKey) start(boots, time int32, salt []byte) {
	binary.BigEndian.PutUint32(k.iv[0:], uint32(boots))
	binary.BigEndian.PutUint32(k.iv[4:], uint32(time))
	copy(k.iv[8:], salt)
}

// encrypt encrypts data with saltLen octets of salt.
func (k *privKey) encrypt(data []byte, boots, time int32, salt []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.start(boots, time, salt)
	for last := k.iv[:]; len(data) > 0; {
		k.block.Encrypt(k.ks[:], last)
		if len(data) < aes.BlockSize {
			xor(data, &k.ks)
			return
		}
		xorBlock(data, &k.ks)
		last, data = data[:aes.BlockSize], data[aes.BlockSize:]
	}
}

// decrypt decrypts data.
func (k *privKey) decrypt(data []byte, boots, time int32, salt []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.start(boots, time, salt)
	for len(data) > 0 {
		k.block.Encrypt(k.ks[:], k.iv[:])
		if len(data) < aes.BlockSize {
			xor(data, &k.ks)
			return
		}
		copy(k.iv[:], data)
		xorBlock(data, &k.ks)
		data = data[aes.BlockSize:]
	}
}

// xorBlock is xor for a whole block, eight octets at a time.
func xorBlock(data []byte, ks *[aes.BlockSize]byte) {
	le := binary.LittleEndian
	le.PutUint64(data[0:], le.Uint64(data[0:])^le.Uint64(ks[0:]))
	le.PutUint64(data[8:16], le.Uint64(data[8:16])^le.Uint64(ks[8:]))
}

func xor(data []byte, ks *[aes.BlockSize]byte) {
	for i := range data {
		data[i] ^= ks[i]
	}
}
