package ipvs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// A namespace is where the sockets of a Client are opened.
type namespace struct {
	name string // as in Config
	path string // "" for the process's own

	mu    sync.Mutex // guards what follows
	file  *os.File   // nil for the process's own
	count int        // of the namespaces that the name meant so far
}

const (
	ownNamespace = "/proc/thread-self/ns/net"
	namedBelow   = "/run/netns"
	bootID       = "/proc/sys/kernel/random/boot_id"
)

// openNamespace opens the namespace of that name; see Config.
func openNamespace(name string) (*namespace, error) {
	n := &namespace{name: name, path: name}
	if name != "" && !strings.ContainsRune(name, '/') {
		n.path = filepath.Join(namedBelow, name)
	}
	_, err := n.current()
	if err != nil {
		return nil, fmt.Errorf("ipvs: %w", err)
	}
	return n, nil
}

// current opens the namespace again if another one has its name now: what was
// opened stays the deleted one. It counts how often that was so.
func (n *namespace) current() (int, error) {
	if n.path == "" {
		return 0, nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	now, err := os.Stat(n.path)
	if err == nil && n.file != nil {
		var known os.FileInfo
		if known, err = n.file.Stat(); err == nil && os.SameFile(known, now) {
			return n.count, nil
		}
	}
	var f *os.File
	if err == nil {
		f, err = os.Open(n.path)
	}
	if err != nil {
		return 0, fmt.Errorf("open network namespace %s: %w", n.name, err)
	}
	if n.file != nil {
		n.file.Close()
	}
	n.file = f
	n.count++
	return n.count, nil
}

// dial opens a netlink socket in the namespace.
func (n *namespace) dial() (*netlink.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	sock, port, err := openSocket(n.file)
	if err != nil {
		if n.file != nil && errors.Is(err, syscall.EPERM) {
			return nil, fmt.Errorf("enter network namespace %s: CAP_SYS_ADMIN is needed: %w", n.name, err)
		}
		return nil, fmt.Errorf("open a netlink socket: %w", err)
	}
	if err := sock.setOptions(); err != nil {
		return nil, errors.Join(err, sock.Close())
	}
	return netlink.NewConn(sock, port), nil
}

// epoch names the life of the table that nc belongs to: the boot, the number of
// the netlink family, which the kernel gives anew each time ip_vs is loaded, and
// the namespace. Source: genl_register_family in net/netlink/genetlink.c, which
// uses idr_alloc_cyclic.
func (n *namespace) epoch(nc *netlink.Conn, family uint16) (string, error) {
	b, err := os.ReadFile(bootID)
	if err != nil {
		return "", fmt.Errorf("read the boot's identity: %w", err)
	}
	id, err := n.cookie(nc)
	if err != nil {
		if id, err = n.inode(); err != nil {
			return "", fmt.Errorf("identify the network namespace: %w", err)
		}
	}
	return fmt.Sprintf("%s/%d/%s", strings.TrimSpace(string(b)), family, id), nil
}

// cookie is what the kernel calls a namespace: no other has it until the next
// boot. Linux 5.14 and later tell it of their sockets.
func (n *namespace) cookie(nc *netlink.Conn) (id string, err error) {
	rc, err := nc.SyscallConn()
	if err != nil {
		return "", err
	}
	cerr := rc.Control(func(fd uintptr) {
		var v uint64
		v, err = unix.GetsockoptUint64(int(fd), unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
		id = strconv.FormatUint(v, 10)
	})
	return id, errors.Join(err, cerr)
}

// inode is the second best: the number may be given again to another namespace.
func (n *namespace) inode() (string, error) {
	path := n.path
	if path == "" {
		path = ownNamespace
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return "", err
	}
	return fmt.Sprintf("inode%d", st.Ino), nil
}

func (n *namespace) close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.file == nil {
		return nil
	}
	return n.file.Close()
}
