//go:build lab

package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"lvs/internal/lab"
)

// What the agent in the box keeps from strangers: the word is in its
// configuration, so that names, the system group and the community have it.
const (
	secretWord      = "hushhush"
	secretCommunity = secretWord + "-community"
	authPassphrase  = "authentication"
	privPassphrase  = "privacy-privacy"
)

// hostileFile is the configuration. Keeper may do everything, guest reads
// without encryption.
const hostileFile = `names:
  tcp/192.0.2.10:80:
    name: ` + secretWord + `-web
    real_servers: {"10.9.0.1:80": ` + secretWord + `-one}
snmp:
  contact: ` + secretWord + `@example.org
  location: ` + secretWord + `
  communities: [{name: ` + secretCommunity + `, sources: [0.0.0.0/0, "::/0"]}]
  users:
    - name: keeper
      write: true
      auth: {protocol: sha256, passphrase: ` + authPassphrase + `}
      priv: {protocol: aes128, passphrase: ` + privPassphrase + `}
    - name: guest
      auth: {protocol: sha256, passphrase: ` + authPassphrase + `}
`

// outside is an address of the guest that is not loopback's: who asks from there
// might be anywhere.
const outside = "192.0.2.9"

// TestLabFaultHostileManagers sends the agent in the box what somebody without
// its passwords may send, or has recorded, and LVS_DATAGRAMS (20,000) datagrams
// of chance. After more than 150 seconds of them, an old one is too old.
func TestLabFaultHostileManagers(t *testing.T) {
	smallTable(t)
	lab.Run(t, "ip", "address", "replace", outside+"/32", "dev", "lo")
	t.Cleanup(func() { lab.Run(t, "ip", "address", "del", outside+"/32", "dev", "lo") })
	_, port, _ := net.SplitHostPort(lab.FreePort(t, "udp"))
	a := unstarted(t, "--snmp.agentx=off", "--snmp.listen="+net.JoinHostPort("127.0.0.1", port), "--snmp.listen="+net.JoinHostPort(outside, port))
	file := filepath.Join(a.dir, "agent.yml")
	a.flags = append(a.flags, "--config.file="+file)
	write(t, file, hostileFile)
	log := journal{a: a}
	a.begin()
	a.ready()
	log.want(started...)
	s := newStranger(t, "127.0.0.1", "127.0.0.1", port)
	lab.Wait(t, "who may ask is told everything", func() bool { return tellsAll(s) })

	t.Run("one thing wrong", func(t *testing.T) { testOneThingWrong(t, s.in(t)) })
	t.Run("oversized", func(t *testing.T) { testOversized(t, s.in(t)) })
	t.Run("recorded", func(t *testing.T) {
		testRecorded(t, s.in(t), func() {
			log.want("INFO notifications were switched", "INFO variable written", "INFO notifications were switched", "INFO variable written")
			a.terminate()
			log.want("INFO stopping")
			a.begin()
			a.ready()
			log.want(started...)
			lab.Wait(t, "who may ask is told everything", func() bool { return tellsAll(s) })
		})
	})
	recorded, at := s.marshal(s.in(t).v3(gosnmp.GetBulkRequest, lvsMIB)), time.Now()
	t.Run("crowd", func(t *testing.T) { testCrowd(t, newStranger(t, outside, outside, port)) })
	t.Run("random", func(t *testing.T) { testRandom(t, s.in(t), a.cmd.Process.Pid) })

	if window := 150 * time.Second; time.Since(at) > window+time.Second { // after a million
		s.in(t).mustReport("recorded, and too old", recorded)
	}
	if !tellsAll(s) || len(a.sampled().Services) != 2 {
		t.Error("the agent does not answer as before")
	}
	a.terminate()
	log.want("INFO stopping")
}

// tellsAll reports whether the community and the keeper are told all that is kept
// from strangers: what could leak is there.
func tellsAll(s *stranger) bool {
	told := func(p *gosnmp.SnmpPacket) bool {
		answers := s.give(s.marshal(p))
		if len(answers) != 1 {
			return false
		}
		answer, err := s.reader.SnmpDecodePacket(answers[0])
		if err != nil {
			s.t.Fatalf("%v: %x", err, answers[0])
		}
		text := fmt.Sprintf("%s", answer.Variables)
		return strings.Contains(text, secretWord+"@example.org") && strings.Contains(text, secretWord+"-web") && strings.Contains(text, secretWord+"-one")
	}
	s.discover()
	everything := []string{".1.3.6.1.2.1.1.3", lvsMIB + ".100.1.4.5", lvsMIB + ".100.1.5.5"}
	byCommunity := community(secretCommunity, gosnmp.GetBulkRequest, everything...)
	byUser := s.v3(gosnmp.GetBulkRequest, everything...)
	byCommunity.MaxRepetitions, byUser.MaxRepetitions = 100, 100
	return told(byCommunity) && told(byUser)
}

// testOneThingWrong sends requests that would be good but for one thing, and each
// cut at every octet.
func testOneThingWrong(t *testing.T, s *stranger) {
	reports := 0
	for name, datagram := range s.oneThingWrong() {
		answers := s.give(datagram)
		s.mustTellNothing(name, answers)
		if len(answers) > 1 || len(answers) == 1 && len(answers[0]) > 2*len(datagram) {
			t.Errorf("%s: %d octets are answered %d times, with %x", name, len(datagram), len(answers), answers)
		}
		reports += len(answers)
		for n := range datagram {
			s.pending = append(s.pending, datagram[:n])
			s.flush(name + ", cut off")
		}
		s.flushAll(name + ", cut off")
	}
	if want := 9; reports != want {
		t.Errorf("%d reports, want %d", reports, want)
	}
	// What is right, too, has to be whole.
	for _, p := range []*gosnmp.SnmpPacket{community(secretCommunity, gosnmp.GetBulkRequest, lvsMIB), s.v3(gosnmp.GetBulkRequest, lvsMIB)} {
		datagram := s.marshal(p)
		for n := range datagram {
			if answers := s.give(datagram[:n]); len(answers) != 0 {
				t.Errorf("%d octets of %d are answered with %x", n, len(datagram), answers)
			}
		}
	}
	t.Log(s)
}

// testOversized sends datagrams as large as they can be.
func testOversized(t *testing.T, s *stranger) {
	const most = 65507
	names := make([]string, 2700)
	for i := range names {
		names[i] = fmt.Sprintf("%s.100.1.4.5.1.%d.1", lvsMIB, i)
	}
	wrong, right := community("no "+secretCommunity, gosnmp.GetNextRequest, names...), community(secretCommunity, gosnmp.GetNextRequest, names...)
	stranger := s.v3(gosnmp.GetNextRequest, names...)
	s.sign(stranger, "keeper", "not the password", gosnmp.AuthPriv)
	for _, p := range []*gosnmp.SnmpPacket{wrong, stranger} {
		datagram := s.marshal(p)
		if len(datagram) < most-6000 {
			t.Fatalf("%d octets are not much", len(datagram))
		}
		answers := s.give(datagram)
		s.mustTellNothing("oversized", answers)
		padded := append(bytes.Clone(datagram), make([]byte, most-len(datagram))...)
		s.mustTellNothing("padded", s.give(padded))
		s.mustTellNothing("of length octets", s.give(bytes.Repeat([]byte{0x30, 0x84, 0, 0, 0xff, 0xdd}, most/6)))
	}
	if answers := s.give(s.marshal(right)); len(answers) != 1 || len(answers[0]) > most {
		t.Errorf("a good one has %d answers", len(answers))
	}
	t.Log(s)
}

// testRecorded repeats what the keeper once sent. Restart restarts the agent.
func testRecorded(t *testing.T, s *stranger, restart func()) {
	set := func(value int) []byte {
		p := s.v3(gosnmp.SetRequest, notifySwitch)
		p.Variables[0].Type, p.Variables[0].Value = gosnmp.Integer, value
		return s.marshal(p)
	}
	read, off, on := s.marshal(s.v3(gosnmp.GetBulkRequest, ".1.3.6.1.2.1.1")), set(2), set(1)
	for _, datagram := range [][]byte{read, off, on} {
		if answers := s.give(datagram); len(answers) != 1 {
			t.Fatalf("the keeper has %d answers", len(answers))
		}
	}
	// Reading again is within the rules (RFC 3414, section 2.2.3), for who has the
	// keys to the answer. Nothing is written again.
	answers := s.give(read)
	if len(answers) != 1 || s.leaks(answers[0]) {
		t.Errorf("recorded: %x", answers)
	}
	if answers := s.give(off, off, on, off); len(answers) != 0 {
		t.Errorf("written again: %x", answers)
	}
	s.awaitEnabled()
	boots := s.engine.boots
	restart()
	if s.discover(); s.engine.boots != boots+1 {
		t.Errorf("boot %d after %d", s.engine.boots, boots)
	}
	s.mustReport("recorded before a restart", read, off, on)
	s.awaitEnabled()
	t.Log(s)
}

// testCrowd asks for much with the right community, from far away, as fast as the
// agent answers: it is no amplifier.
func testCrowd(t *testing.T, s *stranger) {
	const requests, perSecond, octets = 30_000, 5000, 4 << 20
	p := community(secretCommunity, gosnmp.GetBulkRequest, lvsMIB)
	p.MaxRepetitions = 10_000
	datagram := s.marshal(p)
	if err := s.conn.SetReadBuffer(4 << 20); err != nil {
		t.Fatal(err)
	}
	began, last := time.Now(), time.Now()
	var reader sync.WaitGroup
	var sent atomic.Bool
	reader.Go(func() {
		buf := make([]byte, 1<<16)
		for {
			s.conn.SetReadDeadline(time.Now().Add(time.Second))
			n, err := s.conn.Read(buf)
			if err == nil {
				last = time.Now()
				s.count(n)
			} else if sent.Load() && (s.got > 0 || time.Since(began) > lab.Patience) {
				return // that was the last
			}
		}
	})
	for range requests {
		s.sent, s.octetsIn = s.sent+1, s.octetsIn+len(datagram)
		if _, err := s.conn.Write(datagram); err != nil {
			t.Error(err)
		}
	}
	sent.Store(true)
	reader.Wait()
	took := last.Sub(began)
	// Two seconds' worth may come at once.
	if most := int((took.Seconds() + 2) * octets); s.largest > 1472 || s.octetsOut > most || s.got > int((took.Seconds()+2)*perSecond) || s.got == 0 {
		t.Errorf("%v in %v, want less than %d octets", s, took, most)
	}
	t.Logf("%v in %v", s, took.Round(time.Millisecond))
}

// testRandom sends chance, and requests that chance has changed. No memory is
// taken that is not given back.
func testRandom(t *testing.T, s *stranger, pid int) {
	count := 20_000
	if v := os.Getenv("LVS_DATAGRAMS"); v != "" {
		var err error
		if count, err = strconv.Atoi(v); err != nil {
			t.Fatal(err)
		}
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var bases [][]byte
	for _, b := range s.oneThingWrong() {
		bases = append(bases, b)
	}
	bases = append(bases, s.marshal(s.v3(gosnmp.GetBulkRequest, lvsMIB)), s.marshal(s.v3(gosnmp.SetRequest, lvsMIB)))
	good := len(bases) - 2 // from there on
	var early memory
	for i := range count {
		if i == count/5 {
			early = memoryOf(t, pid)
		}
		n := random.IntN(len(bases))
		d := mutate(random, bases[n])
		if n >= good && bytes.Equal(d, bases[n]) {
			continue // chance has changed nothing
		}
		s.pending = append(s.pending, d)
		s.flush("random")
	}
	s.flushAll("random")
	late := memoryOf(t, pid)
	t.Logf("%v; memory %v after a fifth, %v at the end", s, early, late)
	if s.octetsOut > s.octetsIn {
		t.Errorf("%d octets for %d", s.octetsOut, s.octetsIn)
	}
	if late.anonymous > early.anonymous+8<<20 {
		t.Errorf("memory grew from %v to %v", early, late)
	}
	if n := dropped(t, s.port); n != 0 {
		t.Errorf("%d datagrams have not reached the agent", n)
	}
}
