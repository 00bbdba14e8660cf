package notify

import (
	"fmt"
	"strings"

	"github.com/gosnmp/gosnmp"
)

// A User is one of SNMPv3's User-based Security Model (RFC 3414). It sends at
// the highest level that it has passphrases for.
type User struct {
	Name string // 1 to 32 octets
	// Auth is the authentication protocol: sha1, sha224, sha256, sha384 or
	// sha512; empty is none. Upper case and hyphens do not matter.
	Auth           string
	AuthPassphrase string // at least 8 octets
	// Priv is the privacy protocol: aes128 (or aes), aes192 or aes256, whose keys
	// are made as Net-SNMP makes them, or aes192c or aes256c, as Cisco does.
	// Empty is none; there is none without Auth.
	Priv           string
	PrivPassphrase string // at least 8 octets
}

var (
	authProtocols = map[string]gosnmp.SnmpV3AuthProtocol{"": gosnmp.NoAuth, "sha": gosnmp.SHA, "sha1": gosnmp.SHA,
		"sha224": gosnmp.SHA224, "sha256": gosnmp.SHA256, "sha384": gosnmp.SHA384, "sha512": gosnmp.SHA512}
	privProtocols = map[string]gosnmp.SnmpV3PrivProtocol{"": gosnmp.NoPriv, "aes": gosnmp.AES, "aes128": gosnmp.AES,
		"aes192": gosnmp.AES192, "aes256": gosnmp.AES256, "aes192c": gosnmp.AES192C, "aes256c": gosnmp.AES256C}
)

func (u *User) auth() (p gosnmp.SnmpV3AuthProtocol, ok bool) {
	p, ok = authProtocols[plain(u.Auth)]
	return p, ok
}

func (u *User) priv() (p gosnmp.SnmpV3PrivProtocol, ok bool) {
	p, ok = privProtocols[plain(u.Priv)]
	return p, ok
}

// plain is the name of a protocol without what does not matter.
func plain(name string) string { return strings.ToLower(strings.ReplaceAll(name, "-", "")) }

// minPassphrase is how short a passphrase may be (RFC 3414 §11.2).
const minPassphrase = 8

// check finds what is wrong, without telling a passphrase.
func (u *User) check() error {
	auth, okAuth := u.auth()
	priv, okPriv := u.priv()
	switch {
	case len(u.Name) == 0 || len(u.Name) > 32:
		return fmt.Errorf("user %q: a name of 1 to 32 octets is wanted", u.Name)
	case !okAuth:
		return fmt.Errorf("user %s: no authentication protocol %q", u.Name, u.Auth)
	case !okPriv:
		return fmt.Errorf("user %s: no privacy protocol %q", u.Name, u.Priv)
	case auth == gosnmp.NoAuth && priv != gosnmp.NoPriv:
		return fmt.Errorf("user %s: no privacy without authentication", u.Name)
	case auth != gosnmp.NoAuth && len(u.AuthPassphrase) < minPassphrase,
		priv != gosnmp.NoPriv && len(u.PrivPassphrase) < minPassphrase:
		return fmt.Errorf("user %s: a passphrase has at least %d octets", u.Name, minPassphrase)
	}
	return nil
}

// level is the security level that the user sends at.
func (u *User) level() gosnmp.SnmpV3MsgFlags {
	auth, _ := u.auth()
	priv, _ := u.priv()
	switch {
	case priv != gosnmp.NoPriv:
		return gosnmp.AuthPriv
	case auth != gosnmp.NoAuth:
		return gosnmp.AuthNoPriv
	}
	return gosnmp.NoAuthNoPriv
}

// parameters are the user's for gosnmp, about no engine yet.
func (u *User) parameters() *gosnmp.UsmSecurityParameters {
	auth, _ := u.auth()
	priv, _ := u.priv()
	return &gosnmp.UsmSecurityParameters{UserName: u.Name,
		AuthenticationProtocol: auth, AuthenticationPassphrase: u.AuthPassphrase,
		PrivacyProtocol: priv, PrivacyPassphrase: u.PrivPassphrase}
}
