package graph

import (
	"strings"
	"testing"
)

func TestFit(t *testing.T) {
	var m ruler
	for _, tt := range []struct {
		s     string
		width float64
		want  string
	}{
		{"short", 100, "short"},
		{"", 0, ""},
		{"some words that are long", 100, "some words t…"},
		{"some words that are long", 52, "some…"},
		{"some words", 5, ""},
		{strings.Repeat("ю", 1_000_000), 60, "юююю…"},
	} {
		got := m.fit(tt.s, 12, false, tt.width)
		if got != tt.want {
			t.Errorf("%.30q on %v: %q, want %q", tt.s, tt.width, got, tt.want)
		}
		if w := m.measure(got, 12, false); w > tt.width {
			t.Errorf("%.30q on %v: is %v wide", tt.s, tt.width, w)
		}
	}
}
