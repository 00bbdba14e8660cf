//go:build lab

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"lvs/internal/lab"
)

// A scene is an agent under traffic on which everything happens that dashboards
// show, and a Prometheus that looks on.
type scene struct {
	*agent
	t     *testing.T
	box   string // where the agent answers SNMP itself
	load  *load
	began time.Time
	prom  *promServer

	ctx  context.Context // of what moves the scene
	stop context.CancelFunc
	busy sync.WaitGroup
}

// newScene builds the site, its table and the agent, and starts the traffic.
func newScene(t *testing.T) *scene {
	t.Helper()
	lab.Site(t)
	forgetConnections(t)
	lab.RunInput(t, []byte(sceneTable), "ipvsadm", "-R")
	s := &scene{t: t, box: lab.FreePort(t, "udp")}
	manager := lab.SNMPTrapD(t)
	master := lab.SNMPD(t, "trap2sink "+manager.Addr+" "+lab.Community)
	s.agent = unstarted(t, "--snmp.agentx="+master.Unix)
	file := filepath.Join(s.dir, "agent.yml")
	write(t, file, fmt.Sprintf(sceneFile, s.box, lab.Community, manager.Addr, lab.Community))
	s.flags = append(s.flags, "--config.file="+file)
	s.start()
	t.Cleanup(func() { lab.Run(t, "ipvsadm", "--stop-daemon", "master") })

	rules := shortenRules(t, runDir(t), haste{factor: 30, leastRange: 5 * scrapeInterval})
	s.prom, s.began = startPrometheus(t, rules, map[string]string{agentJob: s.url[len("http://"):], fleetJob: s.exporter()}), time.Now()
	s.ctx, s.stop = context.WithCancel(context.Background())
	t.Cleanup(s.end)
	s.load = &load{t: t}
	for _, service := range []string{"10.1.0.100:7500", "10.1.0.103:7", "[fd10:1::100]:7500", "10.1.0.101:7", "[fd10:1::101]:7", "10.1.0.102:7", "10.1.0.100:7501"} {
		s.load.tcp = append(s.load.tcp, netip.MustParseAddrPort(service))
	}
	s.load.udp = []netip.AddrPort{netip.MustParseAddrPort("10.1.0.100:5300")}
	s.load.begin()
	s.repeat(s.rarer, time.Second)
	s.repeat(func() error { return s.manage(master.Addr) }, 2*time.Second)
	s.hold(20)
	return s
}

// exporter starts lvs-exporter, which reads the agent over SNMP, and returns its
// address. It ends with the test.
func (s *scene) exporter() string {
	s.t.Helper()
	address := lab.FreePort(s.t, "tcp")
	file := filepath.Join(s.dir, "fleet.yml")
	write(s.t, file, fmt.Sprintf(fleetFile, s.box))
	cmd := exec.Command(program(s.t, "LVS_EXPORTER", "lvs-exporter"), "serve", "--config.file="+file, "--web.listen-address="+address)
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait() // killed: the error says so
		if s.t.Failed() {
			s.t.Logf("lvs-exporter says:\n%s", log.String())
		}
	})
	return address
}

// forgetConnections has the test wait at its end until the director has forgotten
// the TCP connections that it made: their real servers may be another test's, too.
func forgetConnections(t *testing.T) {
	t.Helper()
	before := connections(t)
	t.Cleanup(func() {
		lab.Run(t, "ipvsadm", "-C")
		lab.Wait(t, "connections are forgotten", func() bool {
			for c := range connections(t) {
				template := strings.Fields(c)[2] == "0000"
				if strings.HasPrefix(c, "TCP") && !template && !before[c] {
					return false
				}
			}
			return true
		})
	})
}

// end stops what moves, and waits for it.
func (s *scene) end() {
	s.stop()
	s.busy.Wait()
	s.load.end()
}

// repeat does something again and again until the scene ends.
func (s *scene) repeat(what func() error, every time.Duration) {
	s.busy.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			if err := what(); err != nil && s.ctx.Err() == nil {
				s.t.Errorf("the scene: %v", err)
			}
			select {
			case <-s.ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
}

// rarer is the traffic that load does not know: SCTP, and a datagram to the service
// with one-packet scheduling, whose answer is not translated back and never comes.
func (s *scene) rarer() error {
	ask := func(args ...string) *exec.Cmd {
		argv := lab.InNetNS(lab.Client, append([]string{lab.Labnet(s.t), "get"}, args...)...)
		return exec.CommandContext(s.ctx, argv[0], argv[1:]...)
	}
	if err := ask("-n", "1", "-family", "udp", "-timeout", "20ms", "10.1.0.100:5301").Run(); err == nil {
		return errors.New("a datagram of one-packet scheduling was answered")
	}
	if out, err := ask("-n", "1", "-family", "sctp", "-src", "10.1.0.2", "10.1.0.100:133").CombinedOutput(); err != nil {
		return fmt.Errorf("sctp: %w: %s", err, out)
	}
	return nil
}

// manage asks by SNMP: the master agent, the agent itself, and that with a
// community that it refuses.
func (s *scene) manage(master string) error {
	const services = "1.3.6.1.4.1.8225.4711.17"
	for _, address := range []string{master, s.box} {
		if _, err := lab.Tool(s.t, "snmpgetnext", "-v2c", "-c", lab.Community, address, services); err != nil {
			return err
		}
	}
	if _, err := lab.Tool(s.t, "snmpgetnext", "-v2c", "-c", "nobody", "-r", "0", "-t", "0.1", s.box, services); err == nil {
		return errors.New("a stranger was answered")
	}
	return nil
}

// hold keeps n connections to service web open until the scene ends.
func (s *scene) hold(n int) {
	s.t.Helper()
	err := inside(func() error {
		for range n {
			c, err := net.Dial("tcp", "10.1.0.100:7500")
			if err != nil {
				return err
			}
			s.busy.Go(func() { <-s.ctx.Done(); c.(*net.TCPConn).SetLinger(0); c.Close() })
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// weigh sets weights of service web by hand, behind the agent's back.
func (s *scene) weigh(weights map[string]string) {
	s.t.Helper()
	for real, weight := range weights {
		args := []string{"ipvsadm", "-e", "-t", "10.1.0.100:7500", "-r", real + ":7", "-m", "-w", weight}
		if real == "10.2.0.13" {
			args = append(args, "-x", "40", "-y", "30")
		}
		lab.Run(s.t, args...)
	}
}

// happen has everything happen, once the agent and Prometheus know how it was
// before; one service comes and goes until the scene ends.
func (s *scene) happen() {
	s.t.Helper()
	s.seen(`count by (job) (lvs_real_server_up{service="web"}) == 5`)
	s.scraped(3)
	weight := "0"
	s.repeat(func() error {
		out, err := exec.CommandContext(s.ctx, "ipvsadm", "-e", "-t", "10.1.0.100:7504", "-r", "10.2.0.14:7", "-m", "-w", weight).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		weight = map[string]string{"0": "1", "1": "0"}[weight]
		return nil
	}, 2*time.Second)
	s.load.end() // for a moment, web has no real server
	s.weigh(map[string]string{"10.2.0.11": "0", "10.2.0.12": "0", "10.2.0.13": "0", "10.2.0.14": "0"})
	s.seen(`lvs_service_up{service="web"} == 0`)
	s.weigh(map[string]string{"10.2.0.11": "4", "10.2.0.12": "3", "10.2.0.13": "2"}) // and one goes on draining
	lab.Run(s.t, "ipvsadm", "-Z")
	lab.Run(s.t, "ipvsadm", "-d", "-t", "10.1.0.100:7500", "-r", "10.2.0.14:9")
	lab.Run(s.t, "ipvsadm", "-d", "-u", "10.1.0.100:5300", "-r", "10.2.0.13:53")
	s.load.begin()
	s.seen(`lvs_service_up{service="web"} == 1`)
	s.seen(`count by (job) (lvs_real_server_up{service="web"}) == 4`)
	s.scraped(6)
}

// seen waits until a query finds a series of either job.
func (s *scene) seen(query string) {
	s.t.Helper()
	lab.Wait(s.t, query, func() bool {
		found, err := s.prom.instant(query, time.Now())
		if err != nil {
			s.t.Fatal(err)
		}
		return len(found) == 2
	})
}

// scraped waits until Prometheus has scraped the agent that many times more.
func (s *scene) scraped(times float64) {
	s.t.Helper()
	count := func() float64 {
		found, err := s.prom.instant("min(count_over_time(lvs_up[1h]))", time.Now())
		if err != nil {
			s.t.Fatal(err)
		}
		if len(found) == 0 {
			return 0
		}
		return found[0].Value.value
	}
	before := count()
	lab.Wait(s.t, "more scrapes", func() bool { return count() >= before+times })
}
