package ipvs

import (
	"context"
	"errors"

	"github.com/mdlayher/netlink"

	"lvs/dataplane"
)

// A fill says how the kernel cut a dump into datagrams. Each datagram is filled
// in one go under the kernel's lock on the table; between two of them the table
// may change, and the kernel goes on at the same position, by count.
type fill struct {
	rows      int
	datagrams int  // with rows in them
	last      int  // bytes of the last of them
	more      bool // a row follows in the datagram at hand
	broken    bool // the kernel said itself that the dump was interrupted
}

// The buffers the kernel fills: what a receive buffer of 32 KiB or more earns,
// and what it falls back to when memory is short, which depends on the size of a
// page. Of each it keeps some for its bookkeeping, and a row it has no room for is
// left to the next. Source: netlink_dump in net/netlink/af_netlink.c, NLMSG_GOODSIZE.
var fills = [...]int{4096, 8192, 32768}

const (
	fillLeast = 256 // bookkeeping at least
	fillMost  = 896 // bookkeeping and a row that did not fit at most
)

// add counts a row.
func (f *fill) add(m netlink.Message) {
	if !f.more {
		f.datagrams++
		f.last = 0
	}
	size := (int(m.Header.Length) + 3) &^ 3
	f.rows++
	f.last += size
	// The library parses a datagram in place, so the capacity of a payload shows
	// whether something follows it. Were that to change, dumps would look as if
	// each row came alone, and be checked more than they must.
	f.more = cap(m.Data) >= size
	f.broken = f.broken || m.Header.Flags&netlink.DumpInterrupted != 0
}

// atomic reports whether the rows were all read in one go. A single datagram is
// not enough: when it was full, a row may have been due that is missing because
// another went away before the kernel came back for it.
func (f *fill) atomic() bool {
	for _, size := range fills {
		if f.last > size-fillMost && f.last <= size-fillLeast {
			return false
		}
	}
	return f.datagrams <= 1 && !f.broken
}

// dump sends a request whose answer is any number of messages.
func (s *session) dump(ctx context.Context, e encoder, row func(data []byte) error) (fill, error) {
	seq, err := s.send(ctx, e, netlink.Dump)
	if err != nil {
		return fill{}, err
	}
	s.fill, s.row = fill{}, row
	if s.onRow == nil {
		s.onRow = s.countRow
	}
	err = s.receive(ctx, seq, s.family, s.onRow)
	return s.fill, err
}

func (s *session) countRow(m netlink.Message) error {
	s.fill.add(m)
	return s.row(m.Data)
}

func (s *session) info(ctx context.Context) (info Info, err error) {
	err = errNoAnswer
	xerr := s.exchange(ctx, s.request(cmdGetInfo), 0, func(data []byte) error {
		info, err = decodeInfo(data)
		return err
	})
	if xerr != nil {
		return Info{}, xerr
	}
	return info, err
}

func (s *session) timeouts(ctx context.Context) (t dataplane.Timeouts, err error) {
	err = errNoAnswer
	xerr := s.exchange(ctx, s.request(cmdGetConfig), 0, func(data []byte) error {
		t, err = decodeTimeouts(data)
		return err
	})
	if xerr != nil {
		return dataplane.Timeouts{}, xerr
	}
	return t, err
}

var errNoAnswer = errors.New("the kernel's answer is empty")

func (s *session) daemons(ctx context.Context) (list []dataplane.SyncDaemon, err error) {
	_, err = s.dump(ctx, s.request(cmdGetDaemon), func(data []byte) error {
		d, err := decodeDaemon(data)
		list = append(list, d)
		return err
	})
	return list, err
}

// service reads one service into the zero svc.
func (s *session) service(ctx context.Context, n names, k dataplane.ServiceKey, svc *dataplane.ServiceState) error {
	e := s.request(cmdGetService)
	e.key(k)
	err := errNoAnswer
	xerr := s.exchange(ctx, e, 0, func(data []byte) error {
		_, err = decodeService(data, n, svc)
		return err
	})
	if xerr != nil {
		return xerr
	}
	return err
}

// listServices lists the services, again while two dumps in several datagrams differ.
func (r *reader) listServices(ctx context.Context, s *session) ([]dataplane.ServiceState, error) {
	p := pass{reader: r, s: s, services: len(r.hints)}
	list, err := p.listOnce(ctx, nil)
	for try := 0; err == nil && len(list) > 0 && try < tries; try++ {
		var next []dataplane.ServiceState
		if next, err = p.listOnce(ctx, nil); err != nil {
			break
		}
		fresh, _ := changes(list, next, make([]span, len(list)))
		list = next
		if fresh == nil {
			break
		}
	}
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list, nil
}

// listReals lists the real servers of a service, which must exist.
func (r *reader) listReals(ctx context.Context, s *session, k dataplane.ServiceKey) ([]dataplane.RealState, error) {
	p := pass{reader: r, s: s}
	sp, err := p.list(ctx, k, hint{})
	if err != nil {
		return nil, err
	}
	if sp.from == sp.to {
		// To a service that does not exist the kernel answers the same.
		return nil, s.service(ctx, r.names, k, new(dataplane.ServiceState))
	}
	return p.reals, nil
}
