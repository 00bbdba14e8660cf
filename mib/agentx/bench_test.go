package agentx

import (
	"runtime"
	"testing"

	"lvs/mib/smi"
)

func BenchmarkGet(b *testing.B)     { benchmarkHandler(b, Get) }
func BenchmarkGetNext(b *testing.B) { benchmarkHandler(b, GetNext) }

// benchmarkHandler answers one request for one variable of a table of 20 columns
// and 10,000 rows, as snmpd asks during a bulk walk: from bytes to bytes, without
// the socket. Its ns/op are CPU time.
func benchmarkHandler(b *testing.B, t Type) {
	table := &grid{columns: 20, groups: 1000, per: 10}
	h := &handler{counters: new(counters)}
	gens := smi.Renew[smi.Tree](nil, table, 1)
	const requests = 1000
	var asked [requests][]byte
	for i := range asked {
		p := PDU{Type: t, PacketID: uint32(i), Ranges: []Range{{Start: table.name(nil, i*table.cells()/requests), End: gridRoot.Append(2)}}}
		asked[i], _ = p.Append(nil)
	}
	var p PDU
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	b.ReportAllocs()
	began := threadCPU(b)
	for i := 0; b.Loop(); i++ {
		if p.Decode(asked[i%requests]) != nil || len(h.answer(&p, nil, gens, int64(i+1), 0)) < headerSize {
			b.Fatal("no answer")
		}
	}
	b.ReportMetric(float64(threadCPU(b)-began)/float64(b.N), "ns/op")
}
