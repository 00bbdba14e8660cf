package lab

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// VIPs of the site that [Rich] builds, on the director's front: for masquerading,
// direct routing and tunnels. The client's namespace is "cl", those of the real
// servers "rs1" to "rs4" (10.2.0.11 to .14, fd10:2::11 to ::14); the director is
// the test itself. See topology.sh for the drawing.
const (
	VIPMasquerade, VIPMasquerade6 = "10.1.0.100", "fd10:1::100"
	VIPRoute, VIPRoute6           = "10.1.0.101", "fd10:1::101"
	VIPTunnel, VIPTunnel6         = "10.1.0.102", "fd10:1::102"
)

// Client is the namespace of the site's client, for [InNetNS].
const Client = "cl"

// site is what became of the network, built once for each test binary, as that has
// its guest for itself.
var site struct{ begun, up bool }

// Site builds the network of client, director and four real servers around this
// process, once for each test binary, and leaves the director's table empty, now
// and when the test ends. It takes some six seconds. Tests that use it do not
// run in parallel.
func Site(t testing.TB) {
	t.Helper()
	Guest(t)
	t.Setenv("LABNET", Labnet(t)) // for the scripts; also refuses parallel tests
	if !site.begun {
		site.begun = true
		Run(t, Path(t, "rich.sh"), "up")
		site.up = true
	}
	if !site.up {
		t.Fatal("lab: an earlier test could not build the site")
	}
	Run(t, "ipvsadm", "-C")
	t.Cleanup(func() { Run(t, "ipvsadm", "-C") })
}

// Rich is [Site] with the rich configuration in the director's table, which has
// every scheduler, method, protocol, flag and kind of address (fixtures/rich/S-n.txt),
// all counters at zero, and no traffic yet.
func Rich(t testing.TB) {
	t.Helper()
	Site(t)
	Run(t, Path(t, "rich.sh"), "load")
}

// Traffic sends n connections (UDP: datagrams) from the client to each service of
// the rich configuration that has real servers to answer, leaves two more
// connections open where held is true, and waits until the counters are
// settled. It takes about ten seconds and comes after [Rich].
func Traffic(t testing.TB, n int, held bool) {
	t.Helper()
	if held {
		Run(t, Path(t, "rich.sh"), "hold")
	}
	Run(t, Path(t, "rich.sh"), "traffic", strconv.Itoa(n))
	Settle(t)
}

// kernelUpdate is how often the kernel brings the counters up to date that it
// shows (net/netfilter/ipvs/ip_vs_est.c: two seconds), and a margin.
const kernelUpdate = 2*time.Second + 300*time.Millisecond

// Settle returns when the counters of all services and real servers stayed the
// same over one of the kernel's updates, so that every window has to show the
// same; more than [Patience] fails the test. Traffic must have stopped. The numbers of
// active and inactive connections are not settled: those of closed connections
// go on falling as they expire, so compare them between two equal readings.
func Settle(t testing.TB) {
	t.Helper()
	for prev, deadline := "", time.Now().Add(Patience); ; {
		time.Sleep(kernelUpdate)
		now := Stats(t)
		if now == prev {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("lab: the counters go on moving")
		}
		prev = now
	}
}

// Stats is "ipvsadm -Ln --stats --exact": what the kernel counts.
func Stats(t testing.TB) string {
	t.Helper()
	return Run(t, "ipvsadm", "-Ln", "--stats", "--exact")
}

// Path is a file of this package's directory in the source tree, as in
// Path(t, "fixtures", "rich", "S-n.txt").
func Path(t testing.TB, elem ...string) string {
	t.Helper()
	return filepath.Join(append([]string{root(t), "internal", "lab"}, elem...)...)
}

// Read is the content of a file named as for [Path].
func Read(t testing.TB, elem ...string) string {
	t.Helper()
	b, err := os.ReadFile(Path(t, elem...))
	if err != nil {
		t.Fatal("lab: ", err)
	}
	return string(b)
}

// Labnet is the lab's server and client program, which has to be built on the
// host: $LABNET, or else build/labnet in the source tree.
func Labnet(t testing.TB) string {
	t.Helper()
	file := os.Getenv("LABNET")
	if file == "" {
		file = filepath.Join(root(t), "build", "labnet")
	}
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("lab: %v; build it outside the guest: CGO_ENABLED=0 go build -o build/labnet ./internal/lab/labnet", err)
	}
	return file
}

// root is the directory of go.mod, at or above the test's own.
func root(t testing.TB) string {
	t.Helper()
	start, err := os.Getwd()
	if err != nil {
		t.Fatal("lab: ", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("lab: no go.mod at or above ", start)
		}
	}
}
