package rrd

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// A tool is an rrdtool that takes its commands from a pipe.
type tool struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Reader
}

// startTool starts Debian's rrdtool in a directory of its own.
func startTool(t *testing.T) *tool {
	t.Helper()
	if _, err := exec.LookPath("rrdtool"); err != nil {
		t.Fatalf("this test holds the package against the real rrdtool: install Debian's package rrdtool (%v)", err)
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
	return &tool{t, in, bufio.NewReaderSize(out, 1<<16)}
}

// do runs a command and hands each line it prints to line.
func (r *tool) do(line func(string), command string, args ...any) {
	r.t.Helper()
	command = fmt.Sprintf(command, args...)
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

// make creates the round-robin database and feeds it.
func (r *tool) make(d *database) {
	r.t.Helper()
	r.do(nil, "%s", d.create())
	const batch = 100
	for i := 1; i < len(d.times); i += batch {
		var b strings.Builder
		b.WriteString("update db.rrd")
		for k := i; k < min(i+batch, len(d.times)); k++ {
			fmt.Fprintf(&b, " %d", d.times[k])
			for s := range d.series {
				b.WriteByte(':')
				b.WriteString(d.series[s].text(k))
			}
		}
		r.do(nil, "%s", b.String())
	}
}

// A dumped row is the row that ends at a time: a value of each source.
type dumped struct {
	end    uint32
	values []float64
}

// dump returns all rows of each archive.
func (r *tool) dump() (archives [][]dumped) {
	r.t.Helper()
	r.do(func(line string) {
		if strings.Contains(line, "<database>") {
			archives = append(archives, nil)
		}
		_, line, ok := strings.Cut(line, " / ")
		stamp, values, isRow := strings.Cut(line, " --> <row><v>")
		if !ok || !isRow {
			return
		}
		row := dumped{end: uint32(r.number(strconv.ParseUint(stamp, 10, 32)))}
		values, _, _ = strings.Cut(values, "</v></row>")
		for v := range strings.SplitSeq(values, "</v><v>") {
			f, err := strconv.ParseFloat(v, 64)
			if err != nil {
				r.t.Fatal(err)
			}
			row.values = append(row.values, f)
		}
		last := len(archives) - 1
		archives[last] = append(archives[last], row)
	}, "dump db.rrd")
	return archives
}

// fetch returns when the rows end that rrdtool fetch prints.
func (r *tool) fetch(f Function, start, end, resolution uint32) (stamps []uint64) {
	r.t.Helper()
	r.do(func(line string) {
		if stamp, _, ok := strings.Cut(line, ": "); ok {
			stamps = append(stamps, r.number(strconv.ParseUint(stamp, 10, 64)))
		}
	}, "fetch db.rrd %s --start %d --end %d --resolution %d", functionNames[f], start, end, resolution)
	return stamps
}

func (r *tool) number(n uint64, err error) uint64 {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}

var functionNames = [...]string{"AVERAGE", "MIN", "MAX", "LAST"}
