package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io"
	"path"
	"regexp"
	"strings"
)

//go:embed *.tmpl *.css *.js *.svg
var files embed.FS

// Policy is the Content-Security-Policy of the pages: everything from the page's
// own host, nothing inline.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// A File is one of the page's static files.
type File struct {
	// Name has a hash of the content, so that it never changes.
	Name        string
	ContentType string
	ETag        string // with its quotes
	Content     []byte
}

// A Site is the templates and static files, made ready. It is safe for concurrent
// use.
type Site struct {
	pages *template.Template
	named map[string]string // the name with a hash, by that without
	files map[string]File   // by the name with a hash
}

var contentTypes = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

// NewSite reads what is embedded. An error is a mistake in it.
func NewSite() (*Site, error) {
	s := &Site{named: map[string]string{}, files: map[string]File{}}
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if err := s.add(e.Name()); err != nil {
			return nil, err
		}
	}
	s.pages, err = template.New("").Funcs(template.FuncMap{"static": s.static, "pair": pair, "content": content, "facts": facts}).ParseFS(files, "*.tmpl")
	return s, err
}

// imported are the files that a script takes something from.
var imported = regexp.MustCompile(`from "\./([a-z]+\.js)"`)

// add makes a file ready, and before it those that it imports: it names them as they
// are served.
func (s *Site) add(file string) error {
	ext := path.Ext(file)
	if contentTypes[ext] == "" || s.named[file] != "" {
		return nil
	}
	b, err := files.ReadFile(file)
	if err != nil {
		return err
	}
	if ext == ".js" {
		for _, m := range imported.FindAllSubmatch(b, -1) {
			if err := s.add(string(m[1])); err != nil {
				return err
			}
			b = bytes.ReplaceAll(b, m[0], []byte(`from "./`+s.named[string(m[1])]+`"`))
		}
	}
	sum := sha256.Sum256(b)
	hash := hex.EncodeToString(sum[:8])
	name := strings.TrimSuffix(file, ext) + "-" + hash + ext
	s.named[file] = name
	s.files[name] = File{Name: name, ContentType: contentTypes[ext], ETag: `"` + hash + `"`, Content: b}
	return nil
}

// static is the name under which a page finds a file.
func (s *Site) static(name string) (string, error) {
	if s.named[name] == "" {
		return "", fmt.Errorf("there is no file %s", name)
	}
	return "static/" + s.named[name], nil
}

// File finds a static file by the name that pages use, after "static/".
func (s *Site) File(name string) (f File, ok bool) {
	f, ok = s.files[name]
	return f, ok
}

// Render writes a page: "page", "service", "rows" (the real servers of
// p.Service alone) or "message". It may have written a part of it when it returns
// an error.
func (s *Site) Render(w io.Writer, name string, p *Page) error {
	if err := s.pages.ExecuteTemplate(w, name, p); err != nil {
		return fmt.Errorf("web: %w", err)
	}
	return nil
}

// A rowView is a row with the page it is on.
type rowView struct {
	Page *Page
	Row  *Row
	// Group is that of a service's own row; nil of a real server's.
	Group *Group
}

// pair gives the template of a row its two arguments.
func pair(p *Page, v any) rowView {
	switch v := v.(type) {
	case Group:
		return rowView{Page: p, Row: &v.Row, Group: &v}
	case Row:
		return rowView{Page: p, Row: &v}
	}
	panic(fmt.Sprintf("web: a row is no %T", v))
}

// Anchor is where the row's name leads, from the root.
func (v rowView) Anchor() string { return "service/" + v.Row.Key() }

// Hidden counts the real servers of the service that the page leaves out.
func (v rowView) Hidden() int {
	if v.Group == nil || v.Row.Gone {
		return 0
	}
	return v.Group.Of - len(v.Group.Reals)
}

// facts gives the template of details its two arguments.
func facts(p *Page, v any) (f struct{ Facts []factView }) {
	var row *Row
	switch v := v.(type) {
	case Group:
		row = &v.Row
	case *Row:
		row = v
	default:
		panic(fmt.Sprintf("web: there are no facts of a %T", v))
	}
	for _, fact := range row.Facts() {
		f.Facts = append(f.Facts, factView{fact.Name, content(p, fact.Cell, noPicture)})
	}
	return f
}

// A factView is a fact as it is written.
type factView struct {
	Name    string
	Content template.HTML
}
