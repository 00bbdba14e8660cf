package agent

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"lvs/internal/lab"
	"lvs/mib/ber"
	"lvs/mib/smi"
)

// packet is a request of v3 by lab.User, for r's engine as it has just begun.
func packet(r *rig, typ gosnmp.PDUType, vars ...gosnmp.SnmpPDU) *gosnmp.SnmpPacket {
	r.t.Helper()
	params := &gosnmp.UsmSecurityParameters{UserName: lab.User, AuthoritativeEngineID: string(r.EngineID()), AuthoritativeEngineBoots: 1,
		AuthenticationProtocol: gosnmp.SHA256, AuthenticationPassphrase: lab.AuthPassword, PrivacyProtocol: gosnmp.AES, PrivacyPassphrase: lab.PrivPassword,
		PrivacyParameters: []byte("12345678")}
	if err := params.InitSecurityKeys(); err != nil {
		r.t.Fatal(err)
	}
	return &gosnmp.SnmpPacket{Version: gosnmp.Version3, MsgFlags: gosnmp.AuthPriv | gosnmp.Reportable, SecurityModel: gosnmp.UserSecurityModel,
		SecurityParameters: params, ContextEngineID: string(r.EngineID()), PDUType: typ, MsgID: 5, RequestID: 6, MsgMaxSize: 65507, Variables: vars}
}

// send gives a packet to r and returns the answer, decrypted, or nil.
func (r *rig) send(p *gosnmp.SnmpPacket) *gosnmp.SnmpPacket {
	r.t.Helper()
	b, err := p.MarshalMsg()
	if err != nil {
		r.t.Fatal(err)
	}
	out := r.h.answer(b, here, r.now())
	if out == nil {
		return nil
	}
	reader := &gosnmp.GoSNMP{Version: gosnmp.Version3, MsgFlags: gosnmp.AuthPriv, SecurityModel: gosnmp.UserSecurityModel, SecurityParameters: p.SecurityParameters.Copy(), Logger: gosnmp.Logger{}}
	answer, err := reader.SnmpDecodePacket(bytes.Clone(out))
	if err != nil {
		r.t.Fatalf("%v: %x", err, out)
	}
	return answer
}

// TestReplayedSet: what was written is not written again by who recorded it.
func TestReplayedSet(t *testing.T) {
	s := &switches{}
	r := newRig(t, table(1, 10, 1), everyone(s))
	p := packet(r, gosnmp.SetRequest, gosnmp.SnmpPDU{Name: "." + root.String() + ".3.0", Type: gosnmp.Integer, Value: 1})
	recorded, err := p.MarshalMsg()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		out := r.h.answer(bytes.Clone(recorded), elsewhere, r.now())
		if st := r.Stats(); (out != nil) != (i == 0) || len(s.written()) != 1 || st.Replays != uint64(i) {
			t.Errorf("time %d: %d octets, written %v, %+v", i+1, len(out), s.written(), st)
		}
	}
	p.MsgID, p.RequestID = 7, 8
	if answer := r.send(p); answer == nil || answer.Error != 0 || len(s.written()) != 2 {
		t.Errorf("another of the same: %+v, written %v", answer, s.written())
	}
}

// TestManagersSizeIsHonoured: msgMaxSize bounds the answer, down to what every
// manager has to take.
func TestManagersSizeIsHonoured(t *testing.T) {
	tree := table(8, 1000, 1)
	r := newRig(t, tree, everyone(nil))
	for _, most := range []uint32{484, 1000, 1472, 10_000, 65507, 1<<31 - 1} {
		p := packet(r, gosnmp.GetBulkRequest, gosnmp.SnmpPDU{Name: "." + root.String(), Type: gosnmp.Null})
		p.MsgMaxSize, p.MaxRepetitions = most, 10_000
		before := r.Stats().BytesOut
		answer := r.send(p)
		if answer == nil || answer.Error != 0 {
			t.Fatalf("%d: %+v", most, answer)
		}
		if n, most := r.Stats().BytesOut-before, min(uint64(most), maxDatagram); n > most || n < most-150 {
			t.Errorf("%d octets, want nearly %d", n, most)
		}
		for i, v := range answer.Variables {
			if want := tree[i].Name; v.Name != "."+want.String() {
				t.Fatalf("%s, want %v", v.Name, want)
			}
		}
	}
	p := packet(r, gosnmp.GetRequest)
	for range 60 {
		p.Variables = append(p.Variables, gosnmp.SnmpPDU{Name: "." + cell(2, 1, 1).String(), Type: gosnmp.Null})
	}
	p.MsgMaxSize = 484
	if answer := r.send(p); answer == nil || answer.Error != gosnmp.TooBig || len(answer.Variables) != 0 {
		t.Errorf("%+v", answer)
	}
}

// TestReportsAreShort: anybody may ask for them.
func TestReportsAreShort(t *testing.T) {
	r := guarded(t)
	for _, q := range bases(t, r) {
		if out := r.h.answer(bytes.Clone(q), elsewhere, r.now()); len(out) > 2*len(q) {
			t.Errorf("%d octets were answered with %d", len(q), len(out))
		}
	}
	if st := r.Stats(); st.Reports != 8 {
		t.Errorf("%d reports, want 8: %+v", st.Reports, st)
	}
	// Where it cannot be seen what a message wants, it says so itself.
	for _, q := range bases(t, r) {
		var m ber.V3
		if m.Decode(q) != nil || m.Flags&ber.FlagPriv == 0 {
			continue
		}
		i := bytes.Index(q, []byte{ber.OctetString, 1, m.Flags, ber.Integer, 1, ber.ModelUSM})
		q[i+2] &^= ber.FlagReportable
		if out := r.h.answer(q, elsewhere, r.now()); out != nil {
			t.Errorf("answered with %x", out)
		}
	}
}

// TestRestart: managers find an agent again that was restarted, whether they
// begin anew or go on.
func TestRestart(t *testing.T) {
	t.Parallel()
	cfg := everyone(nil)
	cfg.StateDir, cfg.Listen = t.TempDir(), []string{"127.0.0.1:0"}
	cfg.Roots = []smi.OID{root}
	var client *gosnmp.GoSNMP
	var id []byte
	for i := range 3 {
		a := again(t, cfg, table(1, 10, uint64(i)))
		stop := run(t, a)
		cfg.Listen[0] = a.Addrs()[0].String()
		if i == 0 {
			id = a.EngineID()
			client = manager(t, a)
		}
		if a.Engine().Boots() != int32(i+1) || !bytes.Equal(a.EngineID(), id) {
			t.Errorf("engine %x boot %d, want %x boot %d", a.EngineID(), a.Engine().Boots(), id, i+1)
		}
		got, err := client.Get([]string{cell(1, 1, 1).String()})
		if err != nil || got.Variables[0].Value != i {
			t.Errorf("start %d: %+v, %v", i+1, got, err)
		}
		out, err := lab.Tool(t, "snmpget", append(v3[:len(v3):len(v3)], "-Oqv", at(a, 0), cell(1, 1, 1).String())...)
		if err != nil || strings.TrimSpace(out) != fmt.Sprint(i) {
			t.Errorf("start %d: snmpget says %q, %v", i+1, out, err)
		}
		stop()
	}
}

// TestDamagedIdentity: the agent runs all the same, and says what it costs.
func TestDamagedIdentity(t *testing.T) {
	cfg := everyone(nil)
	cfg.StateDir = t.TempDir()
	var log bytes.Buffer
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	first := newRig(t, nil, cfg)
	files, err := os.ReadDir(cfg.StateDir)
	if err != nil || len(files) != 1 || log.Len() != 0 {
		t.Fatalf("%v, %v, log %q", files, err, log.String())
	}
	if err := os.WriteFile(filepath.Join(cfg.StateDir, files[0].Name()), []byte("engine 0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	second := newRig(t, nil, cfg)
	if bytes.Equal(first.EngineID(), second.EngineID()) || !strings.Contains(log.String(), "new engine ID") {
		t.Errorf("engines %x and %x, log %q", first.EngineID(), second.EngineID(), log.String())
	}
	cfg.StateDir = filepath.Join(cfg.StateDir, "none")
	cfg.Roots = []smi.OID{root}
	if _, err := New(cfg, nil); !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "agent: ") {
		t.Errorf("no state directory: %v", err)
	}
}

// TestTreesDoNotWaitForUsers: the first users are let in when a boot is on the
// disk, which may take its time.
func TestTreesDoNotWaitForUsers(t *testing.T) {
	cfg := Config{StateDir: t.TempDir(), Communities: []Community{{Name: "public"}}}
	r := newRig(t, table(1, 10, 1), cfg)
	slow := filepath.Join(cfg.StateDir, "snmp-engine") // read by nobody before it is written
	if err := syscall.Mkfifo(slow, 0o600); err != nil {
		t.Fatal(err)
	}
	let := make(chan error, 1)
	go func() { let <- r.SetAccess(nil, everyone(nil).Users) }()
	w, err := os.OpenFile(slow, os.O_WRONLY, 0) // opens when SetAccess reads
	if err != nil {
		t.Fatal(err)
	}
	swapped := make(chan struct{})
	go func() { r.Swap(table(1, 10, 2)); close(swapped) }()
	select {
	case <-swapped:
	case <-time.After(time.Minute):
		t.Error("a tree waits for users")
	}
	w.Close()
	if err := <-let; err != nil || r.Engine() == nil {
		t.Errorf("%v", err)
	}
}

// manager is gosnmp as lab.User, connected to a.
func manager(t testing.TB, a *Agent) *gosnmp.GoSNMP {
	t.Helper()
	addr := a.Addrs()[0]
	g := &gosnmp.GoSNMP{Target: addr.Addr().String(), Port: addr.Port(), Version: gosnmp.Version3, Timeout: 30 * time.Second, Retries: 1,
		MaxRepetitions: 40, SecurityModel: gosnmp.UserSecurityModel, MsgFlags: gosnmp.AuthPriv,
		SecurityParameters: &gosnmp.UsmSecurityParameters{UserName: lab.User, AuthenticationProtocol: gosnmp.SHA256,
			AuthenticationPassphrase: lab.AuthPassword, PrivacyProtocol: gosnmp.AES, PrivacyPassphrase: lab.PrivPassword}}
	if err := g.Connect(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Conn.Close() })
	return g
}

// TestManyManagers walk side by side while the tree is swapped under them.
func TestManyManagers(t *testing.T) {
	t.Parallel()
	const columns, rows = 4, 100
	a := start(t, table(columns, rows, 0), everyone(nil))
	done := make(chan struct{})
	var swapper, walkers sync.WaitGroup
	swapper.Go(func() {
		for n := uint64(1); ; n++ {
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
				a.Swap(table(columns, rows-int(n%7), n%256))
			}
		}
	})
	for w := range 4 {
		walkers.Go(func() {
			g := manager(t, a)
			if w%2 == 0 {
				g = &gosnmp.GoSNMP{Target: g.Target, Port: g.Port, Version: gosnmp.Version2c, Community: "public", Timeout: 30 * time.Second, MaxRepetitions: 25}
				if err := g.Connect(); err != nil {
					t.Error(err)
					return
				}
				defer g.Conn.Close()
			}
			for range 10 {
				vars, err := g.BulkWalkAll(root.String())
				if err != nil || len(vars) < columns*(rows-7) || len(vars) > columns*rows {
					t.Errorf("%d variables, %v", len(vars), err)
				}
			}
		})
	}
	walkers.Wait()
	close(done)
	swapper.Wait()
	if st := a.Stats(); st.GenErrs+st.TooBigs+st.Malformed+st.SendErrors+st.SilentDrops != 0 {
		t.Errorf("%+v", st)
	}
}
