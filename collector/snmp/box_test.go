package snmp

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"lvs/mib"
	"lvs/mib/agent"
	"lvs/mib/smi"
	"lvs/mib/usm"
)

// The agent in the box is read by users of every level and protocol, and refuses
// others.
func TestTheAgentInTheBoxTellsTheSnapshot(t *testing.T) {
	const auth, priv = "an auth password", "a priv password"
	var users []agent.User
	want := map[string]Auth{}
	add := func(level string, a usm.AuthProtocol, authName string, p usm.PrivProtocol, privName string) {
		name := fmt.Sprint(level, authName, privName)
		u := usm.User{Name: name, Auth: a, Priv: p}
		ask := Auth{Version: 3, Username: name, SecurityLevel: level}
		if level != "noAuthNoPriv" {
			u.AuthSecret, ask.AuthProtocol, ask.AuthPassword = auth, authName, auth
		}
		if level == "authPriv" {
			u.PrivSecret, ask.PrivProtocol, ask.PrivPassword = priv, privName, priv
		}
		users = append(users, agent.User{User: u})
		want[name] = ask
	}
	add("authNoPriv", usm.SHA1, "SHA", 0, "")
	add("authNoPriv", usm.SHA256, "SHA256", 0, "")
	add("authPriv", usm.SHA224, "SHA224", usm.AES128, "AES")
	add("authPriv", usm.SHA256, "SHA256", usm.AES128, "AES")
	add("authPriv", usm.SHA384, "SHA384", usm.AES128, "AES")
	add("authPriv", usm.SHA512, "SHA512", usm.AES128, "AES")
	add("authPriv", usm.SHA1, "SHA", usm.AES192, "AES192")
	add("authPriv", usm.SHA1, "SHA", usm.AES192C, "AES192C")
	add("authPriv", usm.SHA256, "SHA256", usm.AES256, "AES256")
	add("authPriv", usm.SHA1, "SHA", usm.AES256C, "AES256C")
	add("noAuthNoPriv", usm.NoAuth, "", usm.NoPriv, "")

	snap := whole()
	a, err := agent.New(agent.Config{Listen: []string{"127.0.0.1:0", "[::1]:0"}, Users: users, Roots: []smi.OID{mib.Root()}}, mib.Build(snap, figures))
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { a.Run(t.Context()) })
	t.Cleanup(running.Wait)
	for name, ask := range want {
		for _, address := range a.Addrs() {
			p := poller(t, Config{Target: address.String(), Auth: ask, Module: Director, Servers: true})
			same(t, name+" at "+address.String(), recounted(snap, 3), poll(t, p))
		}
		if ask.SecurityLevel == "noAuthNoPriv" {
			ask.Username = "nobody"
		} else {
			ask.AuthPassword = "another password"
		}
		_, err := poller(t, Config{Target: a.Addrs()[0].String(), Auth: ask}).Snapshot(t.Context())
		if !errors.Is(err, ErrAccess) {
			t.Errorf("%s with a wrong name or password: %v", name, err)
		}
	}
}
