package mib

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"lvs/internal/lab"
	"lvs/mib/smi"

	"github.com/google/go-cmp/cmp"
	"github.com/gosnmp/gosnmp"
)

// TestAnotherLibraryReadsTheSame walks with an SNMP implementation that is not
// Net-SNMP's, by GETNEXT and GETBULK, and by v3 with authentication and privacy.
func TestAnotherLibraryReadsTheSame(t *testing.T) {
	snap := edges()
	master := serve(t, snap)
	tree := Build(snap, Figures{})
	var want []string
	for name, v, ok := tree.Next(nil, root, false, nil); ok; name, v, ok = tree.Next(nil, name, false, nil) {
		want = append(want, fmt.Sprintf(".%v %s", name, plain(v)))
	}
	address := netip.MustParseAddrPort(master.Addr)
	for _, version := range []gosnmp.SnmpVersion{gosnmp.Version2c, gosnmp.Version3} {
		client := &gosnmp.GoSNMP{
			Target: address.Addr().String(), Port: address.Port(), Version: version, Timeout: 20 * time.Second, Retries: 2,
			Community: lab.Community, MaxRepetitions: 20, Context: t.Context(),
			SecurityModel: gosnmp.UserSecurityModel, MsgFlags: gosnmp.AuthPriv,
			SecurityParameters: &gosnmp.UsmSecurityParameters{
				UserName: lab.User, AuthenticationProtocol: gosnmp.SHA, AuthenticationPassphrase: lab.AuthPassword,
				PrivacyProtocol: gosnmp.AES, PrivacyPassphrase: lab.PrivPassword,
			},
		}
		if err := client.Connect(); err != nil {
			t.Fatal(err)
		}
		for how, walk := range map[string]func(string, gosnmp.WalkFunc) error{"GETNEXT": client.Walk, "GETBULK": client.BulkWalk} {
			var got []string
			err := walk("."+root.String(), func(pdu gosnmp.SnmpPDU) error {
				got = append(got, fmt.Sprintf("%s %s", pdu.Name, plainPDU(pdu)))
				return nil
			})
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%v %s: %v (-tree +read):\n%s", version, how, err, diff)
			}
		}
		client.Conn.Close()
	}
}

// plain is a value with its type's number.
func plain(v smi.Value) string {
	switch v.Type {
	case smi.OctetString:
		return fmt.Sprintf("%d %q", v.Type, v.Bytes)
	case smi.IPAddress:
		return fmt.Sprintf("%d %v", v.Type, net.IP(v.Bytes))
	case smi.Integer:
		return fmt.Sprintf("%d %d", v.Type, int32(v.Int))
	}
	return fmt.Sprintf("%d %d", v.Type, v.Int)
}

func plainPDU(pdu gosnmp.SnmpPDU) string {
	switch v := pdu.Value.(type) {
	case []byte:
		return fmt.Sprintf("%d %q", pdu.Type, v)
	default:
		return fmt.Sprintf("%d %v", pdu.Type, v)
	}
}
