package main

import (
	"context"
	"math"

	"lvs/internal/bench/pagebench"
)

// page measures the status page of 1,000 services × 10 real servers.
func page(ctx context.Context) ([]figure, error) {
	r, err := pagebench.Run(ctx)
	if err != nil {
		return nil, err
	}
	return pageFigures(&r), nil
}

func pageFigures(r *pagebench.Result) []figure {
	const peer = "HAProxy's"
	figures := []figure{
		{name: "page: bytes", ours: r.Ours.Bytes / 1e6, peer: r.HAProxy.Bytes / 1e6, unit: "MB", limit: 2, peerName: peer, absolute: true},
		{name: "page: first paint", ours: r.Ours.First, peer: r.HAProxy.First, unit: "ms", limit: 1000, peerName: peer, absolute: true},
	}
	for _, p := range []struct {
		name string
		page *pagebench.Page
	}{{"page: ", &r.Ours}, {"page with all real servers: ", &r.All}} {
		ours, its := p.page, &r.HAProxy
		figures = append(figures,
			figure{name: p.name + "bytes sent", ours: ours.Sent / 1e6, peer: its.Sent / 1e6, unit: "MB", limit: 1, peerName: peer},
			figure{name: p.name + "loaded", ours: ours.Load, peer: its.Load, unit: "ms", limit: 1, peerName: peer},
			figure{name: p.name + "elements", ours: ours.Nodes, peer: its.Nodes, unit: "", limit: 1, peerName: peer},
			figure{name: p.name + "server's CPU of an answer", ours: ms(ours.View), peer: ms(its.View), unit: "ms", limit: 1, peerName: peer},
		)
	}
	for _, f := range []struct {
		name string
		of   *pagebench.Followed
	}{{"ten pages, 1 s: ", &r.Calm}, {"ten pages, 1 s, a real server changes every 10 s: ", &r.Flapping}, {"ten pages, 1 s, all real servers: ", &r.AllShown}} {
		figures = append(figures, followFigures(f.name, f.of, r.Reloaded)...)
	}
	return figures
}

// followFigures are those of pages that stay open, beside ten of HAProxy's that come
// anew every ten seconds. What a browser shows late counts by its best window: what
// else runs on the machine is in the others.
func followFigures(name string, f *pagebench.Followed, reloaded float64) []figure {
	best, shift, update, samples := pagebench.Window{LongestTask: math.Inf(1), Slow: math.Inf(1)}, 0., 0., 0.
	for _, w := range f.Windows {
		best.LongestTask, best.Slow = min(best.LongestTask, w.LongestTask), min(best.Slow, 100*w.Slow/w.Frames)
		shift, update, samples = max(shift, w.Shift), update+w.Script+w.Layout, samples+w.Samples
	}
	return []figure{
		{name: name + "agent's CPU", ours: 100 * f.Cost(), peer: 100 * reloaded, unit: "% of a core", limit: 5, peerName: "HAProxy's, reloaded every 10 s", absolute: true},
		{name: name + "agent's memory", ours: f.Anon / 1e6, unit: "MB", limit: 200},
		{name: name + "browser's CPU for an update", ours: update / samples, unit: "ms", limit: 50},
		{name: name + "longest task", ours: best.LongestTask, unit: "ms", limit: 200, none: true},
		{name: name + "frames later than 50 ms", ours: best.Slow, unit: "%", limit: 5, none: true},
		{name: name + "layout shift", ours: shift, unit: "", limit: 0.1, none: true},
		{name: name + "samples not shown", ours: 100 * f.Missed(), unit: "%", limit: 10, none: true},
	}
}
