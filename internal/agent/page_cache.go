package agent

import (
	"errors"
	"sync"
	"time"

	"lvs/dashboards/web"
	"lvs/dataplane"
)

// pageFresh is how long a page of all services is given to whoever asks for the
// same. Pages that are open ask at the same moment, when an event tells them that
// rows came or went.
const pageFresh = time.Second

// pages are those of all services that were just made, so that a page which many
// look at is made once. A page is made by the first that asks for it, and others
// wait for that. The zero value is ready, and safe for concurrent use.
type pages struct {
	mu   sync.Mutex
	made map[pageKey]*madePage

	tableMu sync.Mutex
	snap    *dataplane.Snapshot // that table is of
	table   *web.Table
	at      time.Time // when table was made
}

// A pageKey is what a page is of. A snapshot is never changed, so its address
// names it.
type pageKey struct {
	snap  *dataplane.Snapshot
	query string
	stale bool
}

var errNotMade = errors.New("the page could not be made")

type madePage struct {
	done chan struct{} // closed when it is made
	body []byte
	err  error
}

// page returns the page of key, made now or a moment ago.
func (p *pages) page(key pageKey, render func() ([]byte, error)) ([]byte, error) {
	p.mu.Lock()
	if p.made == nil {
		p.made = map[pageKey]*madePage{}
	}
	m, there := p.made[key]
	if !there {
		m = &madePage{done: make(chan struct{})}
		p.made[key] = m
		time.AfterFunc(pageFresh, func() { p.forget(key) })
	}
	p.mu.Unlock()
	if there {
		<-m.done
		return m.body, m.err
	}
	defer close(m.done)
	m.err = errNotMade // for those who wait, should render panic
	m.body, m.err = render()
	return m.body, m.err
}

func (p *pages) forget(key pageKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.made, key)
}

// of returns the table of a sample, made now or a moment ago: the events make one,
// and pages that they have ask for something need no other.
func (p *pages) of(snap *dataplane.Snapshot, make func() *web.Table) *web.Table {
	p.tableMu.Lock()
	defer p.tableMu.Unlock()
	if p.snap != snap || time.Since(p.at) >= pageFresh {
		p.snap, p.table, p.at = snap, make(), time.Now()
	}
	return p.table
}
