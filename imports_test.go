// Package lvs holds the tests of the project as a whole.
package lvs

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// allowed is the architecture: which packages of the project each may import.
// Imports point down only, and siblings never see each other. Test files may
// also import what testAllowed says.
var allowed = map[string][]string{
	"dataplane":               {},
	"dataplane/ipvs":          {"dataplane"},
	"dataplane/procfs":        {"dataplane"},
	"dataplane/dataplanetest": {"dataplane"},
	"collector":               {"dataplane"},
	"collector/prom":          {"dataplane"},
	"collector/snmp":          {"dataplane"},
	"collector/snmp/snmptest": {"mib/ber", "mib/smi"},
	"rrdstore":                {"dataplane", "rrdstore/chunk", "rrdstore/rrd"},
	"rrdstore/rrd":            {},
	"rrdstore/chunk":          {"rrdstore/rrd"},
	"rrdstore/export":         {"dataplane", "rrdstore"},
	"rrdstore/graph":          {"dataplane", "rrdstore"},
	"mib/smi":                 {},
	"mib/agentx":              {"mib/smi"},
	"mib/notify":              {"mib/smi"},
	"mib/notify/notifytest":   {},
	"mib/ber":                 {"mib/smi"},
	"mib/agent":               {"mib/smi", "mib/ber", "mib/usm"},
	"mib/usm":                 {"mib/ber", "mib/smi"},
	"mib":                     {"dataplane", "mib/smi", "mib/agentx"},

	"dashboards/web": {"dataplane"},

	// Tests of rules, over what a director that breaks shows.
	"dashboards/prometheus": {"collector", "collector/prom", "dataplane"},
	// A program; its test is an agent in small.
	"dashboards/cacti/gen": {"mib", "dataplane", "collector", "mib/agent"},
	// Likewise; its test shows what a director that moves on looks like.
	"dashboards/grafana/gen": {"collector/prom", "dataplane", "collector"},
	// Tests only: the dashboards' files.
	"dashboards/grafana/schema": {},

	"internal/config":     {"dataplane", "collector/snmp", "internal/director", "rrdstore"},
	"internal/director":   {"dataplane"},
	"internal/lab":        {},
	"internal/httpserver": {},
	"internal/ledger":     {"dataplane", "rrdstore"},
	"internal/history":    {"dataplane", "rrdstore", "rrdstore/export", "rrdstore/graph"},
	"internal/exporter": {"dataplane", "collector", "collector/prom", "collector/snmp", "rrdstore", "rrdstore/export", "rrdstore/graph",
		"internal/config", "internal/history", "internal/httpserver", "internal/ledger"},
	"internal/agent": {"dataplane", "dataplane/ipvs", "dataplane/procfs", "collector", "collector/prom", "rrdstore", "mib", "mib/smi",
		"mib/agentx", "mib/agent", "mib/notify", "mib/usm", "internal/config", "internal/director", "internal/history", "internal/httpserver", "internal/ledger", "rrdstore/export", "dashboards/web"},

	"cmd/lvs-agent":    {"internal/agent"},
	"cmd/lvs-exporter": {"internal/exporter"},
}

// libraries are the modules of others, each where it belongs: none comes in
// unseen, and none spreads. Tests may use any that go.mod has.
var libraries = map[string][]string{
	"github.com/mdlayher/genetlink":          {"dataplane/ipvs"},
	"github.com/mdlayher/netlink":            {"dataplane/ipvs"},
	"github.com/prometheus/client_golang":    {"collector/prom", "internal/agent", "internal/exporter", "internal/ledger"},
	"github.com/prometheus/client_model":     {"collector/prom", "internal/exporter"},
	"github.com/prometheus/common":           {"collector/prom", "internal/agent", "internal/exporter"},
	"github.com/prometheus/exporter-toolkit": {"internal/agent", "internal/exporter", "internal/httpserver"},
	"github.com/klauspost/compress":          {"internal/agent", "internal/httpserver"},
	"google.golang.org/protobuf":             {"collector/prom"},
	"go.etcd.io/bbolt":                       {"rrdstore"},
	"github.com/goccy/go-yaml":               {"internal/config"},
	"github.com/gosnmp/gosnmp":               {"collector/snmp", "mib/notify"},
	"github.com/alecthomas/kingpin/v2":       {"internal/agent", "internal/exporter"},
	"github.com/coreos/go-systemd/v22":       {"internal/agent"},
	"golang.org/x/image":                     {"rrdstore/graph"},
	"golang.org/x/sys":                       {"dataplane/ipvs", "dataplane/procfs", "rrdstore", "mib/agent", "mib/usm", "internal/agent"},
}

// mayUse reports whether a package may import a library's package.
func mayUse(dir, name string) bool {
	for module, dirs := range libraries {
		if name == module || strings.HasPrefix(name, module+"/") {
			return slices.Contains(dirs, dir)
		}
	}
	return false
}

// testAllowed is what tests of any package may import besides: the lab, and the
// packages whose output theirs is held against.
var testAllowed = map[string]bool{
	"internal/lab": true, "dataplane/dataplanetest": true, "mib/notify/notifytest": true,
	"dataplane/procfs": true, "dataplane/ipvs": true, "mib/smi": true, "mib/agentx": true, "mib/agent": true, "mib/usm": true,
	"collector/prom": true, "collector/snmp/snmptest": true, "mib/ber": true, "mib": true,
}

// standalone packages are programs and tools of the tests; nothing but their
// own kind imports them, and they may import anything.
func standalone(dir string) bool {
	return strings.HasPrefix(dir, "internal/bench") || strings.HasPrefix(dir, "internal/lab/") || strings.HasPrefix(dir, "internal/e2e") || dir == "."
}

func TestImportsPointDown(t *testing.T) {
	seen := map[string]bool{}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == "build" || file != "." && strings.HasPrefix(d.Name(), ".")) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(file, ".go") {
			return nil
		}
		dir := path.Dir(filepath.ToSlash(file))
		down, listed := allowed[dir]
		if !listed && !standalone(dir) {
			t.Errorf("%s: package %s is not in the import table", file, dir)
		}
		seen[dir] = true
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		may := map[string]bool{dir: true}
		for _, p := range down {
			may[p] = true
		}
		for _, spec := range f.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			dep, ours := strings.CutPrefix(name, "lvs/")
			switch {
			case standalone(dir):
			case ours && standalone(dep):
				t.Errorf("%s: imports %s, which is for tests' programs only", file, name)
			case ours && !may[dep] && !(strings.HasSuffix(file, "_test.go") && testAllowed[dep]):
				t.Errorf("%s: package %s may not import %s", file, dir, name)
			case ours || strings.HasSuffix(file, "_test.go"):
			case strings.Contains(name, ".") && !mayUse(dir, name):
				t.Errorf("%s: package %s may not use %s; see the table of libraries", file, dir, name)
			case name == "os/exec" && dir != "internal/lab":
				t.Errorf("%s: runs other programs (os/exec)", file)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir := range allowed {
		if !seen[dir] {
			t.Errorf("the import table lists %s, which does not exist", dir)
		}
	}
}
