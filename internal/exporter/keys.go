package exporter

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"lvs/rrdstore"
)

// directorKey asks for the director's own line.
const directorKey = "director"

// A pattern is a KEY of the command line.
type pattern struct {
	text, service, rip string
	matched            bool
}

func parsePattern(s string) pattern {
	service, rip, _ := strings.Cut(s, ",")
	return pattern{text: s, service: service, rip: strings.TrimSpace(rip)}
}

// matches reports whether a series is what the pattern asks for, given its
// service's name; reals says that a service's real servers are wanted with it.
func (p *pattern) matches(s *rrdstore.Series, serviceName string, reals bool) bool {
	if !glob(p.service, s.Key.String()) && (serviceName == "" || !glob(p.service, serviceName)) {
		return false
	}
	isReal := s.RIP != netip.AddrPort{}
	if p.rip != "" {
		return isReal && glob(p.rip, s.RIP.String())
	}
	return !isReal || reals
}

// glob matches s against a pattern of * (any text) and ? (any one byte).
func glob(pattern, s string) bool {
	star, back := -1, 0
	i, j := 0, 0
	for j < len(s) {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, back = i, j
			i++
		case i < len(pattern) && (pattern[i] == '?' || pattern[i] == s[j]):
			i++
			j++
		case star >= 0: // let the last star take one more
			back++
			i, j = star+1, back
		default:
			return false
		}
	}
	return strings.Trim(pattern[i:], "*") == ""
}

// A selection is what a command line asks for of a catalog.
type selection struct {
	patterns []pattern // none: every service
	director bool
	reals    bool
	names    map[uint32]string // of services, by number, as they are called last
}

func newSelection(keys []string, reals bool, catalog []*rrdstore.Series) (*selection, error) {
	sel := &selection{reals: reals, names: make(map[uint32]string)}
	for _, s := range catalog {
		if s.RealNumber == 0 {
			sel.names[s.Number] = s.Name
		}
	}
	for _, key := range keys {
		if key == directorKey {
			sel.director = true
			continue
		}
		sel.patterns = append(sel.patterns, parsePattern(key))
	}
	if len(keys) == 0 {
		sel.patterns = []pattern{{text: "*", service: "*", matched: true}}
	}
	for _, s := range catalog {
		sel.want(s)
	}
	for i := range sel.patterns {
		if p := &sel.patterns[i]; !p.matched {
			return nil, unknownKey(p.text, catalog)
		}
	}
	return sel, nil
}

func (sel *selection) want(s *rrdstore.Series) (want bool) {
	for i := range sel.patterns {
		p := &sel.patterns[i]
		if p.matches(s, sel.names[s.Number], sel.reals) {
			p.matched, want = true, true
		}
	}
	return want
}

// unknownKey lists what the store has that reads most like key.
func unknownKey(key string, catalog []*rrdstore.Series) error {
	var have []string
	for _, s := range catalog {
		text := s.Key.String()
		if s.RealNumber != 0 {
			if !strings.Contains(key, ",") {
				continue
			}
			text += "," + s.RIP.String()
		}
		have = append(have, text)
		if s.RealNumber == 0 && s.Name != "" {
			have = append(have, s.Name)
		}
	}
	slices.Sort(have)
	have = slices.Compact(have)
	if len(have) == 0 {
		return fmt.Errorf("key %q: the store has no services", key)
	}
	slices.SortStableFunc(have, func(a, b string) int { return cmp.Compare(distance(key, a), distance(key, b)) })
	return fmt.Errorf("key %q: the store has none like it; nearest: %s", key, strings.Join(have[:min(5, len(have))], " "))
}

// distance is how many characters to insert, remove or replace to get from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
