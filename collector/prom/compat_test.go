package prom

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lvs/dataplane"
	"lvs/dataplane/procfs"
	"lvs/internal/lab"
)

// TestNodeExporterFamiliesAreEqualToTheLetter reads the same files with
// node_exporter and with ours, and compares the texts of both.
func TestNodeExporterFamiliesAreEqualToTheLetter(t *testing.T) {
	const fixtures = "../../internal/lab/fixtures"
	rich := readFile(t, fixtures+"/rich/proc_net_ip_vs.txt")
	stats := readFile(t, fixtures+"/rich/proc_net_ip_vs_stats.txt")
	header := rich[:strings.Index(rich, "SCTP")]
	tests := []struct {
		name, table, labels string
	}{
		{"rich", withoutSCTP(rich), ""},
		{"rich, all labels in another order", withoutSCTP(rich), reversed(BackendLabels())},
		{"rich, addresses alone", withoutSCTP(rich), "local_address,remote_address"},
		{"rich, protocols alone", withoutSCTP(rich), "proto"},
		{"marks", readFile(t, fixtures+"/fwmark-max/proc_net_ip_vs.txt"), ""},
		{"empty", header, ""},
		{"one mark in both families", header + `FWM  00000101 rr ` + `
  -> 0A02000B:0000      Route   1      4          5         
FWM  00000101 rr ` + `
  -> [fd10:0002:0000:0000:0000:0000:0000:0011]:0000      Route   2      6          7         
`, "local_mark,proto"},
		{"the largest numbers", header + `TCP  0A010064:0050 rr  
  -> 0A02000B:0050      Masq    2147483647 2147483647 1000000   
`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := t.TempDir()
			writeFile(t, filepath.Join(root, "net", "ip_vs"), tt.table)
			writeFile(t, filepath.Join(root, "net", "ip_vs_stats"), stats)
			if diff := cmp.Diff(nodeExporter(t, root, tt.labels), ours(t, root, tt.labels)); diff != "" {
				t.Errorf("-node_exporter +ours:\n%s", diff)
			}
		})
	}
}

// node_exporter credits the real servers of an SCTP service to the service
// before it. Ours differ from its families there, and only there.
func TestNodeExporterFamiliesHaveSCTPWhereItBelongs(t *testing.T) {
	const fixtures = "../../internal/lab/fixtures/rich/"
	root := t.TempDir()
	writeFile(t, filepath.Join(root, "net", "ip_vs"), readFile(t, fixtures+"proc_net_ip_vs.txt"))
	writeFile(t, filepath.Join(root, "net", "ip_vs_stats"), readFile(t, fixtures+"proc_net_ip_vs_stats.txt"))
	theirs, got := nodeExporter(t, root, ""), ours(t, root, "")
	inTheirs := map[string]bool{}
	for _, line := range theirs {
		inTheirs[line] = true
	}
	sctp := 0
	for _, line := range got {
		if strings.Contains(line, `proto="SCTP"`) {
			sctp++
		} else if !inTheirs[line] {
			t.Errorf("only ours: %s", line)
		}
	}
	if sctp != 3*3 || len(theirs) != len(got) { // two services, three real servers
		t.Errorf("%d series of SCTP, want 9; %d lines of theirs, %d of ours", sctp, len(theirs), len(got))
	}
}

func reversed(labels []string) string {
	slices.Reverse(labels)
	return strings.Join(labels, ",")
}

func withoutSCTP(table string) string {
	var b strings.Builder
	skip := false
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "  ") {
			skip = strings.HasPrefix(line, "SCTP")
		}
		if !skip {
			b.WriteString(line)
		}
	}
	return b.String()
}

// ours is the lines of node_ipvs families that we show of the files below root.
func ours(t *testing.T, root, labels string) []string {
	t.Helper()
	snap, err := procfs.New(root).Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Snapshot: func() *dataplane.Snapshot { return snap }, NodeIPVS: true}
	if labels != "" {
		o.BackendLabels = strings.Split(labels, ",")
	}
	return nodeLines(get(t, exposition(t, o), "?scope=node-ipvs"))
}

// nodeExporter is the same as node_exporter shows it.
func nodeExporter(t *testing.T, root, labels string) []string {
	t.Helper()
	program, err := exec.LookPath("prometheus-node-exporter")
	if err != nil {
		t.Fatal("prometheus-node-exporter is missing: apt-get install prometheus-node-exporter")
	}
	addr := lab.FreePort(t, "tcp")
	args := []string{"--path.procfs=" + root, "--collector.disable-defaults", "--collector.ipvs", "--web.listen-address=" + addr}
	if labels != "" {
		args = append(args, "--collector.ipvs.backend-labels="+labels)
	}
	var log bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	defer func() { cmd.Process.Kill(); <-exited }()
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); {
		if text, err := fetch("http://" + addr + "/metrics"); err == nil {
			return nodeLines(text)
		}
		select {
		case err := <-exited:
			exited <- err
			t.Fatalf("%s: %v\n%s", program, err, log.String())
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Fatalf("%s does not answer", program)
	return nil
}

func fetch(url string) (string, error) {
	resp, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	return string(body), err
}

// nodeLines keeps the lines about node_ipvs families, in their order.
func nodeLines(text string) (out []string) {
	for line := range strings.Lines(text) {
		if strings.Contains(line, "node_ipvs_") {
			out = append(out, line)
		}
	}
	return out
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
