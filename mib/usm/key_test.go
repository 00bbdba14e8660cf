package usm

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
)

// unhex reads hex digits, however spaced.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestKeys holds keys against published ones: SHA-1's are RFC 3414 §A.3.2 and
// §A.5.2, the lengthened ones draft-blumenthal and draft-reeder's; RFC 7860 has
// none, and those of SHA-2 are what independent implementations agree on.
func TestKeys(t *testing.T) {
	engineID := unhex(t, "00 00 00 00 00 00 00 00 00 00 00 02")
	for _, c := range []struct {
		auth            AuthProtocol
		priv            PrivProtocol
		passphrase      string
		ku, kul, longer string
	}{
		{SHA1, AES128, "maplesyrup", "9fb5cc0381497b3793528939ff788d5d79145211",
			"6695febc9288e36282235fc7151f128497b38f3f", "6695febc9288e36282235fc7151f1284"},
		{SHA1, AES256C, "maplesyrup", "", "", "6695febc9288e36282235fc7151f128497b38f3f 9b8b6d78936ba6e7d19dfd9c"},
		{SHA1, AES128, "newsyrup", "", "78e2dcce79d59403b58c1bbaa5bff46391f1cd25", ""},
		{SHA224, NoPriv, "maplesyrup", "282a5867ee9aac639ad59df9572c7d3ac0fbc13a905b6df07dbbf00b",
			"0bd8827c6e29f8065e08e09237f177e410f69b90e1782be682075674", ""},
		{SHA256, AES256, "maplesyrup", "ab51014d1e077f6017df2b12bee5f5aa72993177e9bb569c4dff5a4ca0b4afac",
			"8982e0e549e866db361a6b625d84cccc11162d453ee8ce3a6445c2d6776f0f8b",
			"8982e0e549e866db361a6b625d84cccc11162d453ee8ce3a6445c2d6776f0f8b"},
		{SHA384, AES192C, "maplesyrup", "e06eccdf2c68a06ed034723c9c26e0db3b669e1e2efed49150b55377a2e98f383c86fb836857444654b287c93f51ff64",
			"3b298f16164a11184279d5432bf169e2d2a48307de02b3d3f7e2b4f36eb6f0455a53689a3937eea07319a633d2ccba78",
			"3b298f16164a11184279d5432bf169e2d2a48307de02b3d3"},
		{SHA512, NoPriv, "maplesyrup",
			"7e4396de5aadc77be853819b98c9406265b3a9c37cc3176569847a4e4f6fba63dd3a73d04924d31a63f95a601f9385af6be4ed1b37f87d040f7c6ed6f8d38a91",
			"22a5a36cedfcc085807a128d7bc6c2382167ad6c0dbc5fdff856740f3d84c099ad1ea87a8db096714d9788bd544047c9021e4229ce27e4c0a69250adfcffbb0b", ""},
	} {
		ku := c.auth.ku([]byte(c.passphrase))
		kul := c.auth.localize(ku, engineID)
		for _, part := range []struct {
			what string
			got  []byte
			want string
		}{{"Ku", ku, c.ku}, {"Kul", kul, c.kul}, {"key", c.priv.extend(c.auth, kul, engineID), c.longer}} {
			if part.want != "" && hex.EncodeToString(part.got) != hex.EncodeToString(unhex(t, part.want)) {
				t.Errorf("%v, %v of %q: %s is %x, want %s", c.auth, c.priv, c.passphrase, part.what, part.got, part.want)
			}
		}
	}
}

// TestKeyOfAnyPassphrase holds ku against the plain way to say what it does.
func TestKeyOfAnyPassphrase(t *testing.T) {
	for _, n := range []int{8, 9, 63, 64, 65, 1000, 4095, 4096, 4097, 70000, stretched - 1, stretched} {
		text := []byte(strings.Repeat("passphrases that differ ", n/24+1)[:n])
		want := sha256.Sum256(bytes.Repeat(text, stretched/n+1)[:stretched])
		if got := SHA256.ku(text); string(got) != string(want[:]) {
			t.Errorf("%d octets: %x, want %x", n, got, want)
		}
	}
}

// TestPrivKnownAnswer is CFB128-AES of NIST SP 800-38A §F.3.13 and §F.3.17, and
// what is left over after the last block.
func TestPrivKnownAnswer(t *testing.T) {
	const plain = "6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51 30c81c46a35ce411e5fbc1191a0a52ef"
	for _, c := range []struct{ key, cipher string }{
		{"2b7e151628aed2a6abf7158809cf4f3c",
			"3b3fd92eb72dad20333449f8e83cfb4a c8a64537a0b3a93fcde3cdad9f1ce58b 26751f67a3cbb140b1808cf187a4f4df"},
		{"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
			"dc7e84bfda79164b7ecd8486985d3860 39ffed143b28b1c832113c6331e5407b df10132415e54b92a13ed0a8267ae2f9"},
	} {
		k, err := newPrivKey(unhex(t, c.key))
		if err != nil {
			t.Fatal(err)
		}
		salt := unhex(t, "08090a0b0c0d0e0f") // the vector 00 01 … 0f
		for n := range 49 {
			data := unhex(t, plain)[:n]
			k.encrypt(data, 0x00010203, 0x04050607, salt)
			if string(data) != string(unhex(t, c.cipher)[:n]) {
				t.Errorf("%d octets: encrypted to %x", n, data)
			}
			k.decrypt(data, 0x00010203, 0x04050607, salt)
			if string(data) != string(unhex(t, plain)[:n]) {
				t.Errorf("%d octets: decrypted to %x", n, data)
			}
		}
	}
}
