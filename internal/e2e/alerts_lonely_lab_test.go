//go:build lab

package e2e

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lvs/dataplane"
	"lvs/dataplane/ipvs"
	"lvs/internal/lab"
	"lvs/rrdstore"
)

// A lonely is an agent in a namespace with a table of its own and without traffic,
// an snmpd to join, and a small disk for its store. It runs one service.
type lonely struct {
	*agent
	ns, file string
	master   *lab.MasterAgent
	client   *ipvs.Client
	churning sync.WaitGroup
	calm     chan struct{}
}

// lonelyReals are so many that more can be told of them than is kept for an SNMP
// master that is away, and that listing them takes the kernel many datagrams.
const lonelyReals = 1200

// lonelyKey is the service that has them.
var lonelyKey = dataplane.ServiceKey{Family: dataplane.INET, Protocol: dataplane.TCP, VIP: netip.MustParseAddrPort("192.0.2.6:80")}

const (
	lonelyConfig = `services:
  - address: tcp/192.0.2.5:80
    real_server_defaults: {method: masquerade}
    real_servers: [{address: 10.9.0.1}]
sync: {master: {interface: dummy0, syncid: 7}}
`
	lonelyLimit, lonelyMore = "--store.max-size=8MiB", "--store.max-size=64MiB"
)

func openLonely(t *testing.T) *lonely {
	t.Helper()
	b := &lonely{ns: lab.NetNS(t), master: lab.SNMPD(t)}
	lab.Run(t, "ip", "-n", b.ns, "link", "add", "dummy0", "type", "dummy")
	lab.Run(t, "ip", "-n", b.ns, "address", "add", "10.9.0.9/24", "dev", "dummy0")
	lab.Run(t, "ip", "-n", b.ns, "link", "set", "dummy0", "up")
	b.agent = unstarted(t, "--netns="+b.ns, "--snmp.agentx="+b.master.Unix, lonelyMore)
	b.flags[slices.Index(b.flags, "--sample.interval=1s")] = "--sample.interval=2s"
	b.file = filepath.Join(b.dir, "agent.yml")
	write(t, b.file, lonelyConfig)
	b.flags = append(b.flags, "--config.file="+b.file)
	if err := os.Mkdir(b.store(), 0o700); err != nil {
		t.Fatal(err)
	}
	lab.Run(t, "mount", "-t", "tmpfs", "-o", "size=32m", "small", b.store())
	t.Cleanup(func() { lab.Run(t, "umount", "-l", b.store()) })
	var err error
	if b.client, err = ipvs.Dial(ipvs.Config{NetNS: b.ns}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.client.Close() })
	if err := b.client.AddService(t.Context(), dataplane.Service{Key: lonelyKey, Scheduler: "rr", Netmask: dataplane.FullMask(dataplane.INET)}); err != nil {
		t.Fatal(err)
	}
	for i := range lonelyReals {
		if err := b.client.AddRealServer(t.Context(), lonelyKey, lonelyReal(i, 1)); err != nil {
			t.Fatal(err)
		}
	}
	b.start()
	b.awaitUp("agentx", true)
	return b
}

// sampled waits until a sample was read more than a second after this call. It asks
// for less than the document, which has every real server in it.
func (b *lonely) sampled() {
	b.t.Helper()
	after := float64(time.Now().Add(time.Second).UnixMilli()) / 1000
	lab.Wait(b.t, "another sample", func() bool {
		return b.metrics("?scope=agent").sample("lvs_agent_last_sample_timestamp_seconds") > after
	})
}

func lonelyReal(i int, weight uint32) dataplane.RealServer {
	rip := netip.AddrFrom4([4]byte{10, byte(10 + i>>16), byte(i >> 8), byte(i)})
	return dataplane.RealServer{RIP: netip.AddrPortFrom(rip, 80), Weight: weight}
}

// weigh gives real servers, from the one to before the other, this weight.
func (b *lonely) weigh(from, to int, weight uint32) {
	b.t.Helper()
	for i := from; i < to; i++ {
		if err := b.client.EditRealServer(b.t.Context(), lonelyKey, lonelyReal(i, weight)); err != nil {
			b.t.Fatal(err)
		}
	}
}

// churn adds a real server, then removes it, and so on with others, most often when
// samples begin to be read, which is at the beginning of a second. It sleeps in
// between, for what is woken goes before what is busy, such as reading a table.
func (b *lonely) churn() {
	b.calm = make(chan struct{})
	b.churning.Go(func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		ctx := context.Background()
		err := b.client.AddRealServer(ctx, lonelyKey, lonelyReal(lonelyReals, 1))
		for i := lonelyReals; err == nil; i++ {
			nap := unix.Timespec{Nsec: 200_000}
			if now := time.Duration(time.Now().Nanosecond()); now > 600*time.Millisecond && now < 980*time.Millisecond {
				nap.Nsec = 5_000_000 // a busy machine still reads
			}
			select {
			case <-b.calm:
				if err := b.client.DeleteRealServer(ctx, lonelyKey, lonelyReal(i, 1)); err != nil {
					b.t.Errorf("churn: %v", err)
				}
				return
			default:
			}
			if err = b.client.AddRealServer(ctx, lonelyKey, lonelyReal(i+1, 1)); err == nil {
				err = b.client.DeleteRealServer(ctx, lonelyKey, lonelyReal(i, 1))
			}
			_ = unix.Nanosleep(&nap, nil) // interrupted, it was shorter
		}
		b.t.Errorf("churn: %v", err)
	})
	b.t.Cleanup(b.settle)
}

// settle ends the churn.
func (b *lonely) settle() {
	select {
	case <-b.calm: // ended already
	default:
		close(b.calm)
	}
	b.churning.Wait()
}

// fillDisk leaves no room on the store's disk, and freeDisk does.
func (b *lonely) fillDisk() {
	b.t.Helper()
	if err := os.WriteFile(b.ballast(), make([]byte, 33<<20), 0o600); err == nil {
		b.t.Fatal("33 MiB went onto a disk of 32")
	}
}

func (b *lonely) freeDisk() {
	b.t.Helper()
	if err := os.Remove(b.ballast()); err != nil {
		b.t.Fatal(err)
	}
}

func (b *lonely) ballast() string { return filepath.Join(b.store(), "ballast") }

// fillStore gives the store of the agent, which does not run, more history than it
// has room for.
func (b *lonely) fillStore() {
	b.t.Helper()
	s, err := rrdstore.Open(b.store(), rrdstore.Options{Step: time.Second, MaxBytes: 24 << 20})
	if err != nil {
		b.t.Fatal(err)
	}
	const values, each = 520_000, 4
	random := rand.New(rand.NewPCG(1, 2))
	begin := time.Now().Truncate(time.Second).Add(-values / each * time.Second)
	var points iter.Seq2[rrdstore.Point, error] = func(yield func(rrdstore.Point, error) bool) {
		for i := range values {
			p := rrdstore.Point{Time: begin.Add(time.Duration(i/each) * time.Second), Key: lonelyKey, RIP: lonelyReal(1_000_000+i%each, 0).RIP, Source: rrdstore.Source{Name: "active"}, Value: rrdstore.UintValue(random.Uint64() >> 1)}
			if !yield(p, nil) {
				return
			}
		}
	}
	if done, err := s.ImportPoints(b.t.Context(), points); err != nil {
		b.t.Fatal(fmt.Sprint(done), err)
	}
	if err := s.Close(); err != nil {
		b.t.Fatal(err)
	}
}

// damageStore cuts its newest rows off.
func (b *lonely) damageStore() {
	b.t.Helper()
	if err := os.Truncate(b.head(), 8192); err != nil {
		b.t.Fatal(err)
	}
}

// allow gives the store another limit, from the next start on.
func (b *lonely) allow(flag string) {
	for i, f := range b.flags {
		if f == lonelyLimit || f == lonelyMore {
			b.flags[i] = flag
		}
	}
}

// inNS runs a command in its namespace.
func (b *lonely) inNS(argv ...string) {
	b.t.Helper()
	lab.Run(b.t, lab.InNetNS(b.ns, argv...)...)
}
