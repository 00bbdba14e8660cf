package usm

import (
	"errors"
	"fmt"
)

// maxName is how long a user's name may be (RFC 3414 §2.4).
const maxName = 32

// A User is somebody who may send requests, and how they are protected. What
// may be read or written is not said here.
type User struct {
	Name string // 1 to 32 octets
	Auth AuthProtocol
	Priv PrivProtocol // none without Auth
	// AuthSecret and PrivSecret are passphrases of at least 8 characters, or keys
	// localized to this engine: 0x and hex digits, two for each octet of the
	// protocol's hash or key. An empty PrivSecret is the passphrase of AuthSecret.
	AuthSecret, PrivSecret string
	// Level is the least that the user's requests must have; zero is all that
	// Auth and Priv allow.
	Level Level
}

// String is the user's name: secrets are not for logs.
func (u User) String() string { return u.Name }

// highest is the level that u's protocols allow.
func (u *User) highest() Level {
	switch {
	case u.Auth == NoAuth:
		return NoAuthNoPriv
	case u.Priv == NoPriv:
		return AuthNoPriv
	}
	return AuthPriv
}

// A user is a User whose keys are made.
type user struct {
	name           string
	octets         []byte   // name, as messages have it
	auth           *authKey // nil without
	priv           *privKey // nil without
	least, highest Level    // of a request
}

// makeUsers makes the keys of users for an engine.
func makeUsers(engineID []byte, users []User) (map[string]*user, error) {
	made := make(map[string]*user, len(users))
	ring := &keyring{engineID: engineID, kus: map[passphrase][]byte{}}
	var errs []error
	for i := range users {
		u, err := users[i].with(ring)
		if err == nil && made[u.name] != nil {
			err = errors.New("is there twice")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("usm: user %q: %w", users[i].Name, err))
			continue
		}
		made[u.name] = u
	}
	return made, errors.Join(errs...)
}

// with makes u's keys.
func (u *User) with(ring *keyring) (*user, error) {
	if err := u.check(); err != nil {
		return nil, err
	}
	made := &user{name: u.Name, octets: []byte(u.Name), least: u.Level, highest: u.highest()}
	if made.least == 0 {
		made.least = made.highest
	}
	if u.Auth == NoAuth {
		return made, nil
	}
	var err error
	if made.auth, err = ring.auth(u.Auth, u.AuthSecret); err != nil {
		return nil, fmt.Errorf("%v: %w", u.Auth, err)
	}
	if u.Priv == NoPriv {
		return made, nil
	}
	secret := u.PrivSecret
	if secret == "" {
		secret = u.AuthSecret
	}
	if made.priv, err = ring.priv(u.Priv, u.Auth, secret); err != nil {
		return nil, fmt.Errorf("%v: %w", u.Priv, err)
	}
	return made, nil
}

// check refuses what makes no sense or protects less than it says.
func (u *User) check() error {
	switch {
	case u.Name == "" || len(u.Name) > maxName:
		return fmt.Errorf("a name has 1 to %d octets", maxName)
	case !u.Auth.valid() || !u.Priv.valid():
		return fmt.Errorf("%v with %v", u.Auth, u.Priv)
	case u.Priv != NoPriv && u.Auth == NoAuth:
		return fmt.Errorf("%v needs an authentication protocol", u.Priv)
	case u.Auth == NoAuth && u.AuthSecret != "", u.Priv == NoPriv && u.PrivSecret != "":
		return errors.New("a secret without a protocol that uses it")
	case u.Level > u.highest():
		return fmt.Errorf("its protocols allow %v at most, not %v", u.highest(), u.Level)
	}
	return nil
}
