package pagebench

import (
	"context"
	"errors"
	"io"
	"strconv"
	"sync"
	"time"
)

// How long an agent is watched without pages, before and after, and how long with
// ten: a minute, in which everything that is done once a minute is done once.
const (
	quiet   = 20 * time.Second
	windows = 6
	window  = 10 * time.Second
	pages   = 10
)

// A Followed is what pages that stay open cost, and how one of them fared.
type Followed struct {
	Without, With float64 // the agent's share of a core without pages, and with ten
	Anon          float64 // bytes of memory with ten
	Requests      int     // that one page made in that time
	Windows       []Window
	Still         []Window // of the same page while nobody told it of samples
}

// Missed is the share of samples that the browser's page did not come to show.
func (f *Followed) Missed() float64 {
	told, shown := float64(len(f.Windows))*window.Seconds()/interval.Seconds(), 0.
	for i := range f.Windows {
		shown += f.Windows[i].Samples
	}
	return max(0, 1-shown/told)
}

// Frame is the mean time between two frames in milliseconds, in the best of windows;
// zero of none.
func Frame(windows []Window) float64 {
	most := 0.
	for i := range windows {
		most = max(most, windows[i].Frames)
	}
	if most == 0 {
		return 0
	}
	return window.Seconds() * 1e3 / most
}

// follow opens a page of the agent ten times: once in a browser, and nine times
// where whatever the browser asks for is asked for as well, at the same time.
func follow(ctx context.Context, dir string, s *server, path string) (f Followed, err error) {
	idle := func() {
		if err != nil {
			return
		}
		var used time.Duration
		used, err = s.cpuOf(func() error { return wait(ctx, quiet) })
		f.Without += used.Seconds() / quiet.Seconds() / 2
	}
	idle()
	if err == nil {
		err = f.open(ctx, dir, s, path)
	}
	idle()
	return f, err
}

// open has the pages open for as long as their windows take.
func (f *Followed) open(ctx context.Context, dir string, s *server, path string) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	others := shadows{ctx: ctx, url: s.url}
	defer func() {
		cancel()
		err = errors.Join(err, others.wait())
	}()
	var before, began = time.Duration(0), time.Time{}
	each := func(line said) error {
		switch {
		case line.Still != nil:
			f.Still = append(f.Still, *line.Still)
		case line.Request != nil:
			f.Requests++
			others.ask(*line.Request)
		case line.Following:
			u, err := s.used()
			before, began, f.Requests = u.CPU, time.Now(), 0
			return err
		case line.Window != nil:
			f.Windows = append(f.Windows, *line.Window)
			u, err := s.used()
			f.With, f.Anon = (u.CPU-before).Seconds()/time.Since(began).Seconds(), float64(u.Anon)
			return err
		}
		return nil
	}
	return runBrowser(ctx, dir, each, "follow", strconv.Itoa(windows), strconv.Itoa(int(window/time.Second)), s.url+path)
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// shadows are pages that are open beside the browser's: each asks for what that one
// does, and reads it until it ends or ctx does.
type shadows struct {
	ctx context.Context
	url string

	running sync.WaitGroup
	mu      sync.Mutex
	err     error // the first that is not the end of ctx
}

func (s *shadows) ask(r request) {
	for range pages - 1 {
		s.running.Go(func() {
			err := get(s.ctx, s.url+r.Path, r.Accept)
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.err == nil && s.ctx.Err() == nil {
				s.err = err
			}
		})
	}
}

// wait waits for all requests to end.
func (s *shadows) wait() error {
	s.running.Wait()
	return s.err
}

func discard(r io.Reader) (int64, error) { return io.Copy(io.Discard, r) }
