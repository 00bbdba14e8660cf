package mib

import (
	"fmt"
	"strings"
	"testing"

	"lvs/mib/smi"

	"github.com/google/go-cmp/cmp"
)

// published is what managers have known since 2002: object types below
// .1.3.6.1.4.1.8225.4711 and how their values are sent. None of it may ever move.
const published = `
1 lvsVersion OCTET STRING
2 lvsNumServices INTEGER
3 lvsHashTableSize INTEGER
4 lvsTcpTimeOut INTEGER
5 lvsTcpFinTimeOut INTEGER
6 lvsUdpTimeOut INTEGER
7 lvsDaemonState INTEGER
8 lvsMcastInt OCTET STRING
17.1.1 lvsServiceNumber INTEGER
17.1.2 lvsServiceSchedType OCTET STRING
17.1.3 lvsServiceProto INTEGER
17.1.4 lvsServiceAddr IpAddress
17.1.5 lvsServicePort INTEGER
17.1.6 lvsServiceFWMark INTEGER
17.1.7 lvsServicePersistTimeout INTEGER
17.1.8 lvsServicePersistNetmask IpAddress
17.1.9 lvsServiceNumDests INTEGER
17.1.10 lvsServiceStatsConns Counter32
17.1.11 lvsServiceStatsInPkts Counter32
17.1.12 lvsServiceStatsOutPkts Counter32
17.1.13 lvsServiceStatsInBytes Counter64
17.1.14 lvsServiceStatsOutBytes Counter64
17.1.15 lvsServiceRateCps Gauge32
17.1.16 lvsServiceRateInPPS Gauge32
17.1.17 lvsServiceRateOutPPS Gauge32
17.1.18 lvsServiceRateInBPS Gauge32
17.1.19 lvsServiceRateOutBPS Gauge32
18.1.1 lvsRealServiceNumber INTEGER
18.1.2 lvsRealServerNumber INTEGER
18.1.3 lvsRealServerAddr IpAddress
18.1.4 lvsRealServerPort INTEGER
18.1.5 lvsRealServerFlags INTEGER
18.1.6 lvsRealServerWeight INTEGER
18.1.7 lvsRealStatsConns Counter32
18.1.8 lvsRealStatsInPkts Counter32
18.1.9 lvsRealStatsOutPkts Counter32
18.1.10 lvsRealStatsInBytes Counter64
18.1.11 lvsRealStatsOutBytes Counter64
18.1.12 lvsRealRateCps Gauge32
18.1.13 lvsRealRateInPPS Gauge32
18.1.14 lvsRealRateOutPPS Gauge32
18.1.15 lvsRealRateInBPS Gauge32
18.1.16 lvsRealRateOutBPS Gauge32
`

func TestObjectsAreThoseEverPublished(t *testing.T) {
	var b strings.Builder
	for _, o := range Objects() {
		if o.Module == "LVS-MIB" {
			fmt.Fprintf(&b, "\n%v %s %v", o.OID[len(root):], o.Name, o.Type)
		}
	}
	if diff := cmp.Diff(published, b.String()+"\n"); diff != "" {
		t.Errorf("the MIB's text (-published +text):\n%s", diff)
	}
}

// TestTreeServesWhatTheTextDefines compares the columns, names and types of the
// code with the text.
func TestTreeServesWhatTheTextDefines(t *testing.T) {
	var want, got []string
	for _, o := range Objects() {
		want = append(want, fmt.Sprint(o.OID[len(root):], " ", o.Name, " ", o.Type))
	}
	got = describe(got, nil, scalars)
	got = describe(got, serviceEntry, serviceColumns)
	got = describe(got, realEntry, realColumns)
	got = describe(got, directorArc, directorScalars)
	got = describe(got, agentArc, agentScalars)
	got = describe(got, resetEntry, resetColumns)
	got = describe(got, storeArc, storeScalars)
	got = describe(got, servicesArc, servicesScalars)
	got = describe(got, directorServiceEntry, directorServiceColumns)
	got = describe(got, realsArc, realsScalars)
	got = describe(got, directorRealEntry, directorRealColumns)
	got = describe(got, serversArc, serversScalars)
	got = describe(got, serverEntry, serverColumns)
	got = describe(got, notifyArc, notifyScalars)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("columns (-text +code):\n%s", diff)
	}
}

func describe[R any](lines []string, entry smi.OID, columns []column[R]) []string {
	for _, c := range columns {
		lines = append(lines, fmt.Sprint(entry.Append(c.sub), " ", c.name, " ", c.typ))
	}
	return lines
}

func TestObjectsAreDescribed(t *testing.T) {
	for _, o := range Objects() {
		if len(o.Description) < 10 || strings.ContainsAny(o.Description, "\n\t") || !strings.HasSuffix(o.Description, ".") {
			t.Errorf("%s is described as %q", o.Name, o.Description)
		}
		if wantTable := len(o.OID) == len(root)+3 && o.OID[len(root)] != 100 || len(o.OID) == len(root)+6; wantTable != strings.HasSuffix(o.Table, "Table") {
			t.Errorf("%s is in table %q", o.Name, o.Table)
		}
	}
}

func TestParseObjectsNamesTheObjectThatIsWrong(t *testing.T) {
	object := func(syntax, place string) string {
		return "\nx OBJECT-TYPE SYNTAX " + syntax + " MAX-ACCESS read-only STATUS current DESCRIPTION \"d\" ::= { " + place + " }"
	}
	for _, tt := range []struct{ text, want string }{
		{object("Integer32", "nowhere 1"), "LVS-MIB: x is below nowhere, which is not defined before it"},
		{object("Integer32", "lvs 4294967296"), `LVS-MIB: x: strconv.ParseUint: parsing "4294967296": value out of range`},
		{object("Opaque", "lvs 1"), `LVS-MIB: x: syntax "Opaque" is not one of our MIBs`},
	} {
		if _, err := parseObjects("LVS-MIB", tt.text); err == nil || err.Error() != tt.want {
			t.Errorf("error is %v, want %s", err, tt.want)
		}
	}
}
