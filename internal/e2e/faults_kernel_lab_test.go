//go:build lab

package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"lvs/internal/lab"
)

func loadIPVS(t *testing.T) {
	t.Helper()
	lab.Run(t, "modprobe", "ip_vs")
}

// beganAnew is logged of a table that is there anew, once for each sample that found
// more of it: one may come before all services and real servers do.
const beganAnew = `msg="kernel counters began anew, totals go on" kernel_restart.`

// awaitRestart waits until the agent counts that so many began anew, and once the
// director.
func (a *agent) awaitRestart(services, reals float64) {
	a.t.Helper()
	lab.Wait(a.t, "what began anew with the kernel's table is counted", func() bool {
		m := a.metrics("?scope=director")
		count := func(scope string) float64 {
			return m.sample("lvs_resets_total", "scope", scope, "reason", "kernel_restart")
		}
		return count("director") == 1 && count("service") == services && count("real") == reals
	})
	if !strings.Contains(a.log(), beganAnew) {
		a.t.Error("the log does not tell that the counters began anew")
	}
}

func TestLabFaultIPVSUnloaded(t *testing.T) {
	smallTable(t)
	a := unstarted(t, "--snmp.agentx=off")
	log := journal{a: a, may: beganAnew}

	t.Cleanup(func() { loadIPVS(t) })
	unloadIPVS(t)
	a.begin()
	a.awaitUp("kernel", false)
	log.want("INFO starting lvs-agent", "INFO Listening on", "INFO TLS is disabled",
		"ERROR modprobe ip_vs")
	if v := a.metrics("").sample("lvs_up"); v != 0 {
		t.Errorf("lvs_up is %v without ip_vs", v)
	}

	loadIPVS(t)
	a.awaitUp("kernel", true)
	log.want("INFO can be read again", "INFO reading the kernel's table")
	if doc := a.sampled(); len(doc.Services) != 0 || doc.Stale {
		t.Errorf("%d services, stale %v, want an empty table", len(doc.Services), doc.Stale)
	}
	if v := a.metrics("").sample("lvs_up"); v != 1 {
		t.Errorf("lvs_up is %v with an empty table", v)
	}

	loadSmallTable(t)
	before := a.sampled()
	unloadIPVS(t)
	a.awaitUp("kernel", false)
	log.want("ERROR modprobe ip_vs")
	if doc := a.document(); !doc.Stale {
		t.Error("the document does not say that it is stale")
	}
	loadIPVS(t)
	loadSmallTable(t)
	a.awaitUp("kernel", true)
	log.want("INFO can be read again")
	a.awaitRestart(2, 2)
	doc := a.sampled()
	if doc.Director.Epoch == before.Director.Epoch || len(doc.Services) != 2 {
		t.Errorf("%d services of epoch %s, want two of another than %s", len(doc.Services), doc.Director.Epoch, before.Director.Epoch)
	}
	a.terminate()
	log.want("INFO stopping")
}

// TestLabFaultIPVSUnloadedUnderServices unloads ip_vs below an agent that runs
// services: that one loads it.
func TestLabFaultIPVSUnloadedUnderServices(t *testing.T) {
	lab.Guest(t)
	t.Cleanup(func() { loadIPVS(t); lab.Run(t, "ipvsadm", "-C") })
	unloadIPVS(t)
	a := unstarted(t, "--snmp.agentx=off")
	file := filepath.Join(a.dir, "agent.yml")
	write(t, file, `services:
  - address: tcp/192.0.2.50:80
    real_servers:
      - address: 10.9.0.5
        method: masquerade
`)
	a.flags = append(a.flags, "--config.file="+file)
	log := journal{a: a}
	a.begin()
	a.ready()
	log.want(append(started, "INFO add service tcp/192.0.2.50:80", "INFO add real server 10.9.0.5:80")...)

	// The agent may put the service back before the module is gone.
	unloadIPVS(t)
	doc := a.waitDocument("the service is there again", func(d *document) bool {
		s := d.service("tcp/192.0.2.50:80")
		return !d.Stale && s != nil && len(s.Reals) == 1
	})
	if !a.up("kernel") || !a.up("director") {
		t.Errorf("%+v, component kernel is up: %v, director: %v", doc, a.up("kernel"), a.up("director"))
	}
	a.terminate()
}

func TestLabFaultNamespaceDeleted(t *testing.T) {
	lab.Guest(t)
	make := func() {
		lab.Run(t, "ip", "netns", "add", "faults")
		lab.Run(t, "ip", "netns", "exec", "faults", "ipvsadm", "-A", "-t", "192.0.2.20:80")
	}
	make()
	t.Cleanup(func() { lab.Run(t, "ip", "netns", "del", "faults") })
	a := unstarted(t, "--snmp.agentx=off", "--netns=faults")
	log := journal{a: a, may: beganAnew}
	a.begin()
	a.ready()
	before := a.sampled()
	log.skip()

	lab.Run(t, "ip", "netns", "del", "faults")
	a.awaitUp("kernel", false)
	log.want("ERROR network namespace faults")
	make()
	a.awaitUp("kernel", true)
	log.want("INFO can be read again")
	a.awaitRestart(1, 0)
	doc := a.sampled()
	if doc.Director.Epoch == before.Director.Epoch || len(doc.Services) != 1 {
		t.Errorf("%d services of epoch %s, want one of another than %s", len(doc.Services), doc.Director.Epoch, before.Director.Epoch)
	}
	a.terminate()
}

// TestLabFaultNoPrivilege runs the agent as a service manager might: as root but
// without the capability to administrate networks.
func TestLabFaultNoPrivilege(t *testing.T) {
	smallTable(t)
	talk := udpService(t)
	a := unstarted(t, "--snmp.agentx=off")
	a.begin()
	a.ready()
	talk(5)
	before := a.waitDocument("the packets are counted", func(d *document) bool { return d.service(udpKey).Total["in_packets"] == 5 })
	a.terminate()
	log := journal{a: a}
	log.skip()

	a.begin("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin")
	a.ready()
	doc := a.sampled()
	log.want("INFO starting lvs-agent", "INFO Listening on", "INFO TLS is disabled",
		"WARN CAP_NET_ADMIN")
	if !doc.Partial || len(doc.Services) != 3 || len(doc.Services[0].Reals) != 1 || doc.Services[0].Reals[0].Weight == 0 {
		t.Errorf("%+v, want all services with their real servers, and partial", doc)
	}
	m := a.metrics("")
	if up, kernel := m.sample("lvs_up"), m.sample("lvs_agent_component_up", "component", "kernel"); up != 1 || kernel != 0 {
		t.Errorf("lvs_up is %v and component kernel %v, want 1 and 0: something is read, but not all", up, kernel)
	}
	if v := m.sample("lvs_service_connections_total"); v != -1 {
		t.Errorf("lvs_service_connections_total is %v, want no such series where it is not known", v)
	}
	a.terminate()
	log.want("INFO stopping")

	a.begin() // its privilege given back
	a.ready()
	talk(5)
	doc = a.waitDocument("the packets are counted", func(d *document) bool {
		return d.Partial || d.service(udpKey).Total["in_packets"] >= 10
	})
	log.want("INFO starting lvs-agent", "INFO Listening on", "INFO TLS is disabled", "INFO reading the kernel's table")
	was, is := before.service(udpKey).Total["in_packets"], doc.service(udpKey).Total["in_packets"]
	if doc.Partial || was != 5 || is != 10 || len(doc.service(udpKey).Resets) != 0 {
		t.Errorf("partial %v, %d packets, %d before, resets %v; want 10 and 5 and none", doc.Partial, is, was, doc.service(udpKey).Resets)
	}
	a.terminate()
}
