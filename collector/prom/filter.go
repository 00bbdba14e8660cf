package prom

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"lvs/dataplane"
)

// Limits of a query, so that matching stays cheap whatever is asked.
const (
	maxGlobs   = 64
	maxGlobLen = 256
)

// A filter is what a scrape asks for. The zero filter asks for everything.
type filter struct {
	scopes   []Scope
	services []string // globs on label or key
	names    []string // families
}

// parseFilter reads the parameters scope, service and name[] of a query, each of
// which may be repeated; scopes may also be joined by commas.
func parseFilter(query string) (*filter, error) {
	q, err := url.ParseQuery(query)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	f := &filter{names: q["name[]"]}
	for p := range q {
		if p != "scope" && p != "service" && p != "name[]" {
			return nil, fmt.Errorf("unknown parameter %q: want scope, service or name[]", p)
		}
	}
	for _, v := range q["scope"] {
		for name := range strings.SplitSeq(v, ",") {
			if !slices.Contains(scopes, Scope(name)) {
				return nil, fmt.Errorf("unknown scope %q: want some of %s", name, scopeList())
			}
			f.scopes = append(f.scopes, Scope(name))
		}
	}
	for _, g := range q["service"] {
		if g == "" || len(g) > maxGlobLen {
			return nil, fmt.Errorf("service pattern of %d bytes: want 1 to %d, such as web* or tcp/192.0.2.10:*", len(g), maxGlobLen)
		}
		f.services = append(f.services, g)
	}
	if len(f.services) > maxGlobs {
		return nil, fmt.Errorf("%d service patterns: want at most %d", len(f.services), maxGlobs)
	}
	return f, nil
}

func scopeList() string {
	var names []string
	for _, s := range scopes {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

// scope says whether the scope is asked for.
func (f *filter) scope(s Scope) bool {
	return s == ScopeEvery || len(f.scopes) == 0 || slices.Contains(f.scopes, s)
}

// family says whether the family is asked for.
func (f *filter) family(name string) bool {
	return len(f.names) == 0 || slices.Contains(f.names, name)
}

// service says whether the service is asked for.
func (f *filter) service(label string, key dataplane.ServiceKey) bool {
	if len(f.services) == 0 {
		return true
	}
	text := key.String()
	for _, g := range f.services {
		if glob(g, label) || glob(g, text) {
			return true
		}
	}
	return false
}

// glob says whether pattern matches the whole of s: * stands for any text, the
// empty one and slashes included, and ? for any one byte. All else stands for
// itself, so that an IPv6 address keeps its brackets.
func glob(pattern, s string) bool {
	star, mark := -1, 0 // the last *, and how far it reaches
	p, i := 0, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
