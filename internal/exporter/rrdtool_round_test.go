package exporter

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lvs/internal/lab"
)

// TestFetchedCSVIsTheStoreAgain takes stores of sources that come at different
// times, writes them as CSV in both forms, makes new stores of that, and compares
// all they answer.
func TestFetchedCSVIsTheStoreAgain(t *testing.T) {
	for number := range lab.Repeat(t, "LVS_RRDS", 2) {
		w := newWitness(t, number)
		w.live(200 + w.IntN(400))
		store := filepath.Join(w.dir, "store")
		counting := []string{"--counter", "drops"}
		for begin := 0; begin < len(w.lines); { // some are missing here and there
			if w.IntN(8) == 0 {
				w.lines = append(w.lines[:begin], w.lines[begin+1:]...)
				continue
			}
			begin++
		}
		all, first := []string{"--real", "*"}, w.first
		if w.key == "director" {
			all = append(all, w.key)
		}
		w.key = `"tcp/192.0.2.10:443,10.0.0.9:80"` // another series, at other times
		w.live(100)
		for _, file := range w.write() {
			w.bring(append([]string{"import", "--store", store, file}, counting...)...)
		}
		everything := append([]string{"--start", "1600000000", "--end", "1800000000"}, all...)
		for _, form := range []string{"csv", "csv-long"} {
			file, again := filepath.Join(w.dir, form), filepath.Join(w.dir, form+"-store")
			args := []string{"fetch", "--store", store, "-o", form, "--source", strings.Join(w.sources, ",")}
			if err := os.WriteFile(file, []byte(exportNow(t, append(args, everything...)...)), 0o644); err != nil {
				t.Fatal(err)
			}
			w.bring(append([]string{"import", "--store", again, file}, counting...)...)
			for i, resolution := range []string{"10s", "60s", "300s", "1h", "1h"} {
				start := []int64{first, w.first}[i%2]
				answer := func(store string) string {
					return exportNow(t, append([]string{"fetch", "--store", store, "--start", fmt.Sprint(start), "--end", fmt.Sprint(start + 20000),
						"--resolution", resolution, "--cf", functions[i%4], "--source", strings.Join(w.sources, ",")}, all...)...)
				}
				if got, want := answer(again), answer(store); got != want {
					t.Fatalf("history %d, %s, %s: the store of it answers\n%.2000s\nwant\n%.2000s", number, form, resolution, got, want)
				}
			}
		}
	}
}

// TestFetchedJSONIsTheCSV reads both with the readers of the standard library.
func TestFetchedJSONIsTheCSV(t *testing.T) {
	w := newWitness(t, 3000)
	w.live(500)
	store := w.imported()
	for i, resolution := range []string{"10s", "60s", "300s"} {
		ask := func(format string) string {
			return exportNow(t, "fetch", "--store", store, "--start", fmt.Sprint(w.first), "--end", fmt.Sprint(w.last), "-o", format,
				"--resolution", resolution, "--cf", functions[i], "--source", strings.Join(w.sources, ","), strings.Trim(w.key, `"`))
		}
		var doc struct {
			Meta struct {
				Start, Step int64
				Legend      []string
			}
			Data [][]*float64
		}
		if err := json.Unmarshal([]byte(ask("json")), &doc); err != nil {
			t.Fatal(err)
		}
		rows := w.fetched(ask("csv"))
		if len(rows) != len(doc.Data) || len(rows) < 10 || len(doc.Meta.Legend) != len(w.sources) {
			t.Fatalf("%d rows of %q, CSV has %d", len(doc.Data), doc.Meta.Legend, len(rows))
		}
		for k, values := range doc.Data {
			want := rows[doc.Meta.Start+int64(k)*doc.Meta.Step]
			for j, v := range values {
				column := slices.IndexFunc(w.sources, func(source string) bool {
					return slices.Contains(strings.Fields(doc.Meta.Legend[j]), source)
				})
				if v == nil != (want[column] != want[column]) || v != nil && *v != want[column] {
					t.Fatalf("row %d, %s: %v, CSV has %v", k, doc.Meta.Legend[j], v, want[column])
				}
			}
		}
	}
}
