package usm

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"
	"strings"
)

// A Level is a snmpSecurityLevel, with the numbers of RFC 3411 §5. Higher levels
// protect more.
type Level uint8

// The levels there are. The zero Level means that none is told.
const (
	NoAuthNoPriv Level = 1 // neither authenticated nor encrypted
	AuthNoPriv   Level = 2 // authenticated
	AuthPriv     Level = 3 // authenticated and encrypted
)

// String names the level as RFC 3411 does.
func (l Level) String() string {
	switch l {
	case NoAuthNoPriv:
		return "noAuthNoPriv"
	case AuthNoPriv:
		return "authNoPriv"
	case AuthPriv:
		return "authPriv"
	}
	return fmt.Sprintf("level %d", uint8(l))
}

// An AuthProtocol is how a user's messages are authenticated: HMAC over one of
// the SHA hashes. The zero AuthProtocol is none.
type AuthProtocol uint8

// The authentication protocols. MD5 is not among them: it is broken, and every
// manager that has it has SHA1 as well.
const (
	NoAuth AuthProtocol = iota
	SHA1                // usmHMACSHAAuthProtocol, RFC 3414 §7: what old pollers have at best; still sound as HMAC
	SHA224              // usmHMAC128SHA224AuthProtocol, RFC 7860, as the following
	SHA256              // usmHMAC192SHA256AuthProtocol
	SHA384              // usmHMAC256SHA384AuthProtocol
	SHA512              // usmHMAC384SHA512AuthProtocol
)

// auths are the properties of the authentication protocols.
var auths = [...]struct {
	name string
	new  func() hash.Hash
	sent int // octets of the digest that a message has
}{
	NoAuth: {name: "none"},
	SHA1:   {"SHA-1", sha1.New, 12},
	SHA224: {"SHA-224", sha256.New224, 16},
	SHA256: {"SHA-256", sha256.New, 24},
	SHA384: {"SHA-384", sha512.New384, 32},
	SHA512: {"SHA-512", sha512.New, 48},
}

// maxDigest is the most octets that a digest in a message has.
const maxDigest = 48

// valid reports whether a is one of the protocols, or none.
func (a AuthProtocol) valid() bool { return int(a) < len(auths) }

// String names the protocol: "SHA-256".
func (a AuthProtocol) String() string {
	if !a.valid() {
		return fmt.Sprintf("authentication protocol %d", uint8(a))
	}
	return auths[a].name
}

// ParseAuth reads the name of an authentication protocol in the spellings that
// are in use: "SHA-256", "sha256", and "SHA" for SHA-1; "none" and "" are none.
func ParseAuth(s string) (AuthProtocol, error) {
	switch plain(s) {
	case "", "none":
		return NoAuth, nil
	case "sha", "sha1":
		return SHA1, nil
	case "sha224":
		return SHA224, nil
	case "sha256":
		return SHA256, nil
	case "sha384":
		return SHA384, nil
	case "sha512":
		return SHA512, nil
	case "md5":
		return NoAuth, fmt.Errorf("usm: authentication protocol %q is broken and not supported; use SHA-256", s)
	}
	return NoAuth, fmt.Errorf("usm: authentication protocol %q; want SHA-1, SHA-224, SHA-256, SHA-384, SHA-512 or none", s)
}

// A PrivProtocol is how a user's messages are encrypted: AES in CFB mode. The
// zero PrivProtocol is not at all.
type PrivProtocol uint8

// The privacy protocols. DES is not among them: it is broken. AES128 is the one
// with an RFC. The others differ from one another where the authentication
// protocol's hash is shorter than the key: AES192 and AES256 lengthen it as
// Net-SNMP does (draft-blumenthal-aes-usm-04 §3.1.2.1), the C forms as Cisco's
// devices do (draft-reeder-snmpv3-usm-3desede-00 §2.1).
const (
	NoPriv  PrivProtocol = iota
	AES128               // usmAesCfb128Protocol, RFC 3826
	AES192               //
	AES256               //
	AES192C              //
	AES256C              //
)

// privs are the properties of the privacy protocols.
var privs = [...]struct {
	name   string
	key    int // octets
	reeder bool
}{
	NoPriv:  {name: "none"},
	AES128:  {"AES-128", 16, false},
	AES192:  {"AES-192", 24, false},
	AES256:  {"AES-256", 32, false},
	AES192C: {"AES-192-C", 24, true},
	AES256C: {"AES-256-C", 32, true},
}

// valid reports whether p is one of the protocols, or none.
func (p PrivProtocol) valid() bool { return int(p) < len(privs) }

// String names the protocol: "AES-128".
func (p PrivProtocol) String() string {
	if !p.valid() {
		return fmt.Sprintf("privacy protocol %d", uint8(p))
	}
	return privs[p].name
}

// ParsePriv reads the name of a privacy protocol in the spellings that are in
// use: "AES-128", "aes128", and "AES" for AES-128; "none" and "" are none.
func ParsePriv(s string) (PrivProtocol, error) {
	switch plain(s) {
	case "", "none":
		return NoPriv, nil
	case "aes", "aes128":
		return AES128, nil
	case "aes192":
		return AES192, nil
	case "aes256":
		return AES256, nil
	case "aes192c":
		return AES192C, nil
	case "aes256c":
		return AES256C, nil
	case "des", "3des":
		return NoPriv, fmt.Errorf("usm: privacy protocol %q is broken and not supported; use AES-128", s)
	}
	return NoPriv, fmt.Errorf("usm: privacy protocol %q; want AES-128, AES-192, AES-256, AES-192-C, AES-256-C or none", s)
}

// plain strips a protocol's name of what spellings differ in.
func plain(s string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(s))
}
