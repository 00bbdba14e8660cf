package notify

import (
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/gosnmp/gosnmp"
)

// A peer is a manager made by hand: it notes each message and answers what it is
// told to.
type peer struct {
	conn *net.UDPConn

	mu  sync.Mutex
	ids []uint32 // request-ids
}

// newPeer makes one that speaks v2c. answer gets the message and how many there
// were before; each of its datagrams is sent back.
func newPeer(t *testing.T, answer func(p *gosnmp.SnmpPacket, before int) [][]byte) *peer {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{conn: conn}
	var wg sync.WaitGroup
	wg.Go(func() {
		x := gosnmp.GoSNMP{Version: gosnmp.Version2c}
		b := make([]byte, 65536)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			packet, err := x.SnmpDecodePacket(slices.Clone(b[:n]))
			if err != nil {
				t.Errorf("%x: %v", b[:n], err)
				continue
			}
			p.mu.Lock()
			before := len(p.ids)
			p.ids = append(p.ids, packet.RequestID)
			p.mu.Unlock()
			for _, d := range answer(packet, before) {
				conn.WriteToUDPAddrPort(d, from)
			}
		}
	})
	t.Cleanup(func() { conn.Close(); wg.Wait() })
	return p
}

func (p *peer) requestIDs() []uint32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.ids)
}

// reply is an answer to a message, changed by edit.
func reply(t *testing.T, p *gosnmp.SnmpPacket, edit func(*gosnmp.SnmpPacket)) []byte {
	t.Helper()
	answer := &gosnmp.SnmpPacket{Version: p.Version, Community: p.Community, PDUType: gosnmp.GetResponse, RequestID: p.RequestID,
		Variables: []variable{{Name: "1.3.6", Type: gosnmp.Null}}}
	edit(answer)
	b, err := answer.MarshalMsg()
	if err != nil {
		t.Error(err)
	}
	return b
}

func asItIs(*gosnmp.SnmpPacket) {}
