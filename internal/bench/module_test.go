package main

import (
	"cmp"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var requirement = regexp.MustCompile(`(?m)^(?:require)?\s+(\S+) v(\d+)\.(\d+)\.(\d+)(\S*)`)

// required are the versions of modules in a go.mod, as strings that compare as the
// versions do: a pre-release, which pseudo-versions are, comes before its release.
func required(t *testing.T, file string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, m := range requirement.FindAllStringSubmatch(string(text), -1) {
		v := ""
		for _, number := range m[2:5] {
			n, err := strconv.Atoi(number)
			if err != nil {
				t.Fatal(err)
			}
			v += strconv.Itoa(1_000_000 + n)
		}
		all[m[1]] = v + cmp.Or(strings.TrimPrefix(m[5], "+incompatible"), "~")
	}
	return all
}

// The peer's module builds ours: with an older version of anything we need, go
// refuses to build it, which nobody would see before the next run of the figures.
func TestPeersModuleKeepsUpWithOurs(t *testing.T) {
	ours, peers := required(t, "../../go.mod"), required(t, "tsdbpeer/go.mod")
	if peers["github.com/prometheus/prometheus"] == "" || ours["golang.org/x/sys"] == "" {
		t.Fatalf("not read: %v, %v", ours, peers)
	}
	for module, v := range ours {
		if p, ok := peers[module]; ok && p < v {
			t.Errorf("tsdbpeer/go.mod has an older %s; go mod tidy there", module)
		}
	}
}
