package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lvs/mib"

	"github.com/google/go-cmp/cmp"
)

func mustRender(t *testing.T, packs []pack) map[string]string {
	t.Helper()
	files, err := render(packs, identifiers(mib.Objects()))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestFilesAreFresh(t *testing.T) {
	files := mustRender(t, packs())
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Error(err)
		}
		if string(got) != want {
			t.Errorf("%s is stale; go generate writes it", name)
		}
	}
	stored, err := filepath.Glob("../" + queries + "/*")
	if err != nil || len(stored) != len(files)-len(packs()) {
		t.Errorf("there are %q, %v", stored, err)
	}
}

func TestGenerationIsDeterministic(t *testing.T) {
	first := mustRender(t, packs())
	for range 5 {
		if diff := cmp.Diff(first, mustRender(t, packs())); diff != "" {
			t.Fatal(diff)
		}
	}
}

var hash = regexp.MustCompile(`hash_[0-9a-f]{38}`)

// TestTitlesDoNotMoveHashes renames everything that a user of Cacti reads. What is
// left of the files, the hashes, has to be as it was.
func TestTitlesDoNotMoveHashes(t *testing.T) {
	want := map[string][]string{}
	for name, text := range mustRender(t, packs()) {
		want[name] = hash.FindAllString(text, -1)
	}
	renamed := packs()
	for i := range renamed {
		p := &renamed[i]
		p.title += " renamed"
		for j := range p.queries {
			q := &p.queries[j]
			q.title, q.description, q.subject = q.title+" renamed", "", "|query_"+q.order[0]+"|"
			for k := range q.stores {
				q.stores[k].title += " renamed"
			}
			for k := range q.graphs {
				rename(&q.graphs[k])
			}
		}
		for j := range p.loose {
			rename(&p.loose[j].graph)
		}
	}
	got := map[string][]string{}
	for name, text := range mustRender(t, renamed) {
		got[name] = hash.FindAllString(text, -1)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func rename(g *graph) {
	g.title, g.vertical = g.title+" renamed", "renamed"
	for i := range g.items {
		g.items[i].label, g.items[i].colour = "renamed", red
	}
}

// TestHashesAreKept holds some hashes that have been given out: a change of how
// they are made would leave every Cacti with two packs.
func TestHashesAreKept(t *testing.T) {
	for got, want := range map[string]string{
		id(hostTemplateID, "lvs_director"):                   "hash_020103bceead509036e535b7d6f5b763d464b2",
		id(dataQuery, "lvs_services"):                        "hash_040103423277a520887c46c8ee8b015e4b7a30",
		id(dataQuery, "lvsd_real_servers"):                   "hash_040103b03f82150e97ce76c2088b9ef024cc2c",
		id(dataTemplate, "lvsd_service_traffic"):             "hash_010103ea2cb7ee076cb84896ee77000510ecfb",
		id(dataItem, "lvsd_service_traffic", "in_bytes"):     "hash_08010350ca732dd2363b3079f50968c7b583c6",
		id(graphTemplate, "lvsd_service_bits"):               "hash_000103068a3cd29b753caa724aa1898d1b4721",
		id(queryGraph, "lvsd_services", "lvsd_service_bits"): "hash_110103e0fe4c63346472bb5fde7c32da82102e",
	} {
		if got != want {
			t.Errorf("it is %s, was %s", got, want)
		}
	}
}

// TestReferencesLeadSomewhere reads the templates as Cacti does. One from before
// 1.2.24 finds nothing but what is in the file.
func TestReferencesLeadSomewhere(t *testing.T) {
	for _, p := range packs() {
		text := mustRender(t, packs())[p.file]
		defined, d := map[string]bool{}, xml.NewDecoder(strings.NewReader(text))
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", p.file, err)
			}
			start, ok := token.(xml.StartElement)
			if !ok || !strings.HasPrefix(start.Name.Local, "hash_") {
				continue
			}
			if name := start.Name.Local; defined[name] {
				t.Errorf("%s: two objects are %s", p.file, name)
			} else {
				defined[name] = true
			}
		}
		for _, ref := range hash.FindAllString(text, -1) {
			item := strings.Replace(ref, "hash_00", "hash_10", 1) // see template.input
			if !defined[ref] && !defined[item] {
				t.Errorf("%s: nothing is %s", p.file, ref)
			}
			// 1.2.19 is the first to know this code, and refuses newer ones.
			if ref[7:11] != "0103" {
				t.Errorf("%s: %s is of another Cacti", p.file, ref)
			}
		}
	}
}

// TestTable holds the table to what Cacti and RRDtool ask for and do not say.
func TestTable(t *testing.T) {
	stores := map[string]bool{}
	checkStore := func(s store) {
		if stores[s.name] {
			t.Errorf("two stores are called %s", s.name)
		}
		stores[s.name] = true
		for _, src := range s.sources {
			if len(src.name) == 0 || len(src.name) > 19 {
				t.Errorf("%s: RRDtool's names have up to 19 characters: %s", s.name, src.name)
			}
			if counter := strings.Contains(syntax(t, src.column), "Counter"); counter != (src.kind == derive) && !strings.HasSuffix(s.name, "_changes") {
				t.Errorf("%s: %s is a counter: %v", s.name, src.column, counter)
			}
		}
	}
	for _, p := range packs() {
		for _, q := range p.queries {
			if !slices.ContainsFunc(q.inputs, func(in input) bool { return in.field == q.order[0] }) {
				t.Errorf("%s: %s is no field that names a row", q.name, q.order[0])
			}
			for _, field := range regexp.MustCompile(`\|query_(\w+)\|`).FindAllStringSubmatch(q.subject, -1) {
				if !slices.ContainsFunc(q.inputs, func(in input) bool { return in.field == field[1] }) {
					t.Errorf("%s: titles tell %s, which is no field", q.name, field[1])
				}
			}
			for _, s := range q.stores {
				checkStore(s)
			}
			for _, g := range q.graphs {
				checkGraph(t, g, find(q.stores, g.store))
			}
		}
		seen := map[string]bool{}
		for _, g := range p.loose {
			checkGraph(t, g.graph, g.scalars...)
			for _, s := range g.scalars {
				if !seen[s.name] {
					checkStore(s)
				}
				seen[s.name] = true
			}
		}
	}
}

// checkGraph holds a graph to what calculations rely on: where one names another
// item by its letter, the first items are hidden, and each is of another source.
func checkGraph(t *testing.T, g graph, stores ...store) {
	t.Helper()
	letters := 0
	for letters < len(g.items) && g.items[letters].shape == hidden {
		if slices.ContainsFunc(g.items[:letters], func(it item) bool { return it.source == g.items[letters].source }) {
			t.Errorf("%s: %s is hidden twice", g.name, g.items[letters].source)
		}
		letters++
	}
	for i, it := range g.items {
		if sourceID(stores, it.source) == "" {
			t.Errorf("%s: no source %s", g.name, it.source)
		}
		if i >= letters && it.shape == hidden {
			t.Errorf("%s: %s is hidden behind one that is drawn", g.name, it.source)
		}
		for _, c := range calculations {
			if (c.name == it.drawn || c.name == it.told) && slices.ContainsFunc(c.terms, func(x term) bool {
				return x.kind == "6" && x.value >= "a" && int(x.value[0]-'a') >= letters
			}) {
				t.Errorf("%s: %s counts on an item that is not there", g.name, c.name)
			}
		}
	}
}

// syntax is an object's in its MIB.
func syntax(t *testing.T, name string) string {
	t.Helper()
	for _, o := range mib.Objects() {
		if o.Name == name {
			return strings.TrimPrefix(o.Syntax, "CounterBasedGauge64")
		}
	}
	t.Fatalf("no MIB has an object %s", name)
	return ""
}

func TestRenderSaysWhatIsWrong(t *testing.T) {
	p := packs()[:1]
	p[0].queries = p[0].queries[:1]
	p[0].queries[0].index = "lvsNoSuchColumn"
	if _, err := render(p, identifiers(mib.Objects())); err == nil || !strings.Contains(err.Error(), "lvsNoSuchColumn") {
		t.Errorf("an unknown column: %v", err)
	}
	p = packs()[:1]
	p[0].queries = append(p[0].queries, p[0].queries[0])
	if _, err := render(p, identifiers(mib.Objects())); err == nil || !strings.Contains(err.Error(), "two elements") {
		t.Errorf("a query twice: %v", err)
	}
}
