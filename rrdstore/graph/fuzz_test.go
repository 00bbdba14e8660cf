package graph

import (
	"bytes"
	"encoding/binary"
	"image/png"
	"math"
	"testing"
	"time"
	"unicode/utf8"
)

// fuzzed makes a picture of any bytes: times, sizes, styles and values of all
// magnitudes.
func fuzzed(data []byte, label string, start, window, step int64) *Graph {
	next := func() byte {
		if len(data) == 0 {
			return 0
		}
		b := data[0]
		data = data[1:]
		return b
	}
	g := &Graph{
		Title: label, Subtitle: label, Unit: Unit(label), Note: label,
		Start: time.Unix(start, int64(next())), First: time.Unix(start, 0).Add(time.Duration(int8(next())) * time.Duration(step)), Step: time.Duration(step),
		Width: int(next()) * 8, Height: int(next()) * 4, Scale: float64(next()) / 100, Theme: Theme(next() % 5),
	}
	g.End = g.Start.Add(time.Duration(window))
	for range next() % 20 {
		flags := next()
		t := Trace{Label: label, Style: Style(flags % 3), Below: flags&4 != 0, Grey: flags&8 != 0, NotAvailable: flags&16 != 0}
		for range next() % 64 {
			var bits [8]byte
			bits[0], bits[1], bits[7] = next(), next(), next()
			bits[6] = bits[0]
			t.Values = append(t.Values, math.Float64frombits(binary.LittleEndian.Uint64(bits[:])))
		}
		if flags&32 != 0 {
			t.Max = append(t.Max, t.Values...)
		}
		if flags&64 != 0 && len(t.Values) > 0 {
			t.Min = t.Values[1:]
		}
		g.Traces = append(g.Traces, t)
	}
	for range next() % 64 {
		g.Marks = append(g.Marks, Mark{Time: g.Start.Add(time.Duration(window) / 256 * time.Duration(next())), Kind: MarkKind(next() % 7), Text: label})
	}
	return g
}

// FuzzGraph draws anything. A picture that can be drawn is well-formed and the
// same twice; no other may take the program down.
func FuzzGraph(f *testing.F) {
	f.Add([]byte("0123456789abcdefghijklmnopqrstuvwxyz0123456789"), "in", int64(1_790_000_000), int64(24*time.Hour), int64(time.Minute))
	f.Add([]byte{9, 9, 0, 0, 0, 0, 19, 6, 63, 255, 240, 127, 1, 2, 254, 255, 239}, "<&>\x00", int64(0), int64(time.Second), int64(time.Nanosecond))
	f.Add([]byte{1, 1, 20, 25, 255, 3, 1, 34, 40, 1, 2, 3, 4, 5, 6, 7}, "\xff\u202e", int64(-6e10), int64(math.MaxInt64), int64(math.MaxInt64/2))
	f.Fuzz(func(t *testing.T, data []byte, label string, start, window, step int64) {
		g := fuzzed(data, label, start, window, step)
		var a, b bytes.Buffer
		if err := g.SVG(&a); err != nil {
			return // times that are no axis
		}
		if g.SVG(&b); !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Fatal("the same picture twice is not the same")
		}
		if !utf8.Valid(a.Bytes()) {
			t.Fatal("not UTF-8")
		}
		parse(t, a.String())
		b.Reset()
		g.Width, g.Height = min(g.Width, 600), min(g.Height, 400)
		if err := g.PNG(&b); err != nil {
			t.Fatal(err)
		}
		if _, err := png.Decode(&b); err != nil {
			t.Fatal(err)
		}
	})
}
