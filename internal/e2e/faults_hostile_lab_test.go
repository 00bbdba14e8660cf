//go:build lab

package e2e

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lvs/internal/lab"
)

// agentXHeader is a PDU header of RFC 2741, section 6.1, in network byte order.
func agentXHeader(kind byte, session, packet, payload uint32) []byte {
	b := []byte{1, kind, 0x10, 0}
	for _, v := range []uint32{session, 0, packet, payload} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

// opened answers an Open as a master does that takes a subagent in.
func opened(open []byte) []byte {
	packet := binary.BigEndian.Uint32(open[12:])
	return append(agentXHeader(18, 7, packet, 8), make([]byte, 8)...) // sysUpTime 0, no error
}

// hostilities are what a master does to a connection on which an Open came.
var hostilities = []func(c net.Conn, open []byte, random *rand.ChaCha8){
	func(c net.Conn, _ []byte, random *rand.ChaCha8) { // noise, without end
		io.Copy(c, random)
	},
	func(c net.Conn, open []byte, random *rand.ChaCha8) { // noise in a session
		c.Write(opened(open))
		io.Copy(c, random)
	},
	func(c net.Conn, open []byte, _ *rand.ChaCha8) { // more than there can be
		c.Write(append(opened(open), agentXHeader(5, 7, 1, 1<<32-4)...))
		io.Copy(io.Discard, c)
	},
	func(c net.Conn, open []byte, random *rand.ChaCha8) { // whole requests of noise
		c.Write(opened(open))
		go io.Copy(io.Discard, c)
		for i := range uint32(1000) {
			b := make([]byte, 4*(i%64))
			random.Read(b)
			if _, err := c.Write(append(agentXHeader(byte(i%20), 7, i, uint32(len(b))), b...)); err != nil {
				return
			}
		}
	},
	func(net.Conn, []byte, *rand.ChaCha8) {}, // the end
	func(c net.Conn, _ []byte, _ *rand.ChaCha8) { // an answer to nothing, and half a header
		c.Write(append(append(agentXHeader(18, 0, 999, 8), make([]byte, 8)...), 1, 18, 0x10))
		io.Copy(io.Discard, c)
	},
}

// TestLabFaultHostileMaster has somebody else than snmpd at the master's socket.
func TestLabFaultHostileMaster(t *testing.T) {
	smallTable(t)
	master := lab.SNMPD(t)
	master.Kill()
	socket := strings.TrimPrefix(master.Unix, "unix:")
	if err := os.Remove(socket); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var visits atomic.Int32
	var hasty atomic.Bool // end connections as fast as they come
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			visit := int(visits.Add(1))
			if hasty.Load() {
				c.Close()
				continue
			}
			go func() {
				defer c.Close()
				c.SetDeadline(time.Now().Add(time.Second))
				open := make([]byte, 512)
				if n, err := c.Read(open); err == nil && n >= 20 {
					hostilities[visit%len(hostilities)](c, open[:n], rand.NewChaCha8([32]byte{byte(visit)}))
				}
			}()
		}
	}()
	// Whether such a master gets hold of a notification is a matter of chance.
	quiet := filepath.Join(t.TempDir(), "lvs-agent.yml")
	if err := os.WriteFile(quiet, []byte("snmp: {notifications: {agentx: false}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := unstarted(t, "--snmp.agentx="+master.Unix, "--config.file="+quiet)
	log := journal{a: a}
	a.begin()
	a.ready()
	log.want(append(started, "WARN no session with the SNMP master")...)
	lab.Wait(t, "every hostility", func() bool { return int(visits.Load()) > len(hostilities) })
	hasty.Store(true)
	// A busy machine's guest counts time that it did not get as well: one look of
	// three has to find the agent idle.
	share := 1.0
	for range 3 {
		cpu, begin, came := cpuTime(t, a.cmd.Process.Pid), time.Now(), visits.Load()
		time.Sleep(2 * time.Second)
		used, took := cpuTime(t, a.cmd.Process.Pid)-cpu, time.Since(begin)
		came = visits.Load() - came
		t.Logf("%d connections and %v of processor time in %v", came, used, took.Round(time.Millisecond))
		if float64(came) > 10*took.Seconds() {
			t.Errorf("%d connections in %v to a master that wants none", came, took)
		}
		if share = min(share, used.Seconds()/took.Seconds()); share < 0.2 {
			break
		}
	}
	if share > 0.2 {
		t.Errorf("the agent used %.0f %% of the processor", 100*share)
	}
	m := a.metrics("?scope=agent")
	if v := m.sample("lvs_agent_agentx_malformed_total"); v < 3 {
		t.Errorf("lvs_agent_agentx_malformed_total is %v, want 3 at least", v)
	}
	if v := m.sample("process_resident_memory_bytes"); v > 100<<20 {
		t.Errorf("the agent has %v bytes of memory", v)
	}
	if doc := a.sampled(); len(doc.Services) != 2 || a.up("agentx") {
		t.Errorf("%d services, agentx up %v; want both, and no session", len(doc.Services), a.up("agentx"))
	}
	l.Close()
	master.Start()
	log.want("INFO registered with the SNMP master")
	if !answered(t, master) {
		t.Error("snmpd does not answer for all rows")
	}
	a.terminate()
	log.want("INFO stopping")
}
