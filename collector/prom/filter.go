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
	fleet    []string // globs on director
}

// parseFilter reads the parameters scope, service and name[] of a query, each of
// which may be repeated; scopes may also be joined by commas. Those of more may
// be there besides, of which director is read too.
func parseFilter(query string, more ...string) (*filter, error) {
	q, err := url.ParseQuery(query)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	f := &filter{names: q["name[]"]}
	for p := range q {
		if p != "scope" && p != "service" && p != "name[]" && !slices.Contains(more, p) {
			return nil, fmt.Errorf("unknown parameter %q: want scope, service or name[]", p)
		}
	}
	if slices.Contains(more, labelDirector) {
		if f.fleet, err = globs(q, labelDirector, "web*"); err != nil {
			return nil, err
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
	f.services, err = globs(q, labelService, "web* or tcp/192.0.2.10:*")
	return f, err
}

// globs are the patterns that a parameter gives.
func globs(q url.Values, name, example string) ([]string, error) {
	for _, g := range q[name] {
		if g == "" || len(g) > maxGlobLen {
			return nil, fmt.Errorf("%s pattern of %d bytes: want 1 to %d, such as %s", name, len(g), maxGlobLen, example)
		}
	}
	if n := len(q[name]); n > maxGlobs {
		return nil, fmt.Errorf("%d %s patterns: want at most %d", n, name, maxGlobs)
	}
	return q[name], nil
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

// director says whether the member of a fleet is asked for.
func (f *filter) director(name string) bool {
	return len(f.fleet) == 0 || slices.ContainsFunc(f.fleet, func(g string) bool { return glob(g, name) })
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
