package procfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"lvs/dataplane"
)

// maxReads is how often a table that changes all the time is read.
const maxReads = 4

// Snapshot reads the table and what [FS.Director] reads, for a process without
// the privilege to ask by netlink. It is Partial: see the package comment for
// what the kernel does not print. Services come in the kernel's order.
//
// The kernel prints no family with a firewall mark. A mark is of the family of
// its first real server that is not a tunnel's, or else of its first one;
// without any, of the family its netmask is of, if it is persistent; without
// that, IPv4. If a mark stands there twice, and only one row says of which
// family it is, the other row is the other family; if neither does, the first
// is taken for IPv4.
//
// A table of more than a page comes in pieces, between which it may change
// unseen. It is read until two readings list the same services, up to four
// times; Retries and Inconsistent of the snapshot say how that went.
//
// The timeout of persistence is printed in the kernel's ticks; it is zero where
// their frequency is unknown (outside Linux).
//
// The error is [dataplane.ErrNotSupported] where ip_vs is not loaded.
func (f FS) Snapshot(ctx context.Context) (*dataplane.Snapshot, error) {
	begin := time.Now()
	s := &dataplane.Snapshot{Partial: true}
	err := f.within(func(at dirs) error {
		t, err := f.table(ctx, at, s)
		if err != nil {
			return err
		}
		s.Services = t.services
		s.Director.Version, s.Director.ConnTableSize = t.version, t.connTableSize
		err = readDirector(ctx, at, &s.Director)
		if errors.Is(err, dataplane.ErrNotSupported) {
			return nil // the table alone is a snapshot
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("procfs: %w", err)
	}
	s.Time = time.Now()
	s.Took = s.Time.Sub(begin)
	return s, nil
}

// table reads net/ip_vs until it is the same twice, or came in one piece.
func (f FS) table(ctx context.Context, at dirs, s *dataplane.Snapshot) (table, error) {
	file := filepath.Join(at.net, "ip_vs")
	var prev table
	for reads := 1; ; reads++ {
		if err := ctx.Err(); err != nil {
			return table{}, err
		}
		t, err := read(file, func(l *lines) (table, error) { return parseTable(l, f.hz) })
		if errors.Is(err, fs.ErrNotExist) {
			return table{}, notLoaded(file)
		}
		if err != nil || t.whole && t.moved == 0 {
			return t, err
		}
		if reads > 1 {
			differ := t.moved + differences(prev.services, t.services)
			if differ == 0 {
				return t, nil
			}
			if reads == maxReads {
				s.Inconsistent = differ
				return t, nil
			}
			s.Retries++
		}
		prev = t
	}
}

// differences counts the services that are in one list only.
func differences(a, b []dataplane.ServiceState) (n int) {
	in := make(map[dataplane.ServiceKey]bool, len(a))
	for i := range a {
		in[a[i].Key] = true
	}
	for i := range b {
		if in[b[i].Key] {
			delete(in, b[i].Key)
		} else {
			n++
		}
	}
	return n + len(in)
}
