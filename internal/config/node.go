package config

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// A decoder walks the tree of a file and gathers what is wrong in it.
type decoder struct {
	file string
	path []string // of the key being decoded
	errs Errors
	// trace, where set, is told every key a mapping may have, and whether the
	// file gives it: so a test sees that the reference file shows them all.
	trace func(path string, given bool)
}

// fields are the keys of a mapping and what decodes the value of each.
type fields map[string]func(ast.Node)

// maxDepth of flow sequences and mappings, which the parser handles by
// recursion and in quadratic time.
const maxDepth = 32

// document parses the text and returns the only document in it; nil where there
// is none, or where it is wrong.
func (d *decoder) document(text []byte) (body ast.Node) {
	// The parser promises no panic, but hostile text has shown it some.
	defer func() {
		if r := recover(); r != nil {
			d.add(Error{Line: 1, Column: 1, Msg: fmt.Sprintf("not YAML: the parser gave up: %v", r)})
			body = nil
		}
	}()
	if !d.small(text) {
		return nil
	}
	tokens := lexer.Tokenize(string(text))
	if !d.shallow(tokens) {
		return nil
	}
	// Repeated keys are let through here, to be told with everything else.
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		d.syntax(err)
		return nil
	}
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil:
		case body != nil:
			d.errorAt(doc.Body, "", "a second document; want one")
			return body
		default:
			body = doc.Body
		}
	}
	return body
}

// small refuses, before anything is made of it, a text that would cost much.
func (d *decoder) small(text []byte) bool {
	if len(text) > maxFile {
		d.add(Error{Line: 1, Column: 1, Msg: fmt.Sprintf("the file is larger than %d MiB", maxFile>>20)})
		return false
	}
	n := 0
	for line := range bytes.Lines(text) {
		if n++; len(line) > maxLine {
			d.add(Error{Line: n, Column: maxLine, Msg: fmt.Sprintf("the line is longer than %d bytes", maxLine)})
			return false
		}
	}
	return true
}

// shallow refuses nesting that the parser would be slow with.
func (d *decoder) shallow(tokens token.Tokens) bool {
	depth := 0
	for _, t := range tokens {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		}
		if depth > maxDepth || t.Type == token.SequenceEntryType && t.Position.Column > 8*maxDepth {
			d.add(Error{Line: t.Position.Line, Column: t.Position.Column, Msg: "nested too deep"})
			return false
		}
	}
	return true
}

// syntax turns the parser's error into ours: without its drawing of the source.
func (d *decoder) syntax(err error) {
	var at interface {
		GetMessage() string
		GetToken() *token.Token
	}
	e := Error{Line: 1, Column: 1, Msg: "not YAML: " + err.Error()}
	if errors.As(err, &at) {
		e.Msg = "not YAML: " + at.GetMessage()
		if t := at.GetToken(); t != nil && t.Position != nil {
			e.Line, e.Column = t.Position.Line, t.Position.Column
			if strings.HasPrefix(strings.TrimSpace(t.Origin), ":") || t.Prev != nil && t.Prev.Type == token.SequenceEndType {
				e.Msg += ` (an IPv6 address in brackets at the start of a value needs quotes: "[2001:db8::1]:80")`
			}
		}
	}
	d.add(e)
}

// errorAt adds an error at the place of a node; key, if any, is below the path.
func (d *decoder) errorAt(n ast.Node, key, msg string) {
	path := strings.Join(d.path, "")
	if key != "" && path != "" {
		key = "." + key
	}
	e := Error{Line: 1, Column: 1, Key: strings.TrimPrefix(path+key, "."), Msg: msg}
	if t := firstToken(n); t != nil && t.Position != nil {
		e.Line, e.Column = t.Position.Line, t.Position.Column
	}
	d.add(e)
}

// firstToken is where a node begins; a mapping's own token is its first colon.
func firstToken(n ast.Node) *token.Token {
	switch n := n.(type) {
	case nil:
		return nil
	case *ast.MappingNode:
		if len(n.Values) > 0 && n.Values[0].Key != nil && !n.IsFlowStyle {
			return n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		if n.Key != nil {
			return n.Key.GetToken()
		}
	}
	return n.GetToken()
}

// describe is a node as a message shows it.
func describe(n ast.Node) string {
	switch n := n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode:
		return "nothing"
	case *ast.AnchorNode, *ast.AliasNode:
		return "an anchor or alias"
	case *ast.TagNode:
		return "a tag"
	case *ast.StringNode:
		return fmt.Sprintf("%q", clip(n.Value))
	default:
		return clip(n.GetToken().Value)
	}
}

// clip keeps a message readable whatever the value.
func clip(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// mapping decodes the keys of n and returns their values by key.
func (d *decoder) mapping(n ast.Node, f fields) map[string]ast.Node {
	given := map[string]ast.Node{}
	d.entries(n, func(key string, keyNode, value ast.Node) {
		decode, known := f[key]
		if !known {
			d.errorAt(keyNode, "", fmt.Sprintf("unknown key %q; want %s", clip(key), alternatives(slices.Sorted(maps.Keys(f)))))
			return
		}
		given[key] = value
		d.below("."+key, func() { decode(value) })
	})
	if d.trace != nil {
		for key := range f {
			d.trace(strings.TrimPrefix(strings.Join(d.path, "")+"."+key, "."), given[key] != nil)
		}
	}
	return given
}

// entries calls each for the keys of a mapping, none of them twice.
func (d *decoder) entries(n ast.Node, each func(key string, keyNode, value ast.Node)) {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		d.errorAt(n, "", describe(n)+"; want a mapping of keys to values")
		return
	}
	lines := map[string]int{}
	for _, v := range values {
		key, ok := keyText(v.Key)
		if !ok {
			d.errorAt(v, "", "this key is no plain text; want a key of the mapping")
			continue
		}
		if line, twice := lines[key]; twice {
			d.errorAt(v.Key, "", fmt.Sprintf("key %q was given before, in line %d", clip(key), line))
			continue
		}
		lines[key] = v.Key.GetToken().Position.Line
		each(key, v.Key, v.Value)
	}
}

// keyText is the text of a mapping's key, which YAML lets be anything.
func keyText(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// section is a mapping that may be empty, as one whose keys are all commented.
func (d *decoder) section(f func() fields) func(ast.Node) {
	return func(n ast.Node) {
		if _, null := n.(*ast.NullNode); !null {
			d.mapping(n, f())
		}
	}
}

// list decodes each element of a sequence.
func (d *decoder) list(each func(ast.Node)) func(ast.Node) {
	return func(n ast.Node) {
		seq, ok := n.(*ast.SequenceNode)
		if !ok {
			d.errorAt(n, "", describe(n)+"; want a list")
			return
		}
		for i, v := range seq.Values {
			d.below(fmt.Sprintf("[%d]", i), func() { each(v) })
		}
	}
}

// below runs f with the path one step longer.
func (d *decoder) below(step string, f func()) {
	d.path = append(d.path, step)
	f()
	d.path = d.path[:len(d.path)-1]
}

func alternatives(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
