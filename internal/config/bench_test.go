package config

import (
	"fmt"
	"strings"
	"testing"
)

func BenchmarkParse(b *testing.B) {
	var text strings.Builder
	text.WriteString("services:\n")
	for i := range 1000 {
		fmt.Fprintf(&text, "- name: service-%d\n  address: tcp/10.1.%d.%d:443\n  real_server_defaults: {method: route}\n  real_servers:\n", i, i>>8, i&255)
		for j := range 10 {
			fmt.Fprintf(&text, "  - name: real-%d\n    address: 10.2.0.%d\n    weight: 5\n", j, j+1)
		}
	}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		c, err := Parse(strings.NewReader(text.String()), "bench.yml")
		if err != nil || len(c.Director.Services) != 1000 {
			b.Fatalf("%d services, %v", len(c.Director.Services), err)
		}
	}
}
