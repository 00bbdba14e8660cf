package agent

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"lvs/dashboards/web"
	"lvs/dataplane"
)

const (
	// pageFresh is how long a page of all services is given to whoever asks for the
	// same. Pages that are open ask at the same moment, when an event tells them that
	// rows came or went.
	pageFresh = time.Second
	// maxKept is how many bytes such pages may take; others are made anew for whoever
	// asks next.
	maxKept = 16 << 20
	// tablesKept is for how long tables are kept that nobody asks for: longer than
	// samples are usually apart.
	tablesKept = 30 * time.Second
)

// pages are those of all services that were just made, so that a page which many
// look at is made once. A page is made by the first that asks for it, and others
// wait for that. The zero value is ready, and safe for concurrent use.
type pages struct {
	mu   sync.Mutex
	made map[pageKey]*madePage
	kept int // bytes of those in made that are kept for others

	tableMu sync.Mutex
	snap    *dataplane.Snapshot // that table is of
	table   *web.Table
	at      time.Time  // when table was made
	before  *web.Table // of the snapshot before; nil if there was none of late
	idle    *time.Timer
}

// A pageKey is what a page is of. A snapshot is never changed, so its address
// names it.
type pageKey struct {
	snap  *dataplane.Snapshot
	query string
	stale bool
}

var errNotMade = errors.New("the page could not be made")

// A madePage is one page for all that asked for it. What it takes of the quota, it
// takes once, until the last of them has it.
type madePage struct {
	done chan struct{} // closed when it is made
	body []byte
	err  error

	// The following are guarded by the mutex of pages.
	size  int // bytes held of the quota
	users int // who reads it, or is to; keeping it for others is one
}

// page returns the page of key, made now in a turn of q, or a moment ago. Whoever
// is given one leaves it afterwards.
func (p *pages) page(ctx context.Context, q *quota, key pageKey, render func(io.Writer) error) (*madePage, error) {
	p.mu.Lock()
	if p.made == nil {
		p.made = map[pageKey]*madePage{}
	}
	m, there := p.made[key]
	if !there {
		m = &madePage{done: make(chan struct{}), err: errNotMade, users: 1}
		p.made[key] = m
	}
	m.users++
	p.mu.Unlock()
	if there {
		<-m.done
	} else {
		p.make(ctx, q, key, m, render)
	}
	if m.err != nil {
		p.leave(q, m)
		return nil, m.err
	}
	return m, nil
}

// make fills m, and keeps it for a while if there is room.
func (p *pages) make(ctx context.Context, q *quota, key pageKey, m *madePage, render func(io.Writer) error) {
	keep := false
	defer func() { // also should render panic
		close(m.done)
		if keep {
			time.AfterFunc(pageFresh, func() { p.forget(q, key, m, m.size) })
		} else {
			p.forget(q, key, m, 0)
		}
	}()
	body, err := q.make(ctx, render)
	if err != nil {
		m.err = err
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	m.body, m.err, m.size = body.Bytes(), nil, body.Cap()
	if keep = p.kept+m.size <= maxKept; keep {
		p.kept += m.size
	}
}

// forget ends that m is given to others, for whom kept bytes of it were kept.
func (p *pages) forget(q *quota, key pageKey, m *madePage, kept int) {
	p.mu.Lock()
	delete(p.made, key)
	p.kept -= kept
	p.mu.Unlock()
	p.leave(q, m)
}

// leave tells that m is not needed any longer by one of its users.
func (p *pages) leave(q *quota, m *madePage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.users--; m.users == 0 {
		q.release(m.size)
	}
}

// of returns the table of a sample, made now or a moment ago: the events make one,
// and pages that they have ask for something need no other.
func (p *pages) of(snap *dataplane.Snapshot, make func() *web.Table) *web.Table {
	p.tableMu.Lock()
	defer p.tableMu.Unlock()
	if p.snap != snap || time.Since(p.at) >= pageFresh {
		if p.snap != snap {
			p.before = p.table
		}
		p.snap, p.table, p.at = snap, make(), time.Now()
	}
	if p.idle == nil {
		p.idle = time.AfterFunc(tablesKept, p.forgetTables)
	}
	p.idle.Reset(tablesKept)
	return p.table
}

func (p *pages) forgetTables() {
	p.tableMu.Lock()
	defer p.tableMu.Unlock()
	p.snap, p.table, p.before = nil, nil, nil
}

// ofTick returns the table of the latest sample or of the one before it that has a
// tick; nil if none does.
func (p *pages) ofTick(tick time.Time) *web.Table {
	p.tableMu.Lock()
	defer p.tableMu.Unlock()
	for _, t := range []*web.Table{p.table, p.before} {
		if t != nil && t.Tick.Equal(tick) {
			return t
		}
	}
	return nil
}
