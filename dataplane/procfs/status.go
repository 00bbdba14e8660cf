package procfs

import (
	"strconv"
	"strings"
)

// Status is the fill of IPVS's own tables, as Linux 7.1 and later tell it to
// root (mode 0440).
type Status struct {
	// Connections in the connection table, templates of persistence included.
	Connections uint64
	// Services in the service table.
	Services uint64
	// ConnBuckets and ServiceBuckets are the sizes of their hash tables, zero
	// before the first service.
	ConnBuckets, ServiceBuckets uint32
}

// Status reads net/ip_vs_status. The error is [fs.ErrNotExist] on a kernel
// without that file, and [fs.ErrPermission] for all but root.
func (f FS) Status() (Status, error) { return readNet(f, "ip_vs_status", parseStatus) }

// parseStatus takes the lines it knows: the file is there to look into the
// kernel, and lists more with each change of that.
func parseStatus(l *lines) (s Status, err error) {
	found := false
	for l.next() {
		name, value, ok := strings.Cut(l.text, ":")
		if !ok {
			return Status{}, l.errorf("want NAME: VALUE")
		}
		// "Conn buckets:\t4096 (12 bits, lfactor -4)"
		value, _, _ = strings.Cut(strings.TrimSpace(value), " ")
		n := func(bits int) (n uint64) {
			if err == nil {
				if n, err = strconv.ParseUint(value, 10, bits); err != nil {
					err = l.errorf("%q is no number", value)
				}
			}
			return n
		}
		switch name {
		case "Conns":
			s.Connections, found = n(32), true
		case "Conn buckets":
			s.ConnBuckets = uint32(n(32))
		case "Services":
			s.Services = n(32)
		case "Service buckets":
			s.ServiceBuckets = uint32(n(32))
		}
		if err != nil {
			return Status{}, err
		}
	}
	if err := l.err(); err != nil {
		return Status{}, err
	}
	if !found {
		l.n, l.text = l.n+1, ""
		return Status{}, l.errorf("want a line Conns")
	}
	return s, nil
}
