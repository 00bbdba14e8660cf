package chunk

import "testing"

func BenchmarkCodec(b *testing.B) {
	const entities = 64
	for _, k := range archives {
		values := float64(entities * numSources * k.rows)
		raws, tiers := make([]*Raw, entities), make([]*Tier, entities)
		encoded := make([][]byte, entities)
		size := 0
		for e := range entities {
			l := newLoad(uint64(e))
			if k.per == 1 {
				raws[e] = l.raw(perDay/4, k.rows, new([numSources]uint64))
				encoded[e] = raws[e].Append(nil, k.rows)
			} else {
				tiers[e] = l.tier(perDay/4, k.rows, k.per)
				encoded[e] = tiers[e].Append(nil, k.rows, uint32(k.per))
			}
			size += len(encoded[e])
		}
		if k.per > 1 {
			values *= numParts
		}
		report := func(b *testing.B) {
			b.ReportMetric(float64(size)/values, "B/value")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/values, "ns/value")
			b.ReportMetric(0, "ns/op")
		}
		b.Run("append/"+k.name, func(b *testing.B) {
			var buf []byte
			for range b.N {
				for e := range entities {
					if k.per == 1 {
						buf = raws[e].Append(buf[:0], k.rows)
					} else {
						buf = tiers[e].Append(buf[:0], k.rows, uint32(k.per))
					}
				}
			}
			report(b)
		})
		b.Run("parse/"+k.name, func(b *testing.B) {
			var raw Raw
			var tier Tier
			for range b.N {
				for e := range entities {
					var err error
					if k.per == 1 {
						err = raw.Parse(encoded[e], k.rows, nil)
					} else {
						err = tier.Parse(encoded[e], k.rows, uint32(k.per), AllParts, nil)
					}
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			report(b)
		})
	}
}
