package export

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"lvs/rrdstore"
)

// benchResult is a day of minutes of a real server, with values as they come.
func benchResult(b *testing.B, functions ...rrdstore.Function) *rrdstore.Result {
	_, _, real, _ := series(b)
	r := result(b, 1440, []*rrdstore.Series{real}, rrdstore.StandardSources(), functions...)
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, c := range r.Columns {
		for i := range c.Values {
			c.Values[i] = float64(rnd.IntN(1e7)) / 10
		}
	}
	return r
}

func cellsOf(r *rrdstore.Result) int { return r.Rows * len(r.Columns) }

func BenchmarkWrite(b *testing.B) {
	r := benchResult(b, rrdstore.Average)
	for _, f := range Formats() {
		b.Run(f.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := Write(io.Discard, f, r, Options{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*cellsOf(r)), "ns/value")
		})
	}
}

// benchRRD is a database of a day of minutes, with three functions.
func benchRRD(b *testing.B) (*RRD, int) {
	r := benchResult(b, rrdstore.Average, rrdstore.Min, rrdstore.Max)
	d, err := NewRRD(10*time.Second, time.Minute, r.End(), 0.5, r)
	if err != nil {
		b.Fatal(err)
	}
	return d, cellsOf(r)
}

func BenchmarkWriteRRD(b *testing.B) {
	d, n := benchRRD(b)
	for b.Loop() {
		if err := WriteRRD(io.Discard, d); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/value")
}

func BenchmarkReadDump(b *testing.B) {
	d, n := benchRRD(b)
	var text bytes.Buffer
	if err := WriteRRD(&text, d); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		d, err := OpenDump(bytes.NewReader(text.Bytes()), "x")
		if err != nil {
			b.Fatal(err)
		}
		for _, err := range d.Rows() {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/value")
}

func BenchmarkReadCSV(b *testing.B) {
	r := benchResult(b, rrdstore.Average)
	for _, f := range []Format{CSV, CSVLong} {
		b.Run(fmt.Sprint(f), func(b *testing.B) {
			var text bytes.Buffer
			if err := Write(&text, f, r, Options{}); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				for _, err := range ReadCSV(bytes.NewReader(text.Bytes()), "x", nil) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*cellsOf(r)), "ns/value")
		})
	}
}
