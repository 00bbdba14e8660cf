package exporter

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lvs/rrdstore"
)

// oddName is what a service may be called.
const oddName = `<b onclick="x">'&amp;`

// oddStore is testHistory with a service of an odd name.
func oddStore(t *testing.T) string {
	t.Helper()
	dir := testHistory(t)
	s, err := rrdstore.Open(dir, rrdstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	snap := testSnapshot(epoch.Add(2*time.Hour), 3)
	snap.Services[1].Name = oddName
	if err := errors.Join(s.Commit(t.Context(), snap), s.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func exportNow(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	err := run(t.Context(), args, &stdout, &stderr, epoch.Add(2*time.Hour))
	// What is random may be far apart; import says so, once for each file.
	if said := strings.Count(stderr.String(), "\n"); err != nil || said != strings.Count(stderr.String(), "is a gap, of which nothing is known") {
		t.Fatalf("%q: %v\n%s", args, err, &stderr)
	}
	return stdout.String()
}

// TestGraphFolder holds that pages are well-formed, that what they refer to is
// there and nothing else is referred to, and that no name gets into them as markup.
func TestGraphFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "report")
	exportNow(t, "graph", "--store", oddStore(t), "--all", "--dir", dir)
	pages, referred := 0, map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		for attr, value := range wellFormed(t, path) {
			if attr != "href" && attr != "src" {
				continue
			}
			for _, target := range value {
				if !strings.HasSuffix(path, ".html") && strings.HasPrefix(target, "#") {
					continue // within a picture
				}
				file := filepath.Join(filepath.Dir(path), target)
				if _, err := os.Stat(file); err != nil || strings.Contains(target, ":") {
					t.Errorf("%s refers to %q", path, target)
				}
				referred[file] = true
			}
		}
		if strings.HasSuffix(path, ".html") {
			pages++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if pages != 5 || len(referred) != pages+3*(1+20)+1+16 {
		t.Errorf("%d pages refer to %d files, want 5 and 85", pages, len(referred))
	}
	index, err := os.ReadFile(filepath.Join(dir, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(index), oddName) || !strings.Contains(string(index), `&lt;b onclick=`) {
		t.Errorf("the odd name got into\n%s", index)
	}
}

// wellFormed reads a page or picture strictly and gives its attributes.
func wellFormed(t *testing.T, path string) map[string][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	attributes := map[string][]string{}
	for d := xml.NewDecoder(f); ; {
		token, err := d.Token()
		if err == io.EOF {
			return attributes
		}
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return attributes
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if e.Name.Local == "script" {
			t.Errorf("%s has a script", path)
		}
		alt := e.Name.Local != "img"
		for _, a := range e.Attr {
			attributes[a.Name.Local] = append(attributes[a.Name.Local], a.Value)
			alt = alt || a.Name.Local == "alt" && a.Value != ""
			if strings.HasPrefix(a.Name.Local, "on") {
				t.Errorf("%s has an attribute %s", path, a.Name.Local)
			}
		}
		if !alt {
			t.Errorf("%s has a picture without a text", path)
		}
	}
}

func TestGraphWritesBothFormats(t *testing.T) {
	store, dir := testHistory(t), t.TempDir()
	if svg := exportNow(t, "graph", "--store", store, "web"); !strings.HasPrefix(svg, "<svg") || !strings.Contains(svg, "web (tcp/192.0.2.10:443)") {
		t.Errorf("printed %.200s", svg)
	}
	file := filepath.Join(dir, "web.PNG")
	exportNow(t, "graph", "--store", store, "--start", "-1h", "--width", "400", "--scale", "2", "--kind", "reals", "-o", file, "web")
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if img, err := png.Decode(f); err != nil || img.Bounds().Dx() != 800 {
		t.Errorf("%v, want a picture 800 pixels wide", err)
	}
}
