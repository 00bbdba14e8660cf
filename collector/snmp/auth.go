package snmp

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gosnmp/gosnmp"
)

// An Auth is how a director is asked: a version with a community, or with a user
// and passwords. The zero Auth is version 2c and the community "public". Its
// fields are those of snmp_exporter's auths.
type Auth struct {
	// Version is 1, 2 (which is 2c, as is zero) or 3.
	Version   int
	Community string // of versions 1 and 2; empty is "public"
	// Username and what follows are of version 3. SecurityLevel is noAuthNoPriv
	// (as is empty), authNoPriv or authPriv.
	Username, SecurityLevel    string
	AuthProtocol, AuthPassword string // MD5, SHA, SHA224, SHA256, SHA384 or SHA512; empty is MD5
	PrivProtocol, PrivPassword string // DES, AES, AES192, AES192C, AES256 or AES256C; empty is DES
}

// String tells the version and who asks, without any secret.
func (a Auth) String() string {
	switch a.Version {
	case 3:
		return "v3 user " + a.Username
	case 1:
		return "v1"
	}
	return "v2c"
}

// The protocols and levels by the names that snmp_exporter has for them.
var (
	authProtocols = map[string]gosnmp.SnmpV3AuthProtocol{
		"": gosnmp.MD5, "MD5": gosnmp.MD5, "SHA": gosnmp.SHA, "SHA224": gosnmp.SHA224,
		"SHA256": gosnmp.SHA256, "SHA384": gosnmp.SHA384, "SHA512": gosnmp.SHA512,
	}
	privProtocols = map[string]gosnmp.SnmpV3PrivProtocol{
		"": gosnmp.DES, "DES": gosnmp.DES, "AES": gosnmp.AES, "AES192": gosnmp.AES192,
		"AES192C": gosnmp.AES192C, "AES256": gosnmp.AES256, "AES256C": gosnmp.AES256C,
	}
	levels = map[string]gosnmp.SnmpV3MsgFlags{
		"": gosnmp.NoAuthNoPriv, "noAuthNoPriv": gosnmp.NoAuthNoPriv, "authNoPriv": gosnmp.AuthNoPriv, "authPriv": gosnmp.AuthPriv,
	}
)

// minPassword is the shortest that RFC 3414 §11.2 allows.
const minPassword = 8

// Check reports everything that is wrong with a.
func (a Auth) Check() error {
	var errs []error
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	switch a.Version {
	case 0, 1, 2:
		if a.Username != "" || a.SecurityLevel != "" || a.AuthProtocol != "" || a.AuthPassword != "" || a.PrivProtocol != "" || a.PrivPassword != "" {
			add("users and passwords belong to version 3")
		}
		if len(a.Community) > 127 {
			add("community of %d bytes; want at most 127", len(a.Community))
		}
	case 3:
		a.checkUser(add)
	default:
		add("version %d; want 1, 2 or 3", a.Version)
	}
	return errors.Join(errs...)
}

func (a Auth) checkUser(add func(string, ...any)) {
	if a.Username == "" || len(a.Username) > 32 {
		add("username of %d bytes; want 1 to 32 (RFC 3414 §5)", len(a.Username))
	}
	if a.Community != "" {
		add("a community belongs to versions 1 and 2")
	}
	level, ok := levels[a.SecurityLevel]
	if !ok {
		add("security level %q; want noAuthNoPriv, authNoPriv or authPriv", a.SecurityLevel)
		return
	}
	if _, ok := authProtocols[a.AuthProtocol]; !ok {
		add("auth protocol %q; want %s", a.AuthProtocol, names(authProtocols))
	}
	if _, ok := privProtocols[a.PrivProtocol]; !ok {
		add("priv protocol %q; want %s", a.PrivProtocol, names(privProtocols))
	}
	if level&gosnmp.AuthNoPriv != 0 && len(a.AuthPassword) < minPassword {
		add("auth password of %d bytes; want at least %d with this security level", len(a.AuthPassword), minPassword)
	}
	if level&gosnmp.AuthPriv == gosnmp.AuthPriv && len(a.PrivPassword) < minPassword {
		add("priv password of %d bytes; want at least %d with this security level", len(a.PrivPassword), minPassword)
	}
}

// names lists the keys of a map but for the empty one.
func names[V any](m map[string]V) string {
	var all []string
	for _, n := range slices.Sorted(maps.Keys(m)) {
		if n != "" {
			all = append(all, n)
		}
	}
	return strings.Join(all, ", ")
}

// apply fills in what a client needs to ask as a says, which was checked.
func (a Auth) apply(g *gosnmp.GoSNMP) {
	switch a.Version {
	case 1:
		g.Version = gosnmp.Version1
	case 3:
		level := levels[a.SecurityLevel]
		usm := &gosnmp.UsmSecurityParameters{UserName: a.Username}
		if level&gosnmp.AuthNoPriv != 0 {
			usm.AuthenticationProtocol, usm.AuthenticationPassphrase = authProtocols[a.AuthProtocol], a.AuthPassword
		}
		if level&gosnmp.AuthPriv == gosnmp.AuthPriv {
			// With AES, AES192C and AES256C gosnmp remembers a hash for every engine ID
			// it is told, some 150 bytes, as long as the process lives. Without that it
			// would hash each password anew for each socket, which takes some 40 ms.
			usm.PrivacyProtocol, usm.PrivacyPassphrase = privProtocols[a.PrivProtocol], a.PrivPassword
		}
		g.Version, g.SecurityModel, g.MsgFlags, g.SecurityParameters = gosnmp.Version3, gosnmp.UserSecurityModel, level, usm
		return
	default:
		g.Version = gosnmp.Version2c
	}
	if g.Community = a.Community; g.Community == "" {
		g.Community = "public"
	}
}
