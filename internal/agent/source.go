package agent

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"sync"

	"lvs/collector"
	"lvs/dataplane"
	"lvs/dataplane/ipvs"
	"lvs/dataplane/procfs"
)

// A kernelSource reads the kernel's table: by netlink, completed from /proc;
// or, without the privilege for that, from /proc alone. It dials when it is
// first read and after a failure, so that an agent which starts before ip_vs is
// loaded, or gains or loses its privilege, finds its way by itself.
type kernelSource struct {
	cfg  ipvs.Config
	open func(ipvs.Config) (*ipvs.Client, error) // ipvs.Dial
	log  *slog.Logger

	mu     sync.Mutex
	client *ipvs.Client // nil until dialled
	proc   *procfs.FS   // nil until its namespace was found
	last   state        // what was logged last
}

// newKernelSource makes a source; with load it has the kernel load ip_vs.
func newKernelSource(netNS string, load bool, log *slog.Logger) *kernelSource {
	return &kernelSource{cfg: ipvs.Config{NetNS: netNS, Load: load}, open: ipvs.Dial, log: log}
}

// state is what the source can read now.
type state int

const (
	untried state = iota
	whole
	unprivileged
)

// Snapshot reads the director; see collector.Source.
func (s *kernelSource) Snapshot(ctx context.Context) (*dataplane.Snapshot, error) {
	snap, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	if proc, err := s.procfs(); err == nil && !snap.Partial {
		if err := proc.Director(ctx, &snap.Director); err != nil && !errors.Is(err, dataplane.ErrNotSupported) {
			s.log.Debug("the director's grand totals are incomplete", "dataplane", "procfs", "err", err)
		}
	}
	return snap, nil
}

var _ collector.Recycler = (*kernelSource)(nil)

// Recycle takes a snapshot back; see collector.Recycler.
func (s *kernelSource) Recycle(snap *dataplane.Snapshot) {
	s.mu.Lock()
	client := s.client
	s.mu.Unlock()
	if client != nil {
		client.Recycle(snap)
	}
}

func (s *kernelSource) read(ctx context.Context) (*dataplane.Snapshot, error) {
	client, err := s.dial()
	if err == nil {
		var snap *dataplane.Snapshot
		if snap, err = client.Snapshot(ctx); err == nil {
			s.say(whole, nil)
			return snap, nil
		}
	}
	if !errors.Is(err, fs.ErrPermission) {
		return nil, err
	}
	// By what /proc knows of it the table would seem to be another one than by
	// netlink. An unknown epoch tells nothing, which is the lesser evil. It is read
	// first: the last counts of a table must never pass for the first of the next.
	epoch, perr := ipvs.Epoch(ctx, s.cfg)
	if perr != nil {
		s.log.Debug("the life of the kernel's table is not known", "dataplane", "ipvs", "err", perr)
	}
	proc, perr := s.procfs()
	if perr != nil {
		return nil, errors.Join(err, perr)
	}
	snap, perr := proc.Snapshot(ctx)
	if perr != nil {
		return nil, errors.Join(err, perr)
	}
	snap.Director.Epoch = epoch
	s.say(unprivileged, err)
	return snap, nil
}

// dial returns the client, making it where there is none yet.
func (s *kernelSource) dial() (*ipvs.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != nil {
		return s.client, nil
	}
	client, err := s.open(s.cfg)
	if err != nil {
		return nil, err
	}
	s.client = client
	return client, nil
}

func (s *kernelSource) procfs() (*procfs.FS, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc != nil {
		return s.proc, nil
	}
	proc := procfs.New("/proc")
	if s.cfg.NetNS != "" {
		var err error
		if proc, err = procfs.NewInNetNS(s.cfg.NetNS); err != nil {
			return nil, err
		}
	}
	s.proc = &proc
	return s.proc, nil
}

// say logs a change of what can be read.
func (s *kernelSource) say(now state, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now == s.last {
		return
	}
	s.last = now
	if now == unprivileged {
		s.log.Warn("reading /proc/net/ip_vs instead of netlink: connections and weights are known, counters of services and real servers are not",
			"dataplane", "procfs", "err", why)
		return
	}
	s.log.Info("reading the kernel's table", "dataplane", "ipvs")
}

// Close closes the connection to the kernel.
func (s *kernelSource) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == nil {
		return nil
	}
	return s.client.Close()
}
