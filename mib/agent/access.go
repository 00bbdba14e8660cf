package agent

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"net/netip"

	"lvs/mib/usm"
)

// An access is who may ask, and what. It is not changed.
type access struct {
	communities []Community
	engine      *usm.Engine     // nil where there never were users
	writers     map[string]bool // users who may write
}

// public is who may ask where the configuration does not say.
var public = Community{Name: "public", Sources: []netip.Prefix{
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}

// SetAccess takes the place of all Communities and Users of the [Config]. Where
// something is wrong with them, they stay as they were. The engine of v3 is the
// same as before; it begins, and counts a boot, with the first users.
func (a *Agent) SetAccess(communities []Community, users []User) error {
	for _, c := range communities {
		if c.Name == "" {
			return errors.New("agent: a community without a name")
		}
	}
	if len(communities)+len(users) == 0 {
		communities = []Community{public}
	}
	a.grant.Lock()
	defer a.grant.Unlock()
	next := &access{communities: communities, writers: map[string]bool{}}
	if old := a.access.Load(); old != nil {
		next.engine = old.engine
	}
	var secured []usm.User
	for _, u := range users {
		secured = append(secured, u.User)
		next.writers[u.Name] = u.Write
	}
	var err error
	switch {
	case next.engine != nil:
		err = next.engine.SetUsers(secured)
	case len(users) > 0:
		next.engine, err = a.boot(secured)
	}
	if err != nil {
		return fmt.Errorf("agent: %w", err)
	}
	a.access.Store(next)
	return nil
}

// boot makes the engine of v3.
func (a *Agent) boot(users []usm.User) (*usm.Engine, error) {
	id, err := usm.Boot(a.cfg.StateDir)
	if err != nil {
		return nil, err
	}
	if id.Replaced != nil {
		a.cfg.Logger.Warn("SNMPv3 has a new engine ID; keys localized to the old one are of no more use", "err", id.Replaced)
	}
	return usm.New(id, users)
}

// mayAsk says what a community may do from an address.
func (a *access) mayAsk(name []byte, from netip.Addr) (read, write bool) {
	for i := range a.communities {
		c := &a.communities[i]
		if subtle.ConstantTimeCompare([]byte(c.Name), name) == 1 && c.allows(from) {
			read, write = true, write || c.Write
		}
	}
	return read, write
}

// allows reports whether requests may come from an address.
func (c *Community) allows(from netip.Addr) bool {
	for _, p := range c.Sources {
		if p.Contains(from.WithZone("")) {
			return true
		}
	}
	return c.Sources == nil
}
