package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lvs/dataplane"
	"lvs/dataplane/ipvs"
	"lvs/dataplane/procfs"
)

// procSource is a source that netlink refuses with err, on a /proc of its own.
func procSource(t *testing.T, err error) (s *kernelSource, log *syncBuffer) {
	t.Helper()
	root, log := t.TempDir(), &syncBuffer{}
	net := filepath.Join(root, "net")
	if err := os.MkdirAll(net, 0o755); err != nil {
		t.Fatal(err)
	}
	const table = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  C0A80016:0CEA wlc
  -> C0A85216:0CEA      Tunnel  100    248        2
`
	if err := os.WriteFile(filepath.Join(net, "ip_vs"), []byte(table), 0o644); err != nil {
		t.Fatal(err)
	}
	s = newKernelSource("", false, slog.New(slog.NewTextHandler(log, nil)))
	s.open = func(ipvs.Config) (*ipvs.Client, error) { return nil, err }
	proc := procfs.New(root)
	s.proc = &proc
	return s, log
}

func TestWithoutPrivilegeTheSourceReadsProc(t *testing.T) {
	s, log := procSource(t, fmt.Errorf("ipvs: %w", fs.ErrPermission))
	for range 3 {
		snap, err := s.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !snap.Partial || len(snap.Services) != 1 || snap.Services[0].Key.String() != "tcp/192.168.0.22:3306" || snap.Services[0].Reals[0].Active != 248 {
			t.Errorf("read %+v", snap)
		}
	}
	if n := strings.Count(log.String(), "instead of netlink"); n != 1 {
		t.Errorf("the log says %d times what is missing, want once:\n%s", n, log)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// A kernel without ip_vs is not a matter of privilege: an old /proc must not be
// taken for it.
func TestOtherErrorsAreNotHidden(t *testing.T) {
	s, _ := procSource(t, fmt.Errorf("ipvs: %w", dataplane.ErrNotSupported))
	if snap, err := s.Snapshot(t.Context()); !errors.Is(err, dataplane.ErrNotSupported) {
		t.Errorf("Snapshot = %+v, %v", snap, err)
	}
}

func TestWithoutPrivilegeAndProcBothAreTold(t *testing.T) {
	s, _ := procSource(t, fmt.Errorf("ipvs: %w", fs.ErrPermission))
	proc := procfs.New(t.TempDir())
	s.proc = &proc
	if _, err := s.Snapshot(t.Context()); !errors.Is(err, fs.ErrPermission) || !errors.Is(err, dataplane.ErrNotSupported) {
		t.Errorf("error %v, want both reasons", err)
	}
}

// The way through which the director writes is the source's: it is dialled when
// there is something to say, and errors come through as they are.
func TestTheTableDialsWhenItIsNeeded(t *testing.T) {
	s, _ := procSource(t, nil)
	dialled := 0
	s.open = func(cfg ipvs.Config) (*ipvs.Client, error) {
		dialled++
		return nil, fmt.Errorf("ipvs: %w", fs.ErrPermission)
	}
	tb := table{s}
	if dialled != 0 {
		t.Error("dialled before anything was asked for")
	}
	for name, err := range map[string]error{
		"AddService":       tb.AddService(t.Context(), dataplane.Service{}),
		"EditService":      tb.EditService(t.Context(), dataplane.Service{}),
		"DeleteService":    tb.DeleteService(t.Context(), dataplane.ServiceKey{}),
		"AddRealServer":    tb.AddRealServer(t.Context(), dataplane.ServiceKey{}, dataplane.RealServer{}),
		"EditRealServer":   tb.EditRealServer(t.Context(), dataplane.ServiceKey{}, dataplane.RealServer{}),
		"DeleteRealServer": tb.DeleteRealServer(t.Context(), dataplane.ServiceKey{}, dataplane.RealServer{}),
		"SetTimeouts":      tb.SetTimeouts(t.Context(), dataplane.Timeouts{}),
		"StartDaemon":      tb.StartDaemon(t.Context(), dataplane.SyncDaemon{}),
		"StopDaemon":       tb.StopDaemon(t.Context(), dataplane.Master),
	} {
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if dialled != 9 {
		t.Errorf("dialled %d times, want once for each of 9 requests, as none succeeded", dialled)
	}
}
