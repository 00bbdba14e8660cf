package notify

import (
	"fmt"
	"time"

	"github.com/gosnmp/gosnmp"

	"lvs/mib/smi"
)

// A variable is one in gosnmp's form.
type variable = gosnmp.SnmpPDU

// The variables that every notification begins with (RFC 3416 §4.2.6).
const (
	sysUpTime   = "1.3.6.1.2.1.1.3.0"
	snmpTrapOID = "1.3.6.1.6.3.1.1.4.1.0"
)

// variables are those of a notification.
func variables(n smi.Notification, up time.Duration) ([]variable, error) {
	// TimeTicks are hundredths of a second and wrap after 497 days (RFC 2578 §7.1.8).
	ticks := uint32(max(up, 0) / (10 * time.Millisecond))
	all := []variable{
		{Name: sysUpTime, Type: gosnmp.TimeTicks, Value: ticks},
		{Name: snmpTrapOID, Type: gosnmp.ObjectIdentifier, Value: n.OID.String()},
	}
	for _, v := range n.Vars {
		one, err := encode(v)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// encode gives a variable gosnmp's form, which has a Go type for each type.
func encode(v smi.VarBind) (variable, error) {
	one := variable{Name: v.Name.String()}
	switch v.Value.Type {
	case smi.Integer:
		one.Type, one.Value = gosnmp.Integer, int(int32(v.Value.Int))
	case smi.OctetString:
		one.Type, one.Value = gosnmp.OctetString, v.Value.Bytes
	case smi.ObjectID:
		one.Type, one.Value = gosnmp.ObjectIdentifier, v.Value.OID.String()
	case smi.IPAddress:
		one.Type, one.Value = gosnmp.IPAddress, v.Value.Bytes
	case smi.Counter32:
		one.Type, one.Value = gosnmp.Counter32, uint32(v.Value.Int)
	case smi.Gauge32:
		one.Type, one.Value = gosnmp.Gauge32, uint32(v.Value.Int)
	case smi.TimeTicks:
		one.Type, one.Value = gosnmp.TimeTicks, uint32(v.Value.Int)
	case smi.Opaque:
		one.Type, one.Value = gosnmp.Opaque, v.Value.Bytes
	case smi.Counter64:
		one.Type, one.Value = gosnmp.Counter64, v.Value.Int
	default:
		return one, fmt.Errorf("%s is %s, which no notification carries", v.Name, v.Value.Type)
	}
	return one, nil
}
