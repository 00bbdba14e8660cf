// Package pagebench measures the status page of a director of 1,000 services with
// 10 real servers each, in Debian's Chromium: how it comes up, beside HAProxy's
// statistics of as many servers; how it follows a director that is read every
// second; and what ten open pages cost the agent.
package pagebench

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"
)

// rounds is how often each page is painted; the medians count.
const rounds = 5

// A Page is how a page comes up, by medians, and what an answer of it costs its
// server in time on a processor.
type Page struct {
	Paint
	View time.Duration
}

// A Result is all that was measured.
type Result struct {
	Ours, All, HAProxy Page // All is ours with every real server shown
	// Reloaded is haproxy's share of a core with ten pages that each come anew every
	// ten seconds: they do not follow by themselves.
	Reloaded float64
	// Calm is of a director whose traffic moves, Flapping of one in which a real
	// server goes out of service or comes back every ten seconds as well, and
	// AllShown is Calm with every real server shown.
	Calm, Flapping, AllShown Followed
}

// Idle is the least share of a core that the agent took without pages: what else
// runs on the machine only adds to it.
func (r *Result) Idle() float64 {
	return min(r.Calm.Without, r.Flapping.Without, r.AllShown.Without)
}

// settle is how long an agent takes to become what it is for days: until the memory
// that its start took is collected.
const settle = 15 * time.Second

// allShown is the page with every real server.
const allShown = "/?all=1"

// Run takes everything. It needs go, node, Debian's chromium and haproxy, and
// playwright-core below build/browser, as .ci/setup brings them, and Linux.
func Run(ctx context.Context) (r Result, err error) {
	dir, err := os.MkdirTemp("", "pagebench")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	program, err := buildAgent(ctx, dir)
	if err != nil {
		return r, err
	}
	calm, err := startAgent(ctx, program, dir, 0)
	if err != nil {
		return r, err
	}
	defer calm.stop()
	if err := r.paint(ctx, dir, calm); err != nil {
		return r, err
	}
	if r.Calm, err = follow(ctx, dir, calm, "/"); err != nil {
		return r, err
	}
	if r.AllShown, err = follow(ctx, dir, calm, allShown); err != nil {
		return r, err
	}
	calm.stop()
	flapping, err := startAgent(ctx, program, dir, 10*time.Second)
	if err != nil {
		return r, err
	}
	defer flapping.stop()
	if err := wait(ctx, settle); err != nil {
		return r, err
	}
	r.Flapping, err = follow(ctx, dir, flapping, "/")
	return r, err
}

// paint takes pages in turns, ours and the peer's.
func (r *Result) paint(ctx context.Context, dir string, agent *server) error {
	haproxy, err := startHAProxy(ctx, dir)
	if err != nil {
		return err
	}
	defer haproxy.stop()
	pages := map[string]*Page{agent.url + "/": &r.Ours, agent.url + allShown: &r.All, haproxy.url: &r.HAProxy}
	all := map[string][]Paint{}
	// The whole of the peer's page takes the browser most of a minute: once is enough.
	args := []string{"paint", strconv.Itoa(rounds), agent.url + "/", "once=" + agent.url + allShown, "once=" + haproxy.url}
	err = runBrowser(ctx, dir, func(line said) error {
		if line.Paint != nil {
			all[line.Paint.URL] = append(all[line.Paint.URL], *line.Paint)
		}
		return nil
	}, args...)
	if err != nil {
		return err
	}
	for url, page := range pages {
		if len(all[url]) != rounds {
			return fmt.Errorf("pagebench: %s was painted %d times, want %d", url, len(all[url]), rounds)
		}
		page.Paint = medians(all[url])
	}
	for path, page := range map[string]*Page{"/": &r.Ours, allShown: &r.All} {
		if page.View, err = agent.view(ctx, path); err != nil {
			return err
		}
	}
	if r.HAProxy.View, err = haproxy.view(ctx, ""); err != nil {
		return err
	}
	r.Reloaded, err = haproxy.reloaded(ctx)
	return err
}

// reloaded is the share of a core that ten pages take which come anew every ten
// seconds each, one a second.
func (s *server) reloaded(ctx context.Context) (float64, error) {
	began := time.Now()
	cpu, err := s.cpuOf(func() error {
		next := time.NewTicker(10 * time.Second / pages)
		defer next.Stop()
		for time.Since(began) < 20*time.Second {
			if err := get(ctx, s.url, "text/html"); err != nil {
				return err
			}
			<-next.C
		}
		return nil
	})
	return cpu.Seconds() / time.Since(began).Seconds(), err
}

// medians are those of each time on its own, where it was measured; of sizes it is
// the greatest, for sparklines come when they have been read.
func medians(all []Paint) Paint {
	sorted := func(value func(*Paint) float64) []float64 {
		var values []float64
		for i := range all {
			if v := value(&all[i]); v > 0 {
				values = append(values, v)
			}
		}
		if len(values) == 0 {
			return []float64{0}
		}
		slices.Sort(values)
		return values
	}
	median := func(value func(*Paint) float64) float64 { v := sorted(value); return v[len(v)/2] }
	most := func(value func(*Paint) float64) float64 { v := sorted(value); return v[len(v)-1] }
	return Paint{
		URL:   all[0].URL,
		First: median(func(p *Paint) float64 { return p.First }), Load: median(func(p *Paint) float64 { return p.Load }),
		Sent:  most(func(p *Paint) float64 { return p.Sent }),
		Bytes: most(func(p *Paint) float64 { return p.Bytes }), Nodes: most(func(p *Paint) float64 { return p.Nodes }),
		Heap: most(func(p *Paint) float64 { return p.Heap }),
	}
}
