package prombench

import "testing"

// BenchmarkScrape reports nanoseconds for each series, ours and the peer's.
func BenchmarkScrape(b *testing.B) {
	for b.Loop() {
		ours, peer, err := Compare(b.Context(), 10_000)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(ours.NSOfSeries, "ns/series")
		b.ReportMetric(peer.NSOfSeries, "peer-ns/series")
		b.ReportMetric(float64(ours.Took.Milliseconds()), "ms/scrape")
		b.ReportMetric(float64(peer.Took.Milliseconds()), "peer-ms/scrape")
		b.Logf("ours %+v, peer %+v", ours, peer)
	}
}

// TestBothShowTheSameTable keeps the benchmark honest, whatever it measures.
func TestBothShowTheSameTable(t *testing.T) {
	ours, peer, err := Compare(t.Context(), 50)
	if err != nil {
		t.Fatal(err)
	}
	if want := 50*3 + 5; peer.Series < want {
		t.Errorf("the peer shows %d series, want %d and its own", peer.Series, want)
	}
	if want := 50*14 + 5*17 + 10; ours.Series < want {
		t.Errorf("we show %d series, want %d and the agent's own", ours.Series, want)
	}
	if ours.NSOfSeries <= 0 || peer.NSOfSeries <= 0 {
		t.Errorf("no time was taken: %+v %+v", ours, peer)
	}
}
