package agentx

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"lvs/mib/smi"
)

// A Subagent answers a master's requests from a tree. Its methods are safe for
// concurrent use; Run may be called once.
type Subagent struct {
	cfg              Config
	network, address string
	dial             func(ctx context.Context) (link, error)
	epoch            time.Time // steady clock readings count from here

	trees    atomic.Pointer[[]*generation] // newest first, never empty, never changed
	swap     sync.Mutex                    // one Swap at a time
	counters counters

	turn chan struct{} // held by the one whose notification is sent

	mu          sync.Mutex // guards what follows; nothing else is locked while it is held
	state       state
	since       time.Time
	masterStart time.Time
	lastErr     error
	lastErrTime time.Time
	session     *session      // takes notifications; nil = none
	up          chan struct{} // closed while there is such a session
}

// A state is what a session's log line is about.
type state uint8

const (
	stateNew       state = iota // not running
	stateUp                     // all subtrees are registered
	stateDown                   // there is no session
	stateDenied                 // we may not connect
	stateDuplicate              // somebody else has a subtree
)

// New returns a Subagent for cfg that answers from tree; a nil tree is empty.
// An error says what is wrong with cfg.
func New(cfg Config, tree smi.Tree) (*Subagent, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Subagent{cfg: cfg, epoch: time.Now(), turn: make(chan struct{}, 1), up: make(chan struct{})}
	s.network, s.address, _ = splitAddress(cfg.Address)
	s.dial = func(ctx context.Context) (link, error) { return dial(ctx, s.network, s.address, cfg.Timeout) }
	s.Swap(tree)
	return s, nil
}

// Swap replaces the tree; nil is an empty one. A walk that began in the tree
// before, less than ten seconds ago, goes on in it to its end: at most two old
// trees are kept for that, and none that is not being walked.
func (s *Subagent) Swap(tree smi.Tree) {
	if tree == nil {
		tree = nothing{}
	}
	s.swap.Lock()
	defer s.swap.Unlock()
	var old []*generation
	if p := s.trees.Load(); p != nil {
		old = *p
	}
	next := smi.Renew(old, tree, s.now())
	s.trees.Store(&next)
}

// now reads the steady clock; it is never 0.
func (s *Subagent) now() int64 { return int64(time.Since(s.epoch)) + 1 }

// Run keeps a session with the master until ctx ends, then closes it in order
// and returns nil. It reports no other way: a master that is away, or refuses,
// is asked again, first after 100 ms, later every 3 s, and at once when its
// socket file changes.
func (s *Subagent) Run(ctx context.Context) error {
	h := &handler{counters: &s.counters, sets: sets{setter: s.cfg.Setter}}
	var outage time.Time // when the present trouble began; the zero Time if there is none
	for {
		began := time.Now()
		seen := s.socketFile()
		err := s.connect(ctx, h)
		if ctx.Err() != nil {
			s.enter(stateNew, nil)
			return nil
		}
		if outage.IsZero() || s.wasUpSince(began, retryMax) {
			outage = time.Now()
		}
		s.enter(stateOf(err), err)
		if !s.pause(ctx, retryDelay(time.Since(outage)), seen) {
			return nil
		}
	}
}

// connect runs one session from dialling to its end.
func (s *Subagent) connect(ctx context.Context, h *handler) error {
	l, err := s.dial(ctx)
	if err != nil {
		return fmt.Errorf("agentx: %w", err)
	}
	var wg sync.WaitGroup
	ended := make(chan struct{})
	wg.Go(func() {
		select {
		case <-ctx.Done():
			l.interrupt()
		case <-ended:
		}
	})
	err = newSession(s, l, h).run()
	l.close()
	close(ended)
	wg.Wait()
	return err
}

const (
	retryMin = 100 * time.Millisecond
	retryMax = 3 * time.Second
	// watchTick is how often the socket file is looked at: the subagent is to be
	// back within a second, and to cost nothing where snmpd never runs.
	watchTick = 300 * time.Millisecond
)

// retryDelay is how long to wait before asking again what has been refused for
// so long: an eighth of it, so that a short outage costs little time and a long
// one little work, and a bit more or less, so that many subagents do not ask
// all at once.
func retryDelay(outage time.Duration) time.Duration {
	d := max(retryMin, min(outage/8, retryMax))
	return d - d/8 + rand.N(d/4)
}

// pause waits for d, or less where the socket file is not the one seen any more:
// a master that starts makes a new one. It is false if ctx ended.
func (s *Subagent) pause(ctx context.Context, d time.Duration, seen os.FileInfo) bool {
	until := time.Now().Add(d)
	for {
		wait := time.Until(until)
		if wait <= 0 {
			return true
		}
		t := time.NewTimer(min(wait, watchTick))
		select {
		case <-ctx.Done():
			t.Stop()
			return false
		case <-t.C:
		}
		if is := s.socketFile(); is != nil && changed(seen, is) {
			return true
		}
	}
}

// socketFile describes the master's unix socket; nil if there is none.
func (s *Subagent) socketFile() os.FileInfo {
	if s.network != "unix" {
		return nil
	}
	fi, err := os.Stat(s.address)
	if err != nil {
		return nil
	}
	return fi
}

func changed(was, is os.FileInfo) bool {
	return was == nil || !os.SameFile(was, is) || was.Mode() != is.Mode() || !was.ModTime().Equal(is.ModTime())
}

// wasUpSince reports whether the session that began then was up, for d at least.
func (s *Subagent) wasUpSince(began time.Time, d time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == stateUp && !s.since.Before(began) && time.Since(s.since) >= d
}

func stateOf(err error) state {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return stateDenied
	case errors.Is(err, DuplicateRegistration):
		return stateDuplicate
	}
	return stateDown
}

// enter notes what happened and logs it if it is news.
func (s *Subagent) enter(st state, err error) {
	s.mu.Lock()
	was := s.state
	if st == stateUp != (was == stateUp) {
		s.since = time.Now()
	}
	s.state = st
	if err != nil {
		s.lastErr, s.lastErrTime = err, time.Now()
	}
	s.mu.Unlock()
	if st == was {
		return
	}
	log := s.cfg.Logger.With("master", s.cfg.Address)
	switch st {
	case stateUp:
		log.Info("AgentX: registered with the SNMP master")
	case stateDown:
		log.Warn(`AgentX: no session with the SNMP master (snmpd with "master agentx" in snmpd.conf), trying again until there is`, "err", err)
	case stateDenied:
		log.Error("AgentX: not allowed to connect to the SNMP master: run as root, or put "+
			`"agentXPerms 0660 0550 root GROUP" into snmpd.conf and join that group`, "err", err)
	case stateDuplicate:
		log.Warn("AgentX: somebody else answers for a subtree of ours, trying again until it is free", "err", err)
	}
}

// nothing is the empty tree.
type nothing struct{}

func (nothing) Get(smi.OID) smi.Value { return smi.Value{Type: smi.NoSuchObject} }

func (nothing) Next(smi.OID, smi.OID, bool, smi.OID) (smi.OID, smi.Value, bool) {
	return nil, smi.Value{}, false
}
