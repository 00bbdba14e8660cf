package ipvs

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// An Error is the kernel's refusal of a command, in words. errors.Is matches it
// with fs.ErrExist, fs.ErrNotExist (no such service, real server, scheduler,
// persistence engine, daemon or interface) and fs.ErrPermission, and with the
// kernel's own error number.
type Error struct {
	// Op is what was asked for: "add service tcp/192.0.2.10:80".
	Op string
	// Reason is why it was refused; it may say more than Errno.
	Reason string
	Errno  syscall.Errno
}

// Error is "ipvs: add service tcp/192.0.2.10:80: it exists already".
func (e *Error) Error() string { return fmt.Sprintf("ipvs: %s: %s", e.Op, e.Reason) }

// Unwrap is the error number.
func (e *Error) Unwrap() error { return e.Errno }

// Is knows the error numbers that package syscall does not take for "does not
// exist", though the kernel's IPVS means just that by them.
func (e *Error) Is(target error) bool {
	return target == fs.ErrNotExist && (e.Errno == syscall.ESRCH || e.Errno == syscall.ENODEV)
}

// reasons are what a command's error numbers mean. Source: what
// net/netfilter/ipvs/ip_vs_ctl.c and ip_vs_sync.c return.
var reasons = map[command]map[syscall.Errno]string{
	cmdNewService: {
		syscall.EEXIST: "it exists already",
		syscall.ENOENT: "no such scheduler or persistence engine",
		syscall.EINVAL: "the kernel finds netmask, scheduler or persistence engine invalid for it",
	},
	cmdSetService: {
		syscall.ESRCH:  "no such service",
		syscall.ENOENT: "no such scheduler or persistence engine",
		syscall.EINVAL: "the kernel finds netmask, scheduler or persistence engine invalid for it",
	},
	cmdDelService: {syscall.ESRCH: "no such service"},
	cmdGetService: {syscall.ESRCH: "no such service"},
	cmdGetDest:    {syscall.ESRCH: "no such service"},
	cmdZero:       {syscall.ESRCH: "no such service"},
	cmdNewDest: {
		syscall.EEXIST: "it exists already",
		syscall.ESRCH:  "no such service",
		syscall.ERANGE: errRange,
		syscall.EINVAL: errRealInvalid,
	},
	cmdSetDest: {
		syscall.ENOENT: "no such real server",
		syscall.ESRCH:  "no such service",
		syscall.ERANGE: errRange,
		syscall.EINVAL: errRealInvalid,
	},
	cmdDelDest: {
		syscall.ENOENT: "no such real server",
		syscall.ESRCH:  "no such service",
	},
	cmdNewDaemon: {
		syscall.EEXIST: "one is running already",
		syscall.ENODEV: "no such interface",
		syscall.EINVAL: "the kernel finds its settings invalid, or services have real servers of another family than their own",
	},
	cmdDelDaemon: {syscall.ESRCH: "none is running"},
	cmdSetConfig: {syscall.EINVAL: "the kernel takes timeouts up to 2147483 seconds at most"},
}

const (
	errRange       = "weight is above 2147483647, or the lower threshold above the upper one"
	errRealInvalid = "the kernel finds the address no unicast one, or refuses another family than the service's (for method tunnel only, and not while a sync daemon runs)"
)

// explain makes err, of the command op describes, one for people.
func explain(cmd command, op string, err error) error {
	k := (*errKernel)(nil)
	if err == nil {
		return nil
	}
	if !errors.As(err, &k) {
		return fmt.Errorf("ipvs: %s: %w", op, err)
	}
	if k.errno == syscall.EPERM || k.errno == syscall.EACCES {
		return &Error{op, "CAP_NET_ADMIN is needed: run as root, or give the program that capability", k.errno}
	}
	if r, ok := reasons[cmd][k.errno]; ok {
		return &Error{op, r, k.errno}
	}
	return &Error{op, k.Error(), k.errno}
}
