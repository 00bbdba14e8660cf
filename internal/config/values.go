package config

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/goccy/go-yaml/ast"

	"lvs/internal/director"
)

// scalar is the text of a scalar as it was written, or an error.
func (d *decoder) scalar(n ast.Node, want string) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode, *ast.FloatNode:
		return n.GetToken().Value, true
	}
	d.errorAt(n, "", describe(n)+"; want "+want)
	return "", false
}

// parsed decodes a scalar by parse, whose error names value and what is wanted.
func parsed[T any](d *decoder, dst *T, parse func(string) (T, error)) func(ast.Node) {
	return func(n ast.Node) {
		s, ok := d.scalar(n, "a text")
		if !ok {
			return
		}
		v, err := parse(s)
		if err != nil {
			d.errorAt(n, "", err.Error())
			return
		}
		*dst = v
	}
}

// text decodes a string that is not empty and has no control characters. A
// number must be quoted to be one.
func (d *decoder) text(dst *string) func(ast.Node) {
	return func(n ast.Node) {
		s, ok := n.(*ast.StringNode)
		if !ok {
			d.errorAt(n, "", describe(n)+"; want a text (put it in quotes)")
			return
		}
		if s.Value == "" || strings.ContainsFunc(s.Value, unicode.IsControl) {
			d.errorAt(n, "", describe(n)+"; want a text that is not empty, without control characters")
			return
		}
		*dst = s.Value
	}
}

func (d *decoder) oneOf(dst *string, words ...string) func(ast.Node) {
	return parsed(d, dst, func(s string) (string, error) {
		for _, w := range words {
			if s == w {
				return s, nil
			}
		}
		return "", fmt.Errorf("%q; want %s", clip(s), alternatives(words))
	})
}

func (d *decoder) boolean(dst *bool) func(ast.Node) {
	return func(n ast.Node) {
		b, ok := n.(*ast.BoolNode)
		if !ok {
			d.errorAt(n, "", describe(n)+"; want true or false")
			return
		}
		*dst = b.Value
	}
}

// integer decodes a decimal number from least to most.
func integer[T ~int | ~uint8 | ~uint16 | ~uint32](d *decoder, dst *T, least, most uint64) func(ast.Node) {
	return func(n ast.Node) {
		if i, ok := n.(*ast.IntegerNode); ok {
			v, err := strconv.ParseUint(i.GetToken().Value, 10, 64)
			if err == nil && v >= least && v <= most {
				*dst = T(v)
				return
			}
		}
		d.errorAt(n, "", fmt.Sprintf("%s; want a whole number from %d to %d", describe(n), least, most))
	}
}

// duration decodes "1h30m" or "30d": whole seconds from least to most.
func (d *decoder) duration(dst *time.Duration, least, most time.Duration) func(ast.Node) {
	return parsed(d, dst, func(s string) (time.Duration, error) {
		t, ok := parseDuration(s)
		if !ok || t < least || t > most {
			return 0, fmt.Errorf("%q; want a duration of whole seconds from %s to %s, as 90s, 15m or 1h30m", clip(s), formatDuration(least), formatDuration(most))
		}
		return t, nil
	})
}

// durationUnits are the units of a duration, falling.
var durationUnits = []struct {
	letter byte
	unit   time.Duration
}{{'y', 365 * 24 * time.Hour}, {'w', 7 * 24 * time.Hour}, {'d', 24 * time.Hour}, {'h', time.Hour}, {'m', time.Minute}, {'s', time.Second}}

// parseDuration reads numbers with falling units, "1d12h"; time.ParseDuration
// knows neither days nor weeks, in which histories are kept.
func parseDuration(s string) (t time.Duration, ok bool) {
	for _, u := range durationUnits {
		digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
		if digits == 0 || digits == len(s) || s[digits] != u.letter {
			continue
		}
		n, err := strconv.ParseInt(s[:digits], 10, 64)
		if err != nil || n > int64((1<<63-1-t)/u.unit) {
			return 0, false
		}
		t, s, ok = t+time.Duration(n)*u.unit, s[digits+1:], true
	}
	return t, ok && s == ""
}

// formatDuration writes whole seconds as parseDuration reads them.
func formatDuration(t time.Duration) string {
	var b strings.Builder
	for _, u := range durationUnits[2:] {
		if n := t / u.unit; n > 0 {
			fmt.Fprintf(&b, "%d%c", n, u.letter)
			t -= n * u.unit
		}
	}
	return b.String()
}

// MinSize and MaxSize bound what ParseSize takes.
const (
	MinSize = 1 << 20
	MaxSize = 1 << 50
)

// ParseSize reads bytes as the file and the flags have them: a whole number with a
// unit, "2GiB" (powers of 1024) or "500MB" (of 1000), or without one.
func ParseSize(s string) (uint64, error) {
	digits := strings.TrimRight(s, "BKkMGTi ")
	v, err := strconv.ParseUint(digits, 10, 64)
	unit, known := sizeUnits[strings.TrimSpace(s[len(digits):])]
	if err != nil || !known || v > MaxSize/unit || v*unit < MinSize {
		return 0, fmt.Errorf("%q; want a size from %d MiB to %d TiB, as 2GiB or 500MB", clip(s), MinSize>>20, MaxSize>>40)
	}
	return v * unit, nil
}

var sizeUnits = map[string]uint64{
	"": 1, "B": 1,
	"kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
	"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
}

// quiesce decodes false (remove at once), true (however long connections take
// to end) or the longest wait for them.
func (d *decoder) quiesce(dst *director.Quiesce) func(ast.Node) {
	return func(n ast.Node) {
		if b, ok := n.(*ast.BoolNode); ok {
			*dst = director.Quiesce{Enabled: b.Value}
			return
		}
		if _, ok := n.(*ast.StringNode); !ok {
			d.errorAt(n, "", describe(n)+"; want true, false or a duration such as 10m")
			return
		}
		var limit time.Duration
		d.duration(&limit, time.Second, 365*24*time.Hour)(n)
		*dst = director.Quiesce{Enabled: true, Limit: limit}
	}
}

// parseAgentX checks the address of an AgentX master.
func parseAgentX(s string) (string, error) {
	if s == "off" {
		return s, nil
	}
	if path, ok := strings.CutPrefix(s, "unix:"); ok && path != "" {
		return s, nil
	}
	if addr, ok := strings.CutPrefix(s, "tcp:"); ok {
		host, port, err := net.SplitHostPort(addr)
		if n, perr := strconv.ParseUint(port, 10, 16); err == nil && perr == nil && n > 0 && host != "" {
			return s, nil
		}
	}
	return "", fmt.Errorf("%q; want unix:PATH, tcp:HOST:PORT or off", clip(s))
}
