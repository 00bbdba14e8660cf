package agent

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"

	"lvs/mib/ber"
	"lvs/mib/smi"
)

// A grid is table as an agent would have it: names are found by arithmetic, as
// in a tree of sorted keys, rather than by comparing names.
type grid struct{ columns, rows int }

func (g *grid) Get(name smi.OID) smi.Value {
	if i, exact := g.seek(name); exact {
		return g.value(i)
	}
	return smi.Value{Type: smi.NoSuchObject}
}

func (g *grid) Next(dst, name smi.OID, include bool, end smi.OID) (smi.OID, smi.Value, bool) {
	i, exact := g.seek(name)
	if exact && !include {
		i++
	}
	if i >= g.columns*g.rows {
		return dst[:0], smi.Value{}, false
	}
	row := i % g.rows
	dst = append(append(dst[:0], root...), 18, 1, uint32(i/g.rows+1), uint32(row/10+1), uint32(row%10+1))
	return dst, g.value(i), true
}

// seek finds whole names, and takes all others for those before the first.
func (g *grid) seek(name smi.OID) (i int, exact bool) {
	if len(name) != len(root)+5 || !name.HasPrefix(root) {
		return 0, false
	}
	at := name[len(root)+2:]
	return int(at[0]-1)*g.rows + int(at[1]-1)*10 + int(at[2]-1), true
}

func (g *grid) value(i int) smi.Value {
	v := smi.Value{Type: columnTypes[i/g.rows%len(columnTypes)], Int: uint64(i) * 1000}
	switch v.Type {
	case smi.Counter64:
		v.Int += 1 << 40
	case smi.OctetString:
		v.Bytes = octets
	case smi.IPAddress:
		v.Bytes = address
	}
	return v
}

var octets, address = []byte("octets"), []byte{192, 0, 2, 1}

// benchGrid is the table of a director with 1,000 real servers.
var benchGrid = &grid{columns: 20, rows: 1000}

// BenchmarkAnswer is what an answer costs without the socket, for each variable.
func BenchmarkAnswer(b *testing.B) {
	for _, c := range []struct {
		name    string
		q       question
		columns uint32
		vars    int
	}{
		{"GetNext", question{typ: ber.GetNext}, 1, 1},
		{"GetBulk=50", question{typ: ber.GetBulk, index: 50}, 1, 50},
		{"GetBulk=5x20", question{typ: ber.GetBulk, index: 5}, 20, 100},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := newRig(b, benchGrid, Config{})
			c.q.version = ber.V2cVersion
			for i := range c.columns {
				c.q.names = append(c.q.names, cell(i+1, 5, 5))
			}
			datagram := c.q.datagram(b)
			if p := r.ask(c.q); len(p.VarBinds) != c.vars {
				b.Fatalf("%d variables, want %d", len(p.VarBinds), c.vars)
			}
			b.ReportAllocs()
			for b.Loop() {
				r.h.answer(datagram, here, 1)
			}
			b.ReportMetric(float64(b.Elapsed())/float64(b.N*c.vars), "ns/variable")
		})
	}
}

// BenchmarkWalk is what a bulk walk of 20,000 variables costs the agent: CPU time
// of all the process but the walker's thread, system calls included, for each
// variable.
func BenchmarkWalk(b *testing.B) {
	for _, repetitions := range []int32{10, 50, 100, 1000} {
		b.Run(fmt.Sprintf("v2c-Cr%d", repetitions), func(b *testing.B) {
			a := start(b, benchGrid, everyone(nil))
			fd := dial(b, a.Addrs()[0].Port())
			runtime.LockOSThread() // whose time is not the agent's
			defer runtime.UnlockOSThread()
			variables := 0
			began := cpu(b, syscall.RUSAGE_SELF) - cpu(b, rusageThread)
			for b.Loop() {
				variables += bulkWalk(b, fd, repetitions)
			}
			spent := cpu(b, syscall.RUSAGE_SELF) - cpu(b, rusageThread) - began
			b.ReportMetric(float64(spent)/float64(variables), "cpu-ns/variable")
			b.ReportMetric(float64(b.Elapsed())/float64(variables), "ns/variable")
		})
	}
}

// rusageThread is RUSAGE_THREAD of getrusage(2), which package syscall lacks.
const rusageThread = 1

// cpu is what was used so far, in nanoseconds.
func cpu(b *testing.B, who int) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// dial opens a socket that blocks, as those of snmpbulkwalk do.
func dial(b *testing.B, port uint16) int {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err == nil {
		b.Cleanup(func() { syscall.Close(fd) })
		err = syscall.Connect(fd, &syscall.SockaddrInet4{Port: int(port), Addr: [4]byte{127, 0, 0, 1}})
	}
	if err != nil {
		b.Fatal(err)
	}
	return fd
}

// bulkWalk walks all of root and returns how many variables it has.
func bulkWalk(b *testing.B, fd int, repetitions int32) (n int) {
	q := question{version: ber.V2cVersion, typ: ber.GetBulk, index: repetitions, names: []smi.OID{root}}
	buf := make([]byte, 1<<16)
	var m ber.Message
	var p ber.PDU
	for {
		if _, err := syscall.Write(fd, q.datagram(b)); err != nil {
			b.Fatal(err)
		}
		size, err := syscall.Read(fd, buf)
		if err != nil || m.Decode(buf[:size]) != nil || p.Decode(m.Data) != nil || p.Status != 0 {
			b.Fatalf("answer %x: %v", buf[:max(size, 0)], err)
		}
		for _, v := range p.VarBinds {
			if v.Value.Type == smi.EndOfMIBView {
				return n
			}
			n++
		}
		q.names[0] = p.VarBinds[len(p.VarBinds)-1].Name
	}
}

func TestAnsweringAllocatesNothing(t *testing.T) {
	r := newRig(t, benchGrid, Config{})
	for _, q := range []question{
		{version: ber.V1Version, typ: ber.GetRequest}, {version: ber.V1Version, typ: ber.GetNext}, {version: ber.V2cVersion, typ: ber.GetNext},
		{version: ber.V2cVersion, typ: ber.GetBulk, index: 50}, {version: ber.V2cVersion, typ: ber.GetBulk, index: 5000},
	} {
		q.names = []smi.OID{cell(1, 5, 5), cell(3, 5, 5)}
		datagram := q.datagram(t)
		ask := func() {
			if r.h.answer(datagram, elsewhere, 1) == nil {
				t.Fatal("no answer")
			}
		}
		r.limiter = newLimiter(Rate{Requests: -1, Bytes: -1})
		ask()
		if n := testing.AllocsPerRun(100, ask); n != 0 {
			t.Errorf("%v: %v allocations", q.typ, n)
		}
	}
}
