package notify

import "github.com/gosnmp/gosnmp"

// usmStatsUnknownEngineIDs is in the report of an engine that is not the one
// which was written to (RFC 3414 §5).
const usmStatsUnknownEngineIDs = ".1.3.6.1.6.3.15.1.1.4.0"

// refusals are what the other reports of the User-based Security Model mean for
// one who sends (RFC 3414 §3.2). That a message is out of time is not one.
var refusals = map[string]string{
	".1.3.6.1.6.3.15.1.1.1.0": "the manager does not know the user at this security level",
	".1.3.6.1.6.3.15.1.1.3.0": "the manager does not know the user",
	".1.3.6.1.6.3.15.1.1.5.0": "the manager has another authentication protocol or passphrase for the user",
	".1.3.6.1.6.3.15.1.1.6.0": "the manager has another privacy protocol or passphrase for the user",
}

// look notes what an unauthenticated report says. It may change the datagram.
func (d *datagrams) look(datagram []byte) {
	// gosnmp's decoder is not trusted with what anybody may send.
	defer func() { recover() }()
	x := gosnmp.GoSNMP{Version: gosnmp.Version3, MsgFlags: gosnmp.NoAuthNoPriv, SecurityModel: gosnmp.UserSecurityModel,
		SecurityParameters: &gosnmp.UsmSecurityParameters{UserName: "nobody"}}
	p, err := x.SnmpDecodePacket(datagram)
	if err != nil || p.PDUType != gosnmp.Report || len(p.Variables) != 1 {
		return
	}
	counter := p.Variables[0].Name
	if text, ok := refusals[counter]; ok {
		d.verdict = &refusal{text}
	}
	d.strange = d.strange || counter == usmStatsUnknownEngineIDs
}
