package web

import (
	"bytes"
	"strings"
	"testing"
)

func TestCompact(t *testing.T) {
	for v, want := range map[uint64]string{
		0: "0", 99_999: "99999", 100_000: "100 k", 123_456: "123 k", 999_499: "999 k", 999_500: "1.0 M", 9_949_999: "9.9 M", 9_950_000: "9.9 M", 9_960_000: "10.0 M",
		99_950_000: "100 M", 12_345_678_901: "12.3 G", 1<<64 - 1: "18.4 E",
	} {
		if got := compact(v); got != want {
			t.Errorf("compact(%d) = %q, want %q", v, got, want)
		}
	}
}

func TestCSV(t *testing.T) {
	var b bytes.Buffer
	if err := CSV(&b, director()); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	for i, want := range map[int]string{
		1: `2026-11-20T10:30:00Z,tcp/192.0.2.10:443,,web,up,,2026-11-20T10:23:20Z,wlc,,40,57,9,,40,4000,493800,400,4000,3600,400000,40000000`,
		2: `2026-11-20T10:30:00Z,tcp/192.0.2.10:443,10.0.0.1:443,web1,up,,2026-11-20T10:29:30Z,wlc,masquerade,30,5,3,,30,3000,370350,30,300,270,30000,3000000`,
		7: `2026-11-20T10:30:00Z,udp/[2001:db8::1]:53,[2001:db8::2]:53,,up,,2026-11-20T10:29:53Z,rr,route,1,0,3,,7,700,,7,70,,7000,`,
	} {
		if lines[i] != want {
			t.Errorf("line %d is\n%s\nwant\n%s", i, lines[i], want)
		}
	}
	if len(lines) != 10 {
		t.Errorf("%d lines, want a heading, 8 rows and the end", len(lines))
	}
}
