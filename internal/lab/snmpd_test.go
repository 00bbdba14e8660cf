package lab

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

const sysUpTime = ".1.3.6.1.2.1.1.3.0"

func TestSNMPDAnswersEveryVersion(t *testing.T) {
	m := SNMPD(t, "sysLocation a test")
	for _, version := range []string{"1", "2c", "3"} {
		out, err := m.Ask("snmpget", version, []string{"-On"}, sysUpTime, ".1.3.6.1.2.1.1.6.0")
		if err != nil || !strings.Contains(out, "Timeticks") || !strings.Contains(out, "a test") {
			t.Errorf("version %s: %q, %v", version, out, err)
		}
	}
}

func TestSNMPDRefusesTheWrongSecret(t *testing.T) {
	m := SNMPD(t)
	if out, err := m.Ask("snmpget", "3", []string{"-A", "not the password", "-t1", "-r0"}, sysUpTime); err == nil {
		t.Errorf("it answered %q", out)
	}
}

func TestSNMPDKeepsItsAddressesOverEveryEnd(t *testing.T) {
	m := SNMPD(t)
	addr, pid := m.Addr, m.PID()
	for _, end := range []func(){m.Terminate, m.Kill} {
		end()
		if m.answers() {
			t.Fatal("it answers after its end")
		}
		m.Start()
		Wait(t, "an answer after the start", m.answers)
		if m.Addr != addr || m.PID() == pid {
			t.Fatalf("at %s as %d after it was at %s as %d", m.Addr, m.PID(), addr, pid)
		}
		pid = m.PID()
	}
	m.Restart()
	m.Reload()
	Wait(t, "snmpd says that it read its configuration again", func() bool {
		return strings.Contains(m.Log(), "Reconfiguring")
	})
}

func TestSNMPDStoppedIsSilentAndComesBack(t *testing.T) {
	m := SNMPD(t)
	m.Stop()
	if m.answers() {
		t.Error("it answers while it is stopped")
	}
	m.Continue()
	Wait(t, "an answer after SIGCONT", m.answers)
}

func TestSNMPDEndsWithTheTestAlsoWhenStopped(t *testing.T) {
	var pid int
	t.Run("inner", func(t *testing.T) {
		m := SNMPD(t)
		m.Stop()
		pid = m.PID()
	})
	if err := syscall.Kill(pid, 0); err == nil {
		t.Errorf("process %d is still there", pid)
	}
}

func TestWaitReturnsWhenTheConditionHolds(t *testing.T) {
	begin, asked := time.Now(), 0
	Wait(t, "the third question", func() bool { asked++; return asked == 3 })
	if asked != 3 || time.Since(begin) < 100*time.Millisecond {
		t.Errorf("asked %d times in %v", asked, time.Since(begin))
	}
}
