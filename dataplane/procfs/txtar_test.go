package procfs

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"lvs/dataplane"
)

var update = flag.Bool("update", false, "rewrite what the cases in testdata want")

// TestCases reads the machines in testdata. In each file, net/... and sys/... are
// the proc file system, hz is the kernel's timer frequency (100 if there is
// none), and want is what was understood, or the error.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases: ", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			f, want := machine(t, ar)
			got := describe(t, f)
			if *update {
				setWant(ar, got)
				if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// machine lays out the files of a case.
func machine(t *testing.T, ar *txtar.Archive) (f FS, want string) {
	t.Helper()
	f = FS{root: t.TempDir(), hz: 100}
	for _, file := range ar.Files {
		switch file.Name {
		case "want":
			want = string(file.Data)
			continue
		case "hz":
			n, err := strconv.ParseUint(string(bytes.TrimSpace(file.Data)), 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			f.hz = uint32(n)
			continue
		}
		// txtar ends every file with a newline; "cut" at the end of a file's
		// name stands for one that the kernel did not finish.
		name, cut := strings.CutSuffix(file.Name, " cut")
		data := file.Data
		if cut {
			data = bytes.TrimSuffix(data, []byte("\n"))
		}
		write(t, filepath.Join(f.root, name), string(data))
	}
	return f, want
}

func write(t *testing.T, file, data string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

func setWant(ar *txtar.Archive, got string) {
	for i := range ar.Files {
		if ar.Files[i].Name == "want" {
			ar.Files[i].Data = []byte(got)
			return
		}
	}
	ar.Files = append(ar.Files, txtar.File{Name: "want", Data: []byte(got)})
}

// describe writes down everything that can be read of a machine.
func describe(t *testing.T, f FS) string {
	t.Helper()
	var b strings.Builder
	fail := func(err error) {
		fmt.Fprintf(&b, "error: %s\n", strings.ReplaceAll(err.Error(), f.root, "/proc"))
	}
	s, err := f.Snapshot(t.Context())
	if err != nil {
		fail(err)
	} else {
		if !s.Partial || s.Time.IsZero() || s.Took < 0 {
			t.Errorf("partial %v, time %v, took %v", s.Partial, s.Time, s.Took)
		}
		describeDirector(&b, &s.Director)
		for i := range s.Services {
			describeService(&b, &s.Services[i])
		}
		if s.Inconsistent > 0 || s.Retries > 0 {
			fmt.Fprintf(&b, "retries %d inconsistent %d\n", s.Retries, s.Inconsistent)
		}
	}
	if cpus, err := f.StatsPerCPU(); err == nil {
		for _, c := range cpus {
			fmt.Fprintf(&b, "cpu %d: %+v\n", c.CPU, c.Total)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		fail(err)
	}
	if st, err := f.Status(); err == nil {
		fmt.Fprintf(&b, "status: %+v\n", st)
	}
	return b.String()
}

func describeDirector(b *strings.Builder, d *dataplane.Director) {
	fmt.Fprintf(b, "version %s, %d buckets\n", d.Version, d.ConnTableSize)
	if d.HasConnections {
		fmt.Fprintf(b, "connections %d\n", d.Connections)
	}
	if d.HasStats {
		fmt.Fprintf(b, "total %+v\nrates %+v\n", d.Kernel, d.KernelRates)
	}
	if d.Epoch != "" {
		fmt.Fprintf(b, "epoch %q\n", d.Epoch)
	}
	for _, name := range []string{"conntrack", "sync_threshold"} {
		if v, ok := d.Sysctls[name]; ok {
			fmt.Fprintf(b, "%s %q of %d sysctls\n", name, v, len(d.Sysctls))
		}
	}
}

func describeService(b *strings.Builder, s *dataplane.ServiceState) {
	fmt.Fprintf(b, "%v %s %v", s.Key, s.Scheduler, s.Flags)
	if s.Flags&dataplane.FlagPersistent != 0 {
		fmt.Fprintf(b, " timeout=%v mask=%v", s.Timeout, s.Netmask)
	}
	b.WriteByte('\n')
	for _, r := range s.Reals {
		fmt.Fprintf(b, "\t%v %v weight=%d active=%d inactive=%d\n", r.RIP, r.Method, r.Weight, r.Active, r.Inactive)
	}
}
