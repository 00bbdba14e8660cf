package notify

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"lvs/internal/lab"
	"lvs/mib/smi"
)

// engine is the one whose traps snmptrapd takes.
func engine() Engine {
	id, err := hex.DecodeString(lab.EngineID)
	if err != nil {
		panic(err)
	}
	return Engine{ID: id, Boots: 7, Time: 1234}
}

// levels are the user's at each security level.
var levels = map[string]User{
	"noAuthNoPriv": {Name: lab.User},
	"authNoPriv":   {Name: lab.User, Auth: "SHA-256", AuthPassphrase: lab.AuthPassword},
	"authPriv":     {Name: lab.User, Auth: "sha256", AuthPassphrase: lab.AuthPassword, Priv: "aes128", PrivPassphrase: lab.PrivPassword},
}

func authPriv() *User { u := levels["authPriv"]; return &u }

func TestSNMPTrapDReceivesWhatWasSent(t *testing.T) {
	type way struct {
		name string
		c    ManagerConfig
		want string
	}
	ways := []way{{"v2c", ManagerConfig{Community: lab.Community}, "v2c " + lab.Community}}
	for name, u := range levels {
		ways = append(ways, way{name, ManagerConfig{User: &u, Engine: engine}, "v3 " + lab.User})
	}
	for _, inform := range []bool{false, true} {
		for _, w := range ways {
			t.Run(fmt.Sprintf("%s,inform=%t", w.name, inform), func(t *testing.T) {
				r := lab.SNMPTrapD(t)
				w.c.Inform, w.c.Timeout = inform, 20*time.Second
				var want []lab.Received
				for i, address := range []string{r.Addr, r.Addr6, r.Addr} {
					w.c.Address = address
					m := manager(t, w.c)
					for j := range 3 {
						if err := m.Notify(t.Context(), event(10*i+j)); err != nil {
							t.Error(err)
						}
						host, _, _ := net.SplitHostPort(address)
						want = append(want, received(10*i+j, host, w.want, inform))
					}
				}
				// Sockets of two families: what came by one may be read before the other's.
				got := r.WaitReceived(len(want))
				for _, from := range []string{"127.0.0.1", "::1"} {
					if g, w := of(from, got), of(from, want); !reflect.DeepEqual(g, w) {
						t.Errorf("received\n%+v\nwant\n%+v", g, w)
					}
				}
			})
		}
	}
}

// of are those that came from an address.
func of(from string, all []lab.Received) (some []lab.Received) {
	for _, r := range all {
		if r.From == from {
			some = append(some, r)
		}
	}
	return some
}

func TestSNMPTrapDRefusesWhatItShould(t *testing.T) {
	r := lab.SNMPTrapD(t, "createUser weak SHA-256 "+lab.AuthPassword, "authUser log weak auth")
	for want, edit := range map[string]func(*User){
		"another authentication protocol or passphrase": func(u *User) { u.AuthPassphrase = "not the password" },
		"does not know the user at this security level": func(u *User) { u.Name = "weak" },
		"does not know the user":                        func(u *User) { u.Name = "stranger" },
	} {
		u := authPriv()
		edit(u)
		m := manager(t, ManagerConfig{Address: r.Addr, User: u, Inform: true, Timeout: 20 * time.Second})
		q, stop := running(t, Config{Targets: map[string]Target{"m": m}})
		q.Enqueue([]smi.Notification{event(1), event(2)})
		lab.Wait(t, "both are given up", func() bool { return q.Stats()["m"].Refused == 2 })
		stop()
		if s := q.Stats()["m"]; !strings.Contains(s.LastError.Error(), want) || s.Retries != 0 {
			t.Errorf("%+v, want %s", s, want)
		}
	}
	// AES makes something of any message: with the wrong passphrase it is nothing
	// that snmptrapd answers.
	u := authPriv()
	u.PrivPassphrase = "not the password"
	m := manager(t, ManagerConfig{Address: r.Addr, User: u, Inform: true, Timeout: 50 * time.Millisecond})
	if err := m.Notify(t.Context(), event(3)); !errors.Is(err, ErrLater) || !strings.Contains(err.Error(), "no answer") {
		t.Errorf("a wrong privacy passphrase: %v", err)
	}
	if got := r.Received(); got != nil {
		t.Errorf("received %+v", got)
	}
}

// sequence hands n notifications to a queue for m and returns it.
func sequence(t *testing.T, m *Manager, from, to int) (*Queue, func()) {
	q, stop := running(t, Config{Targets: map[string]Target{"m": m}, Rate: -1, Limit: 10000})
	enqueue(q, from, to)
	return q, stop
}

func enqueue(q *Queue, from, to int) {
	for i := from; i < to; i++ {
		q.Enqueue([]smi.Notification{event(i)})
	}
}

// inOrder checks that event(0), event(1)... event(n-1) were received, each once.
func inOrder(t *testing.T, r *lab.Receiver, n int) {
	t.Helper()
	got := r.WaitReceived(n)
	if len(got) != n {
		t.Errorf("received %d, want %d", len(got), n)
	}
	for i, one := range got {
		if want := fmt.Sprint(event(i).OID); one.OID != want {
			t.Fatalf("the %dth that was received is %s, want %s", i, one.OID, want)
		}
	}
}

func TestSNMPTrapDReceivesThousandInformsInOrder(t *testing.T) {
	t.Parallel()
	r := lab.SNMPTrapD(t)
	m := manager(t, ManagerConfig{Address: r.Addr, User: authPriv(), Inform: true, Timeout: 20 * time.Second})
	begin := time.Now()
	sequence(t, m, 0, 1000)
	inOrder(t, r, 1000)
	t.Logf("1000 informs in %v", time.Since(begin))
}

func TestSNMPTrapDReceivesTrapsInOrder(t *testing.T) {
	t.Parallel()
	r := lab.SNMPTrapD(t)
	m := manager(t, ManagerConfig{Address: r.Addr, User: authPriv(), Engine: engine})
	q, _ := sequence(t, m, 0, 0)
	for i := 0; i < 300; i += 50 { // never more than a socket holds
		enqueue(q, i, i+50)
		r.WaitReceived(i + 50)
	}
	inOrder(t, r, 300)
}

func TestSNMPTrapDReceivesAllThoughItIsAwayForAWhile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]ManagerConfig{
		"v2c traps":   {Community: lab.Community},
		"v3 traps":    {User: authPriv(), Engine: engine},
		"v2c informs": {Community: lab.Community, Inform: true},
		"v3 informs":  {User: authPriv(), Inform: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := lab.SNMPTrapD(t)
			c.Address, c.Timeout = r.Addr, 20*time.Second
			q, _ := sequence(t, manager(t, c), 0, 50)
			inOrder(t, r, 50)
			r.Terminate()
			enqueue(q, 50, 100)
			lab.Wait(t, "the manager is missed", func() bool { return errors.Is(q.Stats()["m"].LastError, ErrLater) })
			r.Start() // its engine has one boot more
			enqueue(q, 100, 150)
			inOrder(t, r, 150)
			if s := q.Stats()["m"]; s.Dropped() != 0 || s.Retries == 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestManagerResolvesNames(t *testing.T) {
	r := lab.SNMPTrapD(t)
	_, port, _ := net.SplitHostPort(r.Addr)
	m := manager(t, ManagerConfig{Address: net.JoinHostPort("localhost", port), Community: lab.Community, Inform: true, Timeout: 20 * time.Second})
	links := map[*link]bool{}
	for i := range 3 {
		if err := m.Notify(t.Context(), event(i)); err != nil {
			t.Fatal(err)
		}
		if links[m.link] = true; i > 0 {
			m.link.opened = m.link.opened.Add(-redial)
		}
	}
	if len(links) != 2 {
		t.Errorf("%d sockets, want another one only when the first was old", len(links))
	}
	inOrder(t, r, 3)
}

func TestSNMPTrapDMayBecomeAnotherEngine(t *testing.T) {
	for name, u := range levels {
		t.Run(name, func(t *testing.T) {
			r := lab.SNMPTrapD(t)
			m := manager(t, ManagerConfig{Address: r.Addr, User: &u, Inform: true, Timeout: 20 * time.Second})
			if err := m.Notify(t.Context(), event(0)); err != nil {
				t.Fatal(err)
			}
			r.Terminate()
			r.Forget()
			r.Start()
			if err := m.Notify(t.Context(), event(1)); err != nil {
				t.Errorf("to the new engine: %v", err)
			}
			inOrder(t, r, 2)
		})
	}
}

func TestManagerMayBecomeAnotherEngine(t *testing.T) {
	ours := engine()
	r := lab.SNMPTrapD(t, fmt.Sprintf("createUser -e 0x%x %s SHA-256 %s AES %s", append(ours.ID, 1), lab.User, lab.AuthPassword, lab.PrivPassword))
	m := manager(t, ManagerConfig{Address: r.Addr, User: authPriv(), Engine: func() Engine { return ours }})
	for i := range 2 {
		if err := m.Notify(t.Context(), event(i)); err != nil {
			t.Fatal(err)
		}
		ours = Engine{ID: append(ours.ID, 1), Boots: 1} // one that began anew
	}
	inOrder(t, r, 2)
	if got := m.link.usm.AuthoritativeEngineID; got != string(ours.ID[:len(ours.ID)-1]) {
		t.Errorf("the second trap came from engine %x", got)
	}
}

func TestManagerKeepsTheTimeOfAnEngine(t *testing.T) {
	r := lab.SNMPTrapD(t)
	m := manager(t, ManagerConfig{Address: r.Addr, User: authPriv(), Inform: true, Timeout: 20 * time.Second})
	if err := m.Notify(t.Context(), event(0)); err != nil {
		t.Fatal(err)
	}
	// As if the engine had last been heard of ten minutes ago, and said that it
	// had run ten minutes less: nothing is out of its time window then.
	m.link.synced = m.link.synced.Add(-10 * time.Minute)
	m.link.usm.AuthoritativeEngineTime -= 600
	sent := 0
	m.link.snmp.PreSend = func(*gosnmp.GoSNMP) { sent++ }
	if err := m.Notify(t.Context(), event(1)); err != nil {
		t.Fatal(err)
	}
	// As if its clock had gone wrong: it says what the time is.
	m.link.usm.AuthoritativeEngineTime += 100000
	if err := m.Notify(t.Context(), event(2)); err != nil {
		t.Fatal(err)
	}
	if sent != 3 {
		t.Errorf("%d messages for two informs, one of them out of time", sent)
	}
	inOrder(t, r, 3)
}
