package history

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"lvs/dataplane"
	"lvs/rrdstore"
)

// DirectorKey asks for the director's own series.
const DirectorKey = "director"

// KeyForms says what a KEY is, for help.
const KeyForms = `KEY is a service as tcp/192.0.2.10:443, udp/[2001:db8::1]:53 or fwm4/257, or its configured name; KEY,RIP is one ` +
	`real server of it, as tcp/192.0.2.10:443,10.0.0.1:80. In all of them * stands for any text and ? for any one character; quote ` +
	`them for the shell. "director" is the director's grand totals. Without KEY every service is meant.`

// Label is how a series is written where it is named in one word: director, a
// service's key, or KEY,RIP.
func Label(s *rrdstore.Series) string {
	switch {
	case isDirector(s):
		return DirectorKey
	case isReal(s):
		return s.Key.String() + "," + s.RIP.String()
	}
	return s.Key.String()
}

func isDirector(s *rrdstore.Series) bool { return s.Key == dataplane.ServiceKey{} }
func isReal(s *rrdstore.Series) bool     { return s.RIP != netip.AddrPort{} }

// A pattern is a KEY.
type pattern struct {
	text, service, rip string
	director           bool
}

func parsePattern(s string) pattern {
	service, rip, _ := strings.Cut(s, ",")
	return pattern{text: s, service: service, rip: strings.TrimSpace(rip), director: s == DirectorKey}
}

// matches reports whether a series is what the pattern asks for, given its
// service's name; reals says that a service's real servers are wanted with it.
func (p *pattern) matches(s *rrdstore.Series, serviceName string, reals bool) bool {
	if p.director || isDirector(s) {
		return p.director && isDirector(s)
	}
	if !glob(p.service, s.Key.String()) && (serviceName == "" || !glob(p.service, serviceName)) {
		return false
	}
	if p.rip != "" {
		return isReal(s) && (glob(p.rip, s.RIP.String()) || s.Name != "" && glob(p.rip, s.Name))
	}
	return !isReal(s) || reals
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

// Choose picks what keys ask for of a catalog, in its order: every service where
// there is no key, with its real servers where reals is true. A key that nothing
// in the catalog matches is an error that names what is most like it.
func Choose(catalog []*rrdstore.Series, keys []string, reals bool) ([]*rrdstore.Series, error) {
	patterns := []pattern{{service: "*"}}
	if len(keys) > 0 {
		patterns = patterns[:0]
	}
	for _, key := range keys {
		patterns = append(patterns, parsePattern(key))
	}
	names := make(map[dataplane.ServiceKey]string)
	for _, s := range catalog {
		if !isReal(s) && !isDirector(s) {
			names[s.Key] = s.Name
		}
	}
	var chosen []*rrdstore.Series
	matched := make([]bool, len(patterns))
	for _, s := range catalog {
		wanted := false
		for i := range patterns {
			if patterns[i].matches(s, names[s.Key], reals) {
				matched[i], wanted = true, true
			}
		}
		if wanted {
			chosen = append(chosen, s)
		}
	}
	if i := slices.Index(matched, false); i >= 0 && len(keys) > 0 {
		return nil, unknownKey(patterns[i], catalog)
	}
	return chosen, nil
}

// unknownKey lists what the store has that reads most like a pattern.
func unknownKey(p pattern, catalog []*rrdstore.Series) error {
	var have []string
	for _, s := range catalog {
		switch {
		case isDirector(s), isReal(s) && p.rip == "":
			continue
		case s.Name != "" && !isReal(s):
			have = append(have, s.Name)
		}
		have = append(have, Label(s))
	}
	slices.Sort(have)
	have = slices.Compact(have)
	if len(have) == 0 {
		return questionf("key %q: the store has no services", p.text)
	}
	slices.SortStableFunc(have, func(a, b string) int { return cmp.Compare(distance(p.text, a), distance(p.text, b)) })
	return questionf("key %q: the store has none like it; nearest: %s", p.text, strings.Join(have[:min(5, len(have))], " "))
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
