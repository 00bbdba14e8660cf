//go:build lab

package director

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"lvs/dataplane"
	"lvs/dataplane/ipvs"
)

// A kernelRig is an Applier on the guest's table, with ipvsadm as the other hand.
type kernelRig struct {
	*testing.T
	table *ipvs.Client
	a     *Applier
}

func newKernelRig(t *testing.T) *kernelRig {
	t.Helper()
	table, err := ipvs.Dial(ipvs.Config{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(Config{Table: table})
	if err != nil {
		t.Fatal(err)
	}
	r := &kernelRig{t, table, a}
	t.Cleanup(func() {
		r.ipvsadm("-C")
		if err := table.Close(); err != nil {
			t.Error(err)
		}
	})
	r.ipvsadm("-C")
	return r
}

func (r *kernelRig) ipvsadm(args string) string {
	r.Helper()
	out, err := exec.Command("ipvsadm", strings.Fields(args)...).CombinedOutput()
	if err != nil {
		r.Fatalf("ipvsadm %s: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// tick is what the sampler does.
func (r *kernelRig) tick() {
	r.Helper()
	if err := r.a.Record(r.Context(), read(r.T, r.table)); err != nil {
		r.Error(err)
	}
}

// saved is the kernel's table as ipvsadm writes it, against lines wanted.
func (r *kernelRig) saved(lines ...string) {
	r.Helper()
	have := strings.Split(strings.ReplaceAll(r.ipvsadm("-S -n"), "\r", ""), "\n")
	for i := range have {
		have[i] = strings.TrimSpace(have[i])
	}
	want(r.T, "ipvsadm -S -n", have, lines...)
}

// labSpec has one of every kind the director can be asked for.
func labSpec() *Spec {
	gue := realServer(3, 3)
	gue.Method, gue.Encap = dataplane.Tunnel, dataplane.Encap{Type: dataplane.GUE, Port: 6080, Flags: dataplane.EncapChecksum}
	limited := realServer(1, 65536)
	limited.UpperThreshold, limited.LowerThreshold = 100, 80
	persistent := service(key("udp/192.0.2.10:5060"))
	persistent.Flags, persistent.Timeout, persistent.PersistenceEngine = dataplane.FlagPersistent, time.Minute, "sip"
	persistent.Netmask = dataplane.Mask4(0xffffff00)
	v6 := service(key("tcp/[2001:db8::1]:443"), dataplane.RealServer{RIP: rip("[2001:db8:1::1]:443"), Method: dataplane.Route, Weight: 1})
	v6.Scheduler, v6.Flags, v6.Timeout, v6.Netmask = "sh", dataplane.FlagPersistent|dataplane.FlagSched2, time.Minute, dataplane.Mask6(64)
	ops := service(key("udp/192.0.2.10:53"), dataplane.RealServer{RIP: rip("10.0.0.1:53"), Weight: 1})
	ops.Flags = dataplane.FlagOnePacket
	return &Spec{
		Services: []Service{
			service(web, limited, realServer(2, 0), gue), persistent, v6, ops,
			service(key("fwm4/7"), dataplane.RealServer{RIP: rip("10.0.0.1:0"), Method: dataplane.Local, Weight: 1}), service(key("fwm6/7")),
			service(key("sctp/192.0.2.10:2905")),
		},
		Timeouts: dataplane.Timeouts{TCP: 600 * time.Second, UDP: 30 * time.Second},
		Daemons:  []dataplane.SyncDaemon{{Role: dataplane.Master, Interface: "lo", SyncID: 7}},
	}
}

// What the kernel was told reads back as wanted: a second Apply, and every tick,
// has nothing to do.
func TestLabKernelTakesWhatIsWantedAtOnce(t *testing.T) {
	r := newKernelRig(t)
	if err := r.a.Apply(t.Context(), labSpec()); err != nil {
		t.Fatal(err)
	}
	made := r.a.Status().Counts
	want(t, "changes left", texts(Diff(labSpec(), read(t, r.table), Owned{})))
	if err := r.a.Apply(t.Context(), labSpec()); err != nil {
		t.Fatal(err)
	}
	r.tick()
	if s := r.a.Status(); s.Counts != made || len(s.Drift) > 0 || len(s.Failures) > 0 {
		t.Errorf("a second apply made changes: %+v, want %+v", s, made)
	}
	// ipvsadm leaves thresholds out; the Diff above has seen them.
	r.saved(
		"-A -t 192.0.2.10:80 -s wlc",
		"-a -t 192.0.2.10:80 -r 10.0.0.1:80 -m -w 65536",
		"-a -t 192.0.2.10:80 -r 10.0.0.2:80 -m -w 0",
		"-a -t 192.0.2.10:80 -r 10.0.0.3:80 -i -w 3 --tun-type gue --tun-port 6080 --tun-csum",
		"-A -u 192.0.2.10:53 -s wlc -o",
		"-a -u 192.0.2.10:53 -r 10.0.0.1:53 -m -w 1",
		"-A -u 192.0.2.10:5060 -s wlc -p 60 -M 255.255.255.0 --pe sip",
		"-A --sctp-service 192.0.2.10:2905 -s wlc",
		"-A -t [2001:db8::1]:443 -s sh -p 60 -M 64 -b sh-port",
		"-a -t [2001:db8::1]:443 -r [2001:db8:1::1]:443 -g -w 1",
		"-A -f 7 -s wlc",
		"-a -f 7 -r 10.0.0.1:0 -g -w 1", // as ipvsadm writes method local
		"-A -f 7 -6 -s wlc",
	)
	if err := r.a.Apply(t.Context(), &Spec{}); err != nil {
		t.Logf("the daemon's end may go without an answer: %v", err)
	}
	r.saved("")
	if n := len(read(t, r.table).Director.Daemons); n != 0 {
		t.Errorf("%d daemons run, want none", n)
	}
}

func TestLabHandWithIpvsadmIsDriftUntilEnforced(t *testing.T) {
	r := newKernelRig(t)
	spec := &Spec{Services: []Service{service(web, realServer(1, 1), realServer(2, 1)), service(key("fwm4/7"))}}
	if err := r.a.Apply(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	wanted := []string{
		"-A -t 192.0.2.10:80 -s wlc",
		"-a -t 192.0.2.10:80 -r 10.0.0.1:80 -m -w 1",
		"-a -t 192.0.2.10:80 -r 10.0.0.2:80 -m -w 1",
		"-A -f 7 -s wlc",
	}
	r.saved(wanted...)
	r.ipvsadm("-e -t 192.0.2.10:80 -r 10.0.0.1:80 -m -w 0")
	r.ipvsadm("-d -t 192.0.2.10:80 -r 10.0.0.2:80")
	r.ipvsadm("-a -t 192.0.2.10:80 -r 10.0.0.9:80 -m")
	r.ipvsadm("-D -f 7")
	r.ipvsadm("-A -t 192.0.2.99:80 -s rr")
	hand := r.ipvsadm("-S -n")
	r.tick()
	r.tick()
	if now := r.ipvsadm("-S -n"); now != hand {
		t.Errorf("without enforce the table was changed from\n%s\nto\n%s", hand, now)
	}
	want(t, "drift", driftTexts(r.a.Status()),
		"weight of real server 10.0.0.1:80 of tcp/192.0.2.10:80 is 0, want 1",
		"real server 10.0.0.2:80 of tcp/192.0.2.10:80 is absent, want present",
		"real server 10.0.0.9:80 of tcp/192.0.2.10:80 is present, want absent",
		"service fwm4/7 is absent, want present")
	enforced := *spec
	enforced.Enforce = true
	if err := r.a.Apply(t.Context(), &enforced); err != nil {
		t.Fatal(err)
	}
	r.saved(append([]string{wanted[0], wanted[1], wanted[2], "-A -t 192.0.2.99:80 -s rr"}, wanted[3])...)
	r.ipvsadm("-C")
	r.tick()
	r.saved(wanted...)
	want(t, "drift", driftTexts(r.a.Status()))
}
