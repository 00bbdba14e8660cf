package mib

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// baseModules is a directory with the modules that every SMIv2 module imports.
// Debian ships none with its SNMP packages, so that base.sh fetches them once.
func baseModules(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../build/mibs")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("./base.sh", dir).CombinedOutput(); err != nil {
		t.Fatalf("the modules that ours import have to be in %s, where mib/base.sh puts them; it failed: %v\n%s", dir, err, out)
	}
	return dir
}

// smilint is what smilint says of modules in dir at its most severe level.
func smilint(t *testing.T, dir string, modules ...string) string {
	t.Helper()
	if _, err := exec.LookPath("smilint"); err != nil {
		t.Fatal("smilint is not installed: apt-get install smitools")
	}
	cmd := exec.Command("smilint", append([]string{"-c", os.DevNull, "-l", "6", "-s"}, modules...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "SMIPATH="+baseModules(t)+":.")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("smilint: %v\n%s", err, out)
	}
	return string(out)
}

func TestSmilintFindsNothing(t *testing.T) {
	if out := smilint(t, ".", "OC-MIB.txt", "LVS-MIB.txt", "LVS-DIRECTOR-MIB.txt", "LVS-AGENT-CAPS-MIB.txt"); out != "" {
		t.Errorf("smilint -l 6 -s says:\n%s", out)
	}
}

// TestSmilintWouldFindSomething shows that the silence above means something:
// the way the indexes of this MIB used to be is found fault with, at level 5.
func TestSmilintWouldFindSomething(t *testing.T) {
	text, err := Texts.ReadFile("LVS-MIB.txt")
	if err != nil {
		t.Fatal(err)
	}
	root, err := Texts.ReadFile("OC-MIB.txt")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	bad := strings.Replace(string(text), "INDEX       { lvsServiceIndex }", "INDEX       { lvsServiceNumber }", 1)
	for name, text := range map[string]string{"OC-MIB.txt": string(root), "LVS-MIB.txt": bad} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if out := smilint(t, dir, "LVS-MIB.txt"); !strings.Contains(out, "`lvsServiceNumber' of row `lvsServiceEntry' should be not-accessible") {
		t.Errorf("smilint says %q", out)
	}
}

// TestManagersTranslateEveryName asks Net-SNMP where each name is.
func TestManagersTranslateEveryName(t *testing.T) {
	if _, err := exec.LookPath("snmptranslate"); err != nil {
		t.Fatal("snmptranslate is not installed: apt-get install snmp")
	}
	args := []string{"-M", baseModules(t) + ":.", "-m", "LVS-MIB:LVS-DIRECTOR-MIB:LVS-AGENT-CAPS-MIB", "-On"}
	want := map[string]string{
		"OC-MIB::opencon": "8225", "LVS-MIB::lvs": "8225.4711",
		"LVS-MIB::lvsServiceTable": "8225.4711.17", "LVS-MIB::lvsServiceEntry": "8225.4711.17.1",
		"LVS-MIB::lvsRealTable": "8225.4711.18", "LVS-MIB::lvsRealEntry": "8225.4711.18.1",
		"LVS-MIB::lvsConformance": "8225.4711.101", "LVS-DIRECTOR-MIB::lvsDirectorMIB": "8225.4711.100",
	}
	for line := range strings.Lines(strings.TrimSpace(published)) {
		f := strings.Fields(line)
		want["LVS-MIB::"+f[1]] = "8225.4711." + f[0]
	}
	for _, o := range Objects() {
		want[o.Module+"::"+o.Name] = "8225.4711." + o.OID[len(root):].String()
	}
	for oid, n := range notificationTypes() {
		want["LVS-DIRECTOR-MIB::"+n.name] = strings.TrimPrefix(oid, "1.3.6.1.4.1.")
	}
	for i, name := range []string{"lvsAgentCapsLvs", "lvsAgentCapsDirector"} {
		want["LVS-AGENT-CAPS-MIB::"+name] = strings.TrimPrefix(Capabilities()[i].OID.String(), "1.3.6.1.4.1.")
	}
	got := map[string]string{}
	names := make([]string, 0, len(want))
	for name := range want {
		names = append(names, name)
	}
	cmd := exec.Command("snmptranslate", append(args, names...)...)
	cmd.Env = append(os.Environ(), "SNMPCONFPATH="+t.TempDir(), "SNMP_PERSISTENT_DIR="+t.TempDir())
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("snmptranslate: %v", err)
	}
	for i, oid := range strings.Fields(string(out)) {
		if i < len(names) {
			got[names[i]] = strings.TrimPrefix(oid, ".1.3.6.1.4.1.")
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-published +Net-SNMP):\n%s", diff)
	}
}

// TestCapabilitiesAreTheText: sysORTable shows what LVS-AGENT-CAPS-MIB says.
func TestCapabilitiesAreTheText(t *testing.T) {
	text, err := Texts.ReadFile("LVS-AGENT-CAPS-MIB.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range Capabilities() {
		if !strings.Contains(oneLine(string(text)), `DESCRIPTION "`+c.Description+`" SUPPORTS`) {
			t.Errorf("the text does not say %q", c.Description)
		}
	}
}
