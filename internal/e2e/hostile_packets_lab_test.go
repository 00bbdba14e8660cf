//go:build lab

package e2e

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"

	"github.com/gosnmp/gosnmp"
)

// community is a request of v2c.
func community(name string, typ gosnmp.PDUType, names ...string) *gosnmp.SnmpPacket {
	p := &gosnmp.SnmpPacket{Version: gosnmp.Version2c, Community: name, PDUType: typ, RequestID: 6, MaxRepetitions: 50}
	for _, name := range names {
		p.Variables = append(p.Variables, gosnmp.SnmpPDU{Name: name, Type: gosnmp.Null})
	}
	return p
}

// packet is a request of v3 that nobody has signed.
func (s *stranger) packet(typ gosnmp.PDUType, names ...string) *gosnmp.SnmpPacket {
	p := community("", typ, names...)
	s.asked++
	p.Version, p.SecurityModel, p.MsgID, p.MsgMaxSize = gosnmp.Version3, gosnmp.UserSecurityModel, s.asked, 65507
	p.ContextEngineID = s.engine.id
	return p
}

// v3 is a request by the keeper, as it must be.
func (s *stranger) v3(typ gosnmp.PDUType, names ...string) *gosnmp.SnmpPacket {
	s.t.Helper()
	if s.engine.id == "" {
		s.discover()
	}
	p := s.packet(typ, names...)
	s.sign(p, "keeper", authPassphrase, gosnmp.AuthPriv)
	if s.reader == nil {
		s.reader = &gosnmp.GoSNMP{Version: gosnmp.Version3, SecurityModel: gosnmp.UserSecurityModel, MsgFlags: gosnmp.AuthPriv, SecurityParameters: p.SecurityParameters.Copy()}
	}
	return p
}

// sign makes a request a user's, for the engine and its time as they are known.
func (s *stranger) sign(p *gosnmp.SnmpPacket, user, password string, level gosnmp.SnmpV3MsgFlags) {
	s.t.Helper()
	params := &gosnmp.UsmSecurityParameters{UserName: user, AuthoritativeEngineID: s.engine.id, AuthoritativeEngineBoots: s.engine.boots,
		AuthoritativeEngineTime: s.engine.now, PrivacyParameters: []byte("12345678")}
	if level&gosnmp.AuthNoPriv != 0 {
		params.AuthenticationProtocol, params.AuthenticationPassphrase = gosnmp.SHA256, password
		params.PrivacyProtocol, params.PrivacyPassphrase = gosnmp.AES, privPassphrase
		keys, known := s.keys[password]
		params.SecretKey, params.PrivacyKey = keys.auth, keys.priv
		if !known {
			if err := params.InitSecurityKeys(); err != nil {
				s.t.Fatal(err)
			}
			s.keys[password] = localized{params.SecretKey, params.PrivacyKey}
		}
	}
	p.SecurityParameters, p.MsgFlags = params, level|gosnmp.Reportable
}

func (s *stranger) marshal(p *gosnmp.SnmpPacket) []byte {
	s.t.Helper()
	b, err := p.MarshalMsg()
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

// oneThingWrong are requests that would be good but for what their name says.
func (s *stranger) oneThingWrong() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for _, typ := range []gosnmp.PDUType{gosnmp.GetRequest, gosnmp.GetNextRequest, gosnmp.GetBulkRequest, gosnmp.SetRequest} {
			for _, version := range []gosnmp.SnmpVersion{gosnmp.Version1, gosnmp.Version2c} {
				p := community("no "+secretWord[:4], typ, lvsMIB, ".1.3.6.1.2.1.1.4.0")
				if p.Version = version; !yield(fmt.Sprintf("community, v%v %v", version, typ), s.marshal(p)) {
					return
				}
			}
		}
		v3 := func(name string, change func(p *gosnmp.SnmpPacket)) bool {
			p := s.v3(gosnmp.GetBulkRequest, lvsMIB, ".1.3.6.1.2.1.1.4.0")
			change(p)
			return yield(name, s.marshal(p))
		}
		sign := func(user, password string, level gosnmp.SnmpV3MsgFlags) func(*gosnmp.SnmpPacket) {
			return func(p *gosnmp.SnmpPacket) { s.sign(p, user, password, level) }
		}
		at := func(boots, seconds int) func(*gosnmp.SnmpPacket) {
			return func(p *gosnmp.SnmpPacket) {
				params := p.SecurityParameters.(*gosnmp.UsmSecurityParameters)
				params.AuthoritativeEngineBoots += uint32(boots)
				params.AuthoritativeEngineTime += uint32(seconds)
			}
		}
		_ = v3("password", sign("keeper", "not the password", gosnmp.AuthPriv)) &&
			v3("password, in plain text", sign("guest", "not the password", gosnmp.AuthNoPriv)) &&
			v3("user", sign("nobody", authPassphrase, gosnmp.AuthPriv)) &&
			v3("no authentication", sign("keeper", "", gosnmp.NoAuthNoPriv)) &&
			v3("no encryption", sign("keeper", authPassphrase, gosnmp.AuthNoPriv)) &&
			v3("encryption, of who has none", sign("guest", authPassphrase, gosnmp.AuthPriv)) &&
			v3("boots", at(1, 0)) &&
			v3("time", at(0, 1000)) &&
			v3("engine", func(p *gosnmp.SnmpPacket) {
				p.SecurityParameters.(*gosnmp.UsmSecurityParameters).AuthoritativeEngineID = strings.Repeat("e", 17)
			})
	}
}

// mutate is noise, noise behind a good beginning, or a datagram with some octets
// changed or doubled.
func mutate(random *rand.Rand, base []byte) (d []byte) {
	noise := func(n int) {
		for range random.IntN(n) {
			d = append(d, byte(random.Uint32()))
		}
	}
	switch random.IntN(4) {
	case 0:
		noise(300)
	case 1:
		d = append(d, base[:random.IntN(len(base))]...)
		noise(40)
	default:
		d = append(d, base...)
		for range 1 + random.IntN(6) {
			i, j := random.IntN(len(d)), random.IntN(len(d))
			switch random.IntN(4) {
			case 0:
				d[i] = d[j]
			case 1:
				d = append(d, d[min(i, j):min(max(i, j), min(i, j)+50)]...)
			default:
				d[i] = byte(random.Uint32())
			}
		}
	}
	return d
}
