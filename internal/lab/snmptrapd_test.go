package lab

import (
	"os/exec"
	"reflect"
	"testing"
	"time"
)

// send has a Net-SNMP tool send a notification.
func send(t *testing.T, r *Receiver, tool string, argv ...string) error {
	t.Helper()
	lookPath(t, tool, "snmp")
	cmd := exec.Command(path(tool), append(patient[:len(patient):len(patient)], argv...)...)
	cmd.Env = r.env()
	out, err := cmd.CombinedOutput()
	t.Logf("%s: %v %s", tool, err, out)
	return err
}

var v3 = []string{"-v3", "-u", User, "-l", "authPriv", "-a", "SHA-256", "-A", AuthPassword, "-x", "AES", "-X", PrivPassword}

func TestSNMPTrapDTellsEveryNotification(t *testing.T) {
	r := SNMPTrapD(t)
	text := "a\tlong text, = and \": \" in it, over\nmore than one line"
	values := []string{"1.2.3", "s", text, "1.2.4", "s", "", "1.2.5", "i", "-4", "1.2.6", "C", "99999999999",
		"1.2.7", "o", "1.3.4", "1.2.8", "t", "77", "1.2.9", "a", "1.2.3.4"}
	sent := []error{
		send(t, r, "snmptrap", append([]string{"-v2c", "-c", Community, r.Addr, "123", "1.3.6.1.4"}, values...)...),
		send(t, r, "snmpinform", "-v2c", "-c", Community, "udp6:"+r.Addr6, "124", "1.3.6.1.5"),
		send(t, r, "snmptrap", append(append([]string{"-e", "0x" + EngineID}, v3...), r.Addr, "125", "1.3.6.1.6")...),
	}
	r.Terminate()
	r.Start() // what came before a restart is not forgotten
	sent = append(sent, send(t, r, "snmpinform", append(append([]string{}, v3...), r.Addr, "126", "1.3.6.1.7")...))
	for i, err := range sent {
		if err != nil {
			t.Errorf("notification %d: %v", i, err)
		}
	}
	want := []Received{
		{From: "127.0.0.1", Security: "v2c public", UpTime: 1230 * time.Millisecond, OID: "1.3.6.1.4", Vars: []ReceivedVar{
			{"1.2.3", "STRING", text}, {"1.2.4", "STRING", ""}, {"1.2.5", "INTEGER", "-4"}, {"1.2.6", "Counter64", "99999999999"},
			{"1.2.7", "OID", "1.3.4"}, {"1.2.8", "Timeticks", "77"}, {"1.2.9", "IpAddress", "1.2.3.4"}}},
		{From: "::1", Inform: true, Security: "v2c public", UpTime: 1240 * time.Millisecond, OID: "1.3.6.1.5", Vars: []ReceivedVar{}},
		{From: "127.0.0.1", Security: "v3 lvs", UpTime: 1250 * time.Millisecond, OID: "1.3.6.1.6", Vars: []ReceivedVar{}},
		{From: "127.0.0.1", Inform: true, Security: "v3 lvs", UpTime: 1260 * time.Millisecond, OID: "1.3.6.1.7", Vars: []ReceivedVar{}},
	}
	if got := r.WaitReceived(len(want)); !reflect.DeepEqual(got, want) {
		t.Errorf("received\n%+v\nwant\n%+v", got, want)
	}
}

func TestSNMPTrapDTakesNothingFromStrangers(t *testing.T) {
	r := SNMPTrapD(t)
	if send(t, r, "snmpinform", "-r0", "-t1", "-v2c", "-c", "somebody", r.Addr, "1", "1.3.6.1.5") == nil ||
		send(t, r, "snmpinform", append(append([]string{"-r0", "-t1"}, v3...), "-A", "not the password", r.Addr, "1", "1.3.6.1.5")...) == nil {
		t.Error("a stranger's inform was answered")
	}
	if got := r.Received(); got != nil {
		t.Errorf("received %+v", got)
	}
}
