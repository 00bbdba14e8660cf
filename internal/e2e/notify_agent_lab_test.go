//go:build lab

package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"lvs/internal/lab"
)

// A toldDocument is /api/v1/snapshot with what it tells of notifications.
type toldDocument struct {
	document
	Agent struct {
		Version       string `json:"version"`
		Reason        string `json:"dataplane_reason"`
		Notifications struct {
			Enabled   bool   `json:"enabled"`
			Sent      uint64 `json:"sent"`
			Dropped   uint64 `json:"dropped"`
			Coalesced uint64 `json:"coalesced"`
			Sequence  uint32 `json:"sequence"`
		} `json:"notifications"`
	} `json:"agent"`
}

func (a *agent) toldDocument() *toldDocument {
	a.t.Helper()
	doc := &toldDocument{}
	if err := json.Unmarshal(a.get("/api/v1/snapshot"), doc); err != nil {
		a.t.Fatal(err)
	}
	return doc
}

// toldManagers is the configuration of an agent that tells three managers.
const toldManagers = `snmp:
  users:
    - name: %s
      auth: {protocol: sha256, passphrase: %s}
      priv: {protocol: aes128, passphrase: %s}
  notifications:
    rate: %d
    managers:
      - {address: "%s", community: %s}
      - {address: "%s", user: %s, inform: true, timeout: 30s}
      - {address: "%s", community: %s, inform: true, timeout: 1s}
`

// toldAgent is an agent, not started, an snmpd and the managers that are told by
// way of both.
func toldAgent(t *testing.T, rate int) (a *agent, master *lab.MasterAgent, managers map[string]*lab.Receiver, deaf string) {
	t.Helper()
	silent, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	deaf = silent.LocalAddr().String()
	roomForTraps(t)
	managers = map[string]*lab.Receiver{"agentx": lab.SNMPTrapD(t), "v2c traps": lab.SNMPTrapD(t), "v3 informs": lab.SNMPTrapD(t)}
	master = lab.SNMPD(t, "trap2sink "+managers["agentx"].Addr+" "+lab.Community)
	a = unstarted(t, "--snmp.agentx="+master.Unix)
	file := filepath.Join(a.dir, "agent.yml")
	write(t, file, fmt.Sprintf(toldManagers, lab.User, lab.AuthPassword, lab.PrivPassword, rate,
		managers["v2c traps"].Addr, lab.Community, managers["v3 informs"].Addr, lab.User, deaf, lab.Community))
	a.flags = append(a.flags, "--config.file="+file)
	return a, master, managers, deaf
}

// roomForTraps gives sockets of managers more room. What finds one full is lost
// and nobody learns of it, which is no business of the agent's.
func roomForTraps(t *testing.T) {
	t.Helper()
	const file = "/proc/sys/net/core/rmem_default"
	was, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, "8388608")
	t.Cleanup(func() { write(t, file, string(was)) })
}
