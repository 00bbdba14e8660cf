package agent

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gosnmp/gosnmp"

	"lvs/collector"
	"lvs/dataplane"
	"lvs/internal/config"
	"lvs/mib"
	"lvs/mib/notify"
	"lvs/mib/smi"
)

// A probe is a window with nobody behind it: it keeps the latest tree.
type probe struct {
	*snmpWindow
	tree smi.Tree
}

func newProbe() *probe {
	p := &probe{}
	p.snmpWindow = &snmpWindow{
		log: slog.New(slog.DiscardHandler), figures: func() mib.Figures { return mib.Figures{HostName: "lvs1", Samples: 7} },
		watcher: mib.NewWatcher("lvs1", "test"), swaps: []func(smi.Tree){func(t smi.Tree) { p.tree = t }},
		queue: notify.New(notify.Config{Targets: map[string]notify.Target{"nobody": nobody{}}}),
	}
	return p
}

type nobody struct{}

func (nobody) Notify(context.Context, smi.Notification) error { return notify.ErrLater }

// walk lists the rows of both tables of a MIB whose entries are below root.
func (p *probe) rows(t *testing.T, root smi.OID) (n int) {
	t.Helper()
	name, ok := root, true
	for range 10000 {
		if name, _, ok = p.tree.Next(nil, name, false, nil); !ok || !name.HasPrefix(root) {
			return n
		}
		n++
	}
	t.Fatal("the walk does not end")
	return 0
}

var (
	lvsServices, lvsReals   = mib.Root().Append(17), mib.Root().Append(18)
	lvsdServices, lvsdReals = mib.Root().Append(100, 1, 4, 5), mib.Root().Append(100, 1, 5, 5)
)

func TestTablesAreEmptyWithoutNumbers(t *testing.T) {
	p := newProbe()
	bare := everyKind()
	for i := range bare.Services {
		bare.Services[i].Number = 0
	}
	if err := p.Record(t.Context(), bare); err != nil {
		t.Fatal(err)
	}
	for _, table := range []smi.OID{lvsServices, lvsReals, lvsdServices, lvsdReals} {
		if n := p.rows(t, table); n != 0 {
			t.Errorf("%d cells of %v without numbers", n, table)
		}
	}
	if v := p.tree.Get(mib.Root().Append(2, 0)); v.Int != 3 {
		t.Errorf("%d services, want 3 though they have no rows", v.Int)
	}
	if err := p.Record(t.Context(), collector.NewContinuity(nil, 0).Apply(everyKind(), epoch)); err != nil {
		t.Fatal(err)
	}
	if n, m := p.rows(t, lvsServices), p.rows(t, lvsReals); n != 3*19 || m != 3*16 {
		t.Errorf("%d and %d cells with numbers, want 57 and 48", n, m)
	}
}

type fickle struct{ err error }

func (f *fickle) Snapshot(context.Context) (*dataplane.Snapshot, error) {
	if f.err != nil {
		return nil, f.err
	}
	return everyKind(), nil
}

// What cannot be read is shown as stale with its reason, and told once.
func TestTheDataplaneGoesAndComes(t *testing.T) {
	p, f := newProbe(), &fickle{}
	state, reason := mib.Root().Append(100, 1, 1, 3, 0), mib.Root().Append(100, 1, 1, 4, 0)
	source := p.source(f)
	see := func(fails error, state0 uint64, reason0 string, queued uint64) {
		t.Helper()
		f.err = fails
		snap, err := source.Snapshot(t.Context())
		if err != fails {
			t.Fatal(err)
		}
		if snap != nil {
			if err := p.Record(t.Context(), snap); err != nil {
				t.Fatal(err)
			}
		}
		if v, r := p.tree.Get(state), p.tree.Get(reason); v.Int != state0 || string(r.Bytes) != reason0 {
			t.Errorf("state %d, %q; want %d, %q", v.Int, r.Bytes, state0, reason0)
		}
		if n := p.queue.Stats()["nobody"].Enqueued; n != queued {
			t.Errorf("%d notifications, want %d", n, queued)
		}
	}
	gone := errors.New("ip_vs is gone")
	see(gone, 3, "ip_vs is gone", 1)
	see(gone, 3, "ip_vs is gone", 1)
	see(nil, 1, "", 3) // available, and the start of the agent
	see(nil, 1, "", 3)
	see(gone, 2, "ip_vs is gone", 4)
	see(nil, 1, "", 5)
	stopping, stop := context.WithCancel(t.Context())
	stop()
	f.err = context.Canceled
	if _, err := source.Snapshot(stopping); err == nil || p.state.failing != nil {
		t.Errorf("stopping is taken for a failure: %v", p.state.failing)
	}
}

// The switch works at once, and all windows tell of it.
func TestNotificationsAreSwitched(t *testing.T) {
	p := newProbe()
	if err := p.Record(t.Context(), everyKind()); err != nil {
		t.Fatal(err)
	}
	enable := mib.Root().Append(100, 1, 7, 1, 0)
	setter := mib.NewSetter(p.setEnabled)
	for _, want := range []uint64{2, 1} { // TruthValue: false, true
		v := smi.Value{Type: smi.Integer, Int: want}
		if s := setter.Test(enable, v); s != smi.NoError {
			t.Fatal(s)
		}
		setter.Set(enable, v)
		if got := p.tree.Get(enable); got.Int != want || p.queue.Enabled() != (want == 1) || p.shown.Notify.Enabled != (want == 1) {
			t.Errorf("set to %d the MIB has %d, the queue is on: %v", want, got.Int, p.queue.Enabled())
		}
	}
}

// An interval that a reload brings is shown at once, as it is in the document.
func TestFiguresAreRefreshed(t *testing.T) {
	p := newProbe()
	if err := p.Record(t.Context(), everyKind()); err != nil {
		t.Fatal(err)
	}
	p.figures = func() mib.Figures { return mib.Figures{Interval: time.Minute} }
	p.refresh()
	if v := p.tree.Get(mib.Root().Append(100, 1, 1, 7, 0)); v.Int != 60_000 {
		t.Errorf("an interval of %d ms, want 60000", v.Int)
	}
	if n := p.rows(t, lvsdServices); n == 0 {
		t.Error("the snapshot is gone")
	}
	(*snmpWindow)(nil).refresh() // without SNMP
}

func TestFiguresDocument(t *testing.T) {
	at := epoch.UTC()
	f := mib.Figures{HostName: "lvs1", AgentVersion: "1.0", Started: at, Dataplane: mib.Stale, DataplaneReason: "why", DataplaneSince: at.Add(time.Minute),
		Samples: 1, SampleErrors: 2, LateTicks: 3, SkippedTicks: 4, Inconsistent: 5,
		Resets: mib.ResetFigures{Director: dataplane.ResetCounts{dataplane.KernelRestart: 1}, Reals: dataplane.ResetCounts{2, 3, 4, 5}},
		Store:  mib.StoreFigures{State: mib.StoreBehind, Bytes: 6, Limit: 7, Series: 8, Oldest: at, Newest: at.Add(time.Hour), Commits: 9, CommitErrors: 10, LateCommits: 11},
		Notify: mib.NotifyFigures{Enabled: true, Sent: 12, Dropped: 13, Coalesced: 14, Sequence: 15, Time: at, Message: "web is down"}}
	golden(t, "agent.json", agentDocument(f))
}

// What is written in the file arrives where it belongs, and what is not asked for
// is not there.
func TestPartsOfSNMP(t *testing.T) {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	s := &settings{agentX: off, storePath: off, file: &config.Config{}}
	if w, err := newSNMPWindow(s, time.Now(), nil, log); w != nil || err != nil {
		t.Errorf("a window for nobody: %v, %v", w, err)
	}
	s.listen, s.storePath = []string{"127.0.0.1:0"}, t.TempDir()
	s.file.SNMP = config.SNMP{
		Users: []config.User{{Name: "cacti", Auth: config.Secret{Protocol: "sha256", Passphrase: "passphrase"}, Priv: config.Secret{Protocol: "aes128", Passphrase: "another one"}}},
		Notifications: config.Notifications{Disabled: true, Managers: []config.Manager{
			{Address: "127.0.0.1:9", Community: "public"}, {Address: "[::1]:9", User: "cacti"},
		}},
	}
	w, err := newSNMPWindow(s, time.Now(), func() mib.Figures { return mib.Figures{} }, log)
	if err != nil {
		t.Fatal(err)
	}
	if w.box == nil || w.subagent != nil || len(w.box.EngineID()) < 5 || w.queue.Enabled() {
		t.Errorf("box %v, subagent %v, notifications are on: %v", w.box, w.subagent, w.queue.Enabled())
	}
	var targets []string
	for name := range w.queue.Stats() {
		targets = append(targets, name)
	}
	slices.Sort(targets)
	if diff := cmp.Diff([]string{"127.0.0.1:9", "[::1]:9"}, targets); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := w.run(ctx); err != nil {
		t.Errorf("a run that is stopped at once: %v", err)
	}
}

// With nobody to be notified the agent in the box answers nevertheless.
func TestTheBoxAnswersWithoutTargets(t *testing.T) {
	s := &settings{agentX: off, storePath: off, listen: []string{"127.0.0.1:0"}, file: &config.Config{}}
	w, err := newSNMPWindow(s, time.Now(), func() mib.Figures { return mib.Figures{HostName: "lvs1"} }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	manager := &gosnmp.GoSNMP{Target: "127.0.0.1", Port: w.box.Addrs()[0].Port(), Community: "public", Version: gosnmp.Version2c, Timeout: 20 * time.Second, Retries: 3, MaxOids: 60}
	if err := manager.Connect(); err != nil {
		t.Fatal(err)
	}
	defer manager.Conn.Close()
	answer, err := manager.Get([]string{mib.Root().Append(100, 1, 1, 1, 0).String()})
	if err != nil {
		t.Fatal(err)
	}
	if name, _ := answer.Variables[0].Value.([]byte); string(name) != "lvs1" {
		t.Errorf("the host is called %q", name)
	}
}

// TestListeningForNobody: who listens to others, and lets none of them ask, is
// told so.
func TestListeningForNobody(t *testing.T) {
	for listen, want := range map[string]bool{"127.0.0.1:0": false, "[::1]:0": false, ":0": true} {
		for _, communities := range [][]config.Community{nil, {{Name: "secret"}}, {{Name: "secret", Sources: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}} {
			s := &settings{listen: []string{listen}, storePath: off, file: &config.Config{}}
			s.file.SNMP.Communities = communities
			var log bytes.Buffer
			box, err := newBox(s, nil, slog.New(slog.NewTextHandler(&log, nil)))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := box.Run(ctx); err != nil { // which frees the port
				t.Error(err)
			}
			if got := strings.Contains(log.String(), "nobody but this machine"); got != (want && communities == nil) {
				t.Errorf("%s, communities %v: log %q", listen, communities, log.String())
			}
			everywhere := want && len(communities) == 1 && communities[0].Sources == nil
			if got := strings.Contains(log.String(), "from everywhere"); got != everywhere || strings.Contains(log.String(), "secret") {
				t.Errorf("%s, communities %v: log %q", listen, communities, log.String())
			}
		}
	}
}

// TestEngineWithoutAStore: managers that remember engine IDs lose an agent which
// has another one after each start, so that somebody should know.
func TestEngineWithoutAStore(t *testing.T) {
	for path, want := range map[string]bool{off: true, t.TempDir(): false} {
		var log bytes.Buffer
		dir := stateDir(path, slog.New(slog.NewTextHandler(&log, nil)))
		if told := strings.Contains(log.String(), "another one"); told != want || (dir == "") != want {
			t.Errorf("store %s: kept in %q, log %q", path, dir, log.String())
		}
	}
}

// TestKeysInThePlaceOfPassphrases are found before the agent is started with them.
func TestKeysInThePlaceOfPassphrases(t *testing.T) {
	whole := "0x" + strings.Repeat("5a", 32)
	for _, c := range []struct{ secret, manager, want string }{
		{"a passphrase", "u", ""}, {whole, "", ""}, {whole, "u", "managers[0]"}, {"0xpassphrase", "", "64 hex digits"},
	} {
		s := &config.SNMP{Users: []config.User{{Name: "u", Auth: config.Secret{Protocol: "sha256", Passphrase: c.secret}}}}
		s.Notifications.Managers = []config.Manager{{Address: "192.0.2.1:162", User: c.manager}}
		if err := checkUsers(s); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q for the manager of %q: %v, want %q", c.secret, c.manager, err, c.want)
		}
	}
}
