package usm

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestParseProtocols(t *testing.T) {
	for a := range AuthProtocol(len(auths)) {
		for _, s := range []string{a.String(), strings.ToLower(a.String()), strings.ReplaceAll(a.String(), "-", "")} {
			if got, err := ParseAuth(s); err != nil || got != a {
				t.Errorf("ParseAuth(%q) = %v, %v", s, got, err)
			}
		}
	}
	for p := range PrivProtocol(len(privs)) {
		for _, s := range []string{p.String(), strings.ToLower(p.String()), strings.ReplaceAll(p.String(), "-", "")} {
			if got, err := ParsePriv(s); err != nil || got != p {
				t.Errorf("ParsePriv(%q) = %v, %v", s, got, err)
			}
		}
	}
	if a, err := ParseAuth("SHA"); err != nil || a != SHA1 {
		t.Errorf("SHA is %v, %v", a, err)
	}
	if p, err := ParsePriv("AES"); err != nil || p != AES128 {
		t.Errorf("AES is %v, %v", p, err)
	}
	for s, want := range map[string]string{"MD5": "use SHA-256", "sha3": "want SHA-1"} {
		if a, err := ParseAuth(s); err == nil || a != NoAuth || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseAuth(%q) = %v, %v", s, a, err)
		}
	}
	for s, want := range map[string]string{"DES": "use AES-128", "3DES": "use AES-128", "rot13": "want AES-128"} {
		if p, err := ParsePriv(s); err == nil || p != NoPriv || !strings.Contains(err.Error(), want) {
			t.Errorf("ParsePriv(%q) = %v, %v", s, p, err)
		}
	}
}

// TestUsersAreRefused has messages that name the user, say what is wrong, and do
// not show the secret.
func TestUsersAreRefused(t *testing.T) {
	const key = "0x66 95febc9288e36282235fc7151f128497b38f3f"
	for _, c := range []struct {
		u    User
		want string
	}{
		{User{}, "1 to 32 octets"},
		{User{Name: strings.Repeat("x", 33)}, "1 to 32 octets"},
		{User{Name: "u", Auth: SHA256, AuthSecret: "7 chars"}, "SHA-256: a passphrase has at least 8"},
		{User{Name: "u", Auth: SHA256, AuthSecret: strings.Repeat("x", stretched+1)}, "longer than can be used"},
		{User{Name: "u", Auth: SHA256}, "SHA-256: a passphrase has at least 8"},
		{User{Name: "u", Auth: SHA256, Priv: AES128, AuthSecret: "long enough", PrivSecret: "short"}, "AES-128: a passphrase has at least 8"},
		{User{Name: "u", Auth: SHA1, AuthSecret: key}, "0x and 40 hex digits"},
		{User{Name: "u", Auth: SHA1, AuthSecret: "0x6695febc"}, "0x and 40 hex digits"},
		{User{Name: "u", Auth: SHA1, Priv: AES192, AuthSecret: "long enough", PrivSecret: "0x6695febc9288e36282235fc7151f128497b38f3f"}, "0x and 48 hex digits"},
		{User{Name: "u", Auth: SHA1, Priv: AES128, AuthSecret: "0x6695febc9288e36282235fc7151f128497b38f3f"}, "0x and 32 hex digits"},
		{User{Name: "u", Priv: AES128, PrivSecret: "long enough"}, "needs an authentication protocol"},
		{User{Name: "u", AuthSecret: "long enough"}, "without a protocol"},
		{User{Name: "u", Auth: SHA1, AuthSecret: "long enough", PrivSecret: "long enough"}, "without a protocol"},
		{User{Name: "u", Auth: SHA1, AuthSecret: "long enough", Level: AuthPriv}, "allow authNoPriv at most"},
		{User{Name: "u", Auth: 99}, "authentication protocol 99"},
		{User{Name: "u", Auth: SHA1, Priv: 99}, "privacy protocol 99"},
	} {
		e, err := New(testID(), []User{open, c.u})
		if e != nil || err == nil {
			t.Errorf("%v is taken; want an error with %q", c.u, c.want)
			continue
		}
		if s := err.Error(); !strings.Contains(s, c.want) || !strings.Contains(s, fmt.Sprintf("user %q", c.u.Name)) {
			t.Errorf("error is %q, want %q in it", s, c.want)
		}
		for _, secret := range []string{c.u.AuthSecret, c.u.PrivSecret} {
			if secret != "" && strings.Contains(err.Error(), strings.TrimPrefix(secret, "0x")) {
				t.Errorf("the error shows a secret: %v", err)
			}
		}
	}
	if s := fmt.Sprintf("%v %+v %s", secret, secret, []User{secret}); strings.Contains(s, "passphrase") {
		t.Errorf("a user prints as %s", s)
	}
}

// TestSetUsers takes all or nothing, and finishes what was begun.
func TestSetUsers(t *testing.T) {
	e := newTestEngine(t)
	request := by(t, e, signed, AuthNoPriv).bytes()
	m, p, _, err := receive(e, request)
	if err != nil {
		t.Fatal(err)
	}
	err = e.SetUsers([]User{open, open, {Name: "bad", Auth: SHA1}})
	if err == nil || !strings.Contains(err.Error(), `"open": is there twice`) || !strings.Contains(err.Error(), `"bad"`) {
		t.Errorf("two mistakes: %v", err)
	}
	if _, _, _, err := receive(e, request); err != nil {
		t.Errorf("the users did not stay as they were: %v", err)
	}
	changed := signed
	changed.AuthSecret = "a changed passphrase"
	if err := e.SetUsers([]User{changed}); err != nil {
		t.Fatal(err)
	}
	for stat, sent := range map[Stat][]byte{WrongDigests: request, UnknownUserNames: by(t, e, secret, AuthPriv).bytes()} {
		var r *Report
		if _, _, _, err := receive(e, sent); !errors.As(err, &r) || r.Stat != stat {
			t.Errorf("%v, want %v", err, stat)
		}
	}
	if _, _, _, err := receive(e, by(t, e, changed, AuthNoPriv).bytes()); err != nil {
		t.Error(err)
	}
	if err := e.SetUsers([]User{signed}); err != nil {
		t.Fatal(err)
	}
	checkSealed(t, e, &m, p)
}

// TestLocalizedKeys has ready keys do what the passphrase does.
func TestLocalizedKeys(t *testing.T) {
	e := newTestEngine(t)
	kul := SHA256.localize(SHA256.ku([]byte(secret.AuthSecret)), e.ID())
	priv := SHA256.localize(SHA256.ku([]byte(secret.PrivSecret)), e.ID())[:16]
	u := secret
	u.AuthSecret, u.PrivSecret = fmt.Sprintf("0x%x", kul), fmt.Sprintf("0x%X", priv)
	if _, p, _, err := receive(e, by(t, e, u, AuthPriv).bytes()); err != nil || p.Level != AuthPriv {
		t.Errorf("%+v, %v", p, err)
	}
	one := User{Name: "secret", Auth: SHA256, Priv: AES128, AuthSecret: secret.AuthSecret}
	if err := e.SetUsers([]User{one}); err != nil {
		t.Fatal(err)
	}
	one.PrivSecret = one.AuthSecret
	if _, _, _, err := receive(e, by(t, e, one, AuthPriv).bytes()); err != nil {
		t.Errorf("without a second passphrase: %v", err)
	}
}
