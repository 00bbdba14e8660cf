package rrdstore

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// An rrdtool takes its commands from a pipe.
type rrdtool struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Reader
}

// startRRDtool starts Debian's rrdtool in a directory of its own.
func startRRDtool(t *testing.T) *rrdtool {
	t.Helper()
	if _, err := exec.LookPath("rrdtool"); err != nil {
		t.Fatalf("this test holds the store against the real rrdtool: install Debian's package rrdtool (%v)", err)
	}
	cmd := exec.Command("rrdtool", "-")
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"TZ=UTC", "LC_ALL=C"}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	return &rrdtool{t, in, bufio.NewReaderSize(out, 1<<16)}
}

// do runs a command and hands each line it prints to line.
func (r *rrdtool) do(line func(string), command string) {
	r.t.Helper()
	if _, err := io.WriteString(r.in, command+"\n"); err != nil {
		r.t.Fatal(err)
	}
	for {
		s, err := r.out.ReadString('\n')
		if err != nil {
			r.t.Fatal(err)
		}
		switch {
		case strings.HasPrefix(s, "OK "):
			return
		case strings.HasPrefix(s, "ERROR"):
			r.t.Fatalf("rrdtool: %s\t%.200s", s, command)
		case line != nil:
			line(s)
		}
	}
}

// A database is one file of RRDtool's and the updates that it gets: sources of one
// series that are always updated together.
type database struct {
	name    string
	id      identity
	sources []Source
	created uint32
	times   []uint32
	values  [][]Value // of each update, one for each source
	sent    int       // updates that rrdtool has
	// ready is how many ticks have to be over for the store to have all updates up
	// to then.
	ready int
}

// An archiveShape is the archives (RRA) of one resolution, which every database of
// a story has: one for each function, or a single one of data points.
type archiveShape struct {
	per  uint32 // data points in a row
	rows uint32
	xff  float64
}

// create makes the file.
func (r *rrdtool) create(d *database, step, beat uint32, archives []archiveShape) {
	r.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "create %s --start %d --step %d", d.name, d.created, step)
	for i, s := range d.sources {
		if s.Kind == Counter {
			fmt.Fprintf(&b, " DS:s%d:DERIVE:%d:0:U", i, beat)
		} else {
			fmt.Fprintf(&b, " DS:s%d:GAUGE:%d:U:U", i, beat)
		}
	}
	for _, a := range archives {
		for f := range numFunctions {
			if a.per > 1 || f == Average {
				fmt.Fprintf(&b, " RRA:%s:%s:%d:%d", f, strconv.FormatFloat(a.xff, 'f', -1, 64), a.per, a.rows)
			}
		}
	}
	r.do(nil, b.String())
}

// update feeds the file with all updates up to a time that it does not have yet.
// One at its creation is what it begins with.
func (r *rrdtool) update(d *database, until uint32) {
	r.t.Helper()
	const batch = 200
	if d.sent == 0 && d.times[0] == d.created {
		d.sent = 1
	}
	for d.sent < len(d.times) && d.times[d.sent] <= until {
		var b strings.Builder
		b.WriteString("update " + d.name)
		for range batch {
			if d.sent == len(d.times) || d.times[d.sent] > until {
				break
			}
			fmt.Fprintf(&b, " %d", d.times[d.sent])
			for _, v := range d.values[d.sent] {
				b.WriteByte(':')
				b.WriteString(updateText(v))
			}
			d.sent++
		}
		r.do(nil, b.String())
	}
}

// updateText is a value as rrdtool update reads it.
func updateText(v Value) string {
	if u, ok := v.Uint(); ok {
		return strconv.FormatUint(u, 10)
	}
	if !v.Known() {
		return "U"
	}
	return strconv.FormatFloat(v.Float(), 'f', -1, 64)
}

// fetch is what rrdtool fetch prints: the ends of rows, and their values for each
// source.
func (r *rrdtool) fetch(d *database, f Function, start, end, resolution uint32) (ends []uint32, values [][]float64) {
	r.t.Helper()
	values = make([][]float64, len(d.sources))
	r.do(func(line string) {
		stamp, rest, ok := strings.Cut(line, ": ")
		if !ok {
			return
		}
		at, err := strconv.ParseUint(stamp, 10, 32)
		fields := strings.Fields(rest)
		if err != nil || len(fields) != len(d.sources) {
			r.t.Fatalf("rrdtool fetch printed %q", line)
		}
		ends = append(ends, uint32(at))
		for i, field := range fields {
			v, err := strconv.ParseFloat(field, 64)
			if field == "-nan" {
				v, err = math.NaN(), nil
			}
			if err != nil {
				r.t.Fatalf("rrdtool fetch printed %q", line)
			}
			values[i] = append(values[i], v)
		}
	}, fmt.Sprintf("fetch %s %s --start %d --end %d --resolution %d", d.name, f, start, end, resolution))
	return ends, values
}

// magnitude is the largest that a source's values are in a time or at its borders,
// whatever their signs: sums of a row that cancel out are no more exact than that.
func (d *database) magnitude(source int, from, to uint32) (most float64) {
	for i := range d.times {
		if i > 0 && (d.times[i] <= from || d.times[i-1] >= to) {
			continue
		}
		if v := d.values[i][source]; v.Known() {
			most = max(most, math.Abs(v.Float()))
		}
	}
	return most
}
