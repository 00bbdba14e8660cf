package exporter

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lvs/internal/lab"
)

// An rra is one of RRDtool's archives.
type rra struct {
	cf        string
	per, rows int64
}

// cacti are archives like Cacti's, most of them.
func (w *witness) cacti() (all []rra) {
	for _, a := range []rra{{"", 1, 600}, {"", 6, 700}, {"", 24, 775}, {"", 288, 797}} {
		for _, cf := range functions {
			usual := cf == "AVERAGE" || cf == "MAX"
			if usual && w.IntN(6) > 0 || !usual && w.IntN(6) == 0 {
				all = append(all, rra{cf, a.per, a.rows})
			}
		}
	}
	if len(all) == 0 {
		all = []rra{{"AVERAGE", 1, 600}}
	}
	w.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// dumped is a file of what rrdtool dump prints.
func (w *witness) dumped() string {
	w.Helper()
	name := filepath.Join(w.dir, "dump.xml")
	if err := os.WriteFile(name, []byte(w.tool("dump", w.file)), 0o644); err != nil {
		w.Fatal(err)
	}
	return name
}

// mapped are the flags that say what a dump is of.
func (w *witness) mapped() (flags []string) {
	flags = []string{"--key", strings.Trim(w.key, `"`)}
	for i, source := range w.sources {
		flags = append(flags, "--map", fmt.Sprintf("s%d=%s", i, source))
	}
	return flags
}

// TestImportOfADumpEqualsRRDtool brings files like Cacti's into a new store and
// compares what is fetched of each archive with what rrdtool reads. What no archive
// tells is unknown.
func TestImportOfADumpEqualsRRDtool(t *testing.T) {
	var sum tally
	for number := range lab.Repeat(t, "LVS_RRDS", 4) {
		w := newWitness(t, number)
		w.step, w.heartbeat = 300, 600
		w.live(400 + w.IntN(2000))
		archives := w.cacti()
		var texts []string
		for _, a := range archives {
			texts = append(texts, fmt.Sprintf("RRA:%s:0.5:%d:%d", a.cf, a.per, a.rows))
		}
		w.create(texts)
		store := filepath.Join(w.dir, "store")
		args := append([]string{"import", "--store", store}, w.mapped()...)
		exportNow(t, append(args, w.dumped())...)
		for _, a := range archives {
			row := a.per * w.step
			begin := w.last - w.last%row - a.rows*row
			for range 3 {
				start := begin + w.Int64N(w.last-begin)
				w.compare(store, a.cf, start, start+w.Int64N(400*row), row)
			}
		}
		w.unknown(store, archives)
		sum.cells, sum.numeric = sum.cells+w.counted.cells, sum.numeric+w.counted.numeric
	}
	t.Logf("%d cells, %d of them numbers", sum.cells, sum.numeric)
	if sum.numeric < sum.cells/20 {
		t.Error("the histories hold too little to show anything")
	}
}

// unknown holds that there are no values of functions that no archive has, nor one
// of data points, from which they would follow.
func (w *witness) unknown(store string, archives []rra) {
	w.Helper()
	finest := make(map[string]int64)
	for _, a := range archives {
		if a.per == 1 {
			return
		}
		if per, ok := finest[a.cf]; !ok || a.per < per {
			finest[a.cf] = a.per
		}
	}
	for _, a := range archives {
		for _, cf := range functions {
			if per, ok := finest[cf]; ok && per <= a.per {
				continue
			}
			row := a.per * w.step
			text := exportNow(w.T, "fetch", "--store", store, "--start", fmt.Sprint(w.last-100*row), "--end", fmt.Sprint(w.last),
				"--resolution", fmt.Sprintf("%ds", row), "--cf", cf, strings.Trim(w.key, `"`))
			for at, values := range w.fetched(text) {
				for i, v := range values {
					if v == v {
						w.Fatalf("%s of %d s at %d: %s is %v, of archives %v", cf, row, at, w.sources[i], v, archives)
					}
				}
			}
		}
	}
}
