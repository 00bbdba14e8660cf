package notify

import (
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"lvs/internal/lab"
)

// forger pretends to be an SNMPv3 manager whose users it does not know: it answers
// discovery, and everything else with what forge makes of it, unauthenticated.
func forger(t *testing.T, forge func(p *gosnmp.SnmpPacket)) (address string) {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		u := levels["authNoPriv"]
		x := gosnmp.GoSNMP{Version: gosnmp.Version3, SecurityModel: gosnmp.UserSecurityModel, SecurityParameters: u.parameters()}
		b := make([]byte, 65536)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			p, err := x.SnmpDecodePacket(slices.Clone(b[:n])) // without a look at its digest
			if err != nil {
				t.Errorf("%x: %v", b[:n], err)
				continue
			}
			discovery := p.SecurityParameters.(*gosnmp.UsmSecurityParameters).AuthoritativeEngineID == ""
			p.MsgFlags, p.PDUType = gosnmp.NoAuthNoPriv, gosnmp.Report
			p.SecurityParameters = &gosnmp.UsmSecurityParameters{AuthoritativeEngineID: "forged", AuthoritativeEngineBoots: 1, UserName: lab.User}
			p.Variables = []variable{{Name: usmStatsUnknownEngineIDs, Type: gosnmp.Counter32, Value: uint32(1)}}
			if !discovery {
				forge(p)
			}
			answer, err := p.MarshalMsg()
			if err != nil {
				t.Error(err)
			}
			conn.WriteToUDPAddrPort(answer, from)
		}
	})
	t.Cleanup(func() { conn.Close(); wg.Wait() })
	return conn.LocalAddr().String()
}

func TestManagerBelievesNoForgery(t *testing.T) {
	response := func(p *gosnmp.SnmpPacket) { p.PDUType = gosnmp.GetResponse }
	for _, f := range []struct {
		name, level string
		forge       func(p *gosnmp.SnmpPacket)
	}{
		{"an acknowledgement that is not authenticated", "authNoPriv", response},
		{"one that says it is", "authNoPriv", func(p *gosnmp.SnmpPacket) {
			response(p)
			u := levels["authNoPriv"]
			u.AuthPassphrase = "not the password"
			usm := u.parameters()
			usm.AuthoritativeEngineID = "forged"
			if err := usm.InitSecurityKeys(); err != nil {
				t.Error(err)
			}
			p.MsgFlags, p.SecurityParameters = gosnmp.AuthNoPriv, usm
		}},
		{"one that has a report's variable", "authNoPriv", func(p *gosnmp.SnmpPacket) {
			response(p)
			p.Variables[0].Name = ".1.3.6.1.6.3.15.1.1.3.0"
		}},
		{"an engine that is always another", "authNoPriv", func(*gosnmp.SnmpPacket) {}},
		{"the same without authentication", "noAuthNoPriv", func(*gosnmp.SnmpPacket) {}},
		{"a report of nothing known", "noAuthNoPriv", func(p *gosnmp.SnmpPacket) { p.Variables[0].Name = ".1.3.6.1.6.3.15.1.1.9.0" }},
	} {
		t.Run(f.name, func(t *testing.T) {
			u := levels[f.level]
			m := manager(t, ManagerConfig{Address: forger(t, f.forge), User: &u, Inform: true, Timeout: 100 * time.Millisecond})
			for range 2 {
				if err := m.Notify(t.Context(), event(1)); !errors.Is(err, ErrLater) {
					t.Errorf("%v", err)
				}
			}
		})
	}
}

func TestManagerIsToldWhatAReportSays(t *testing.T) {
	for counter, want := range refusals {
		for _, level := range []string{"noAuthNoPriv", "authNoPriv"} {
			u := levels[level]
			var asked atomic.Int32
			m := manager(t, ManagerConfig{User: &u, Inform: true, Timeout: 20 * time.Second,
				Address: forger(t, func(p *gosnmp.SnmpPacket) { asked.Add(1); p.Variables[0].Name = counter })})
			err := m.Notify(t.Context(), event(1))
			if n := asked.Load(); n != 1 {
				t.Errorf("%s at %s: sent %d times", counter, level, n)
			}
			if err == nil || errors.Is(err, ErrLater) || !strings.HasSuffix(err.Error(), want) {
				t.Errorf("%s at %s: %v, want %s", counter, level, err, want)
			}
		}
	}
}
