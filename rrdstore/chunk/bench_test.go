package chunk

import "testing"

const benchEntities = 64

// A benchLoad is one window of many entities in an archive, and as bytes.
type benchLoad struct {
	archive
	raws   []*Raw
	tiers  []*Tier
	b      [][]byte
	size   int
	values float64
}

func newBenchLoad(a archive) *benchLoad {
	bl := &benchLoad{archive: a, values: benchEntities * numSources * float64(a.rows)}
	for e := range uint64(benchEntities) {
		l := newLoad(e)
		if a.per == 1 {
			bl.raws = append(bl.raws, l.raw(perDay/4, a.rows, new([numSources]uint64)))
		} else {
			bl.tiers = append(bl.tiers, l.tier(perDay/4, a.rows, a.per))
		}
		bl.b = append(bl.b, bl.append(int(e), nil))
		bl.size += len(bl.b[e])
	}
	if a.per > 1 {
		bl.values *= numParts
	}
	return bl
}

func (bl *benchLoad) append(e int, b []byte) []byte {
	if bl.per == 1 {
		return bl.raws[e].Append(b, bl.rows)
	}
	return bl.tiers[e].Append(b, bl.rows, uint32(bl.per))
}

func (bl *benchLoad) run(b *testing.B, values float64, f func(e int) error) {
	b.ReportAllocs()
	for b.Loop() {
		for e := range benchEntities {
			if err := f(e); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(bl.size)/bl.values, "B/value")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/values, "ns/value")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkAppend and BenchmarkParse count a value for each source and row, of a
// tier four.
func BenchmarkAppend(b *testing.B) {
	for _, a := range archives {
		bl := newBenchLoad(a)
		b.Run(a.name, func(b *testing.B) {
			var buf []byte
			bl.run(b, bl.values, func(e int) error {
				buf = bl.append(e, buf[:0])
				return nil
			})
		})
	}
}

func BenchmarkParse(b *testing.B) {
	var raw Raw
	var tier Tier
	for _, a := range archives {
		bl := newBenchLoad(a)
		b.Run(a.name, func(b *testing.B) {
			bl.run(b, bl.values, func(e int) error {
				if a.per == 1 {
					return raw.Parse(bl.b[e], a.rows, nil)
				}
				return tier.Parse(bl.b[e], a.rows, uint32(a.per), AllParts, nil)
			})
		})
	}
}

// BenchmarkParseAverage reads what averages of one source need.
func BenchmarkParseAverage(b *testing.B) {
	var tier Tier
	for _, a := range archives[1:] {
		bl := newBenchLoad(a)
		b.Run(a.name, func(b *testing.B) {
			bl.run(b, float64(benchEntities*a.rows), func(e int) error {
				return tier.Parse(bl.b[e], a.rows, uint32(a.per), Sum, func(source uint16) bool { return source == srcInBytes })
			})
		})
	}
}
