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
		)
	}
	figures = append(figures,
		figure{name: "page: server's CPU of an answer", ours: ms(r.Ours.View), peer: ms(r.HAProxy.View), unit: "ms", limit: 1, peerName: peer},
		// It is asked for by whoever wants it, not to look in passing.
		figure{name: "page with all real servers: server's CPU of an answer", ours: ms(r.All.View), peer: ms(r.HAProxy.View), unit: "ms", limit: 250, peerName: peer, absolute: true},
	)
	for _, f := range []struct {
		name string
		of   *pagebench.Followed
	}{{"ten pages, 1 s: ", &r.Calm}, {"ten pages, 1 s, a real server changes every 10 s: ", &r.Flapping}, {"ten pages, 1 s, all real servers: ", &r.AllShown}} {
		figures = append(figures, followFigures(f.name, f.of, r.Idle(), r.Reloaded)...)
	}
	return figures
}

// followFigures are those of pages that stay open, beside ten of HAProxy's that come
// anew every ten seconds. What a browser shows late counts by its best window: what
// else runs on the machine is in the others.
func followFigures(name string, f *pagebench.Followed, idle, reloaded float64) []figure {
	longest, shift, update, samples := math.Inf(1), 0., 0., 0.
	for _, w := range f.Windows {
		longest = min(longest, w.LongestTask)
		shift, update, samples = max(shift, w.Shift), update+w.Script+w.Layout, samples+w.Samples
	}
	return []figure{
		{name: name + "agent's CPU", ours: 100 * (f.With - idle), peer: 100 * reloaded, unit: "% of a core", limit: 5, peerName: "HAProxy's, reloaded every 10 s", absolute: true},
		{name: name + "agent's memory", ours: f.Anon / 1e6, unit: "MB", limit: 200},
		// A tenth of a second, with the layout that scrolling for a second takes.
		{name: name + "browser's CPU for an update", ours: update / samples, unit: "ms", limit: 100},
		{name: name + "longest task", ours: longest, unit: "ms", limit: 200, none: true},
		{name: name + "frame while scrolling", ours: pagebench.Frame(f.Windows), peer: pagebench.Frame(f.Still), unit: "ms", limit: 1.25, peerName: "the same page, not told"},
		{name: name + "layout shift", ours: shift, unit: "", limit: 0.1, none: true},
		{name: name + "samples not shown", ours: 100 * f.Missed(), unit: "%", limit: 10, none: true},
	}
}
