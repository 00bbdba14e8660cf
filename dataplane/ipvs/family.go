package ipvs

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"

	"lvs/dataplane"
)

// resolve asks for the family's number. To a question for one family by name the
// kernel loads the module that has it, which somebody who only looks must not
// bring about: then all families are listed instead. Source: ctrl_getfamily and
// ctrl_dumpfamily in net/netlink/genetlink.c.
func (s *session) resolve(ctx context.Context) (id uint16, err error) {
	e, flags := encoder{s.buf[:0]}, netlink.Request|netlink.Dump
	if s.load {
		flags = netlink.Request
		e.text(ctrlFamilyName, familyName)
	}
	if err := s.limit(ctx); err != nil {
		return 0, err
	}
	m, err := genetlink.NewConn(s.nc).Send(genetlink.Message{
		Header: genetlink.Header{Command: ctrlGetFamily, Version: 1}, Data: e.b}, ctrlID, flags)
	s.buf = e.b
	if err == nil {
		err = s.receive(ctx, m.Header.Sequence, ctrlID, func(m netlink.Message) error {
			n, err := familyID(m.Data)
			id |= n // of all families one at most has a number here
			return err
		})
	}
	switch err = kernelError(err); {
	case errors.Is(err, syscall.ENOENT), err == nil && id == 0:
		return 0, errNoFamily
	case err != nil:
		return 0, fmt.Errorf("look for the kernel's IPVS: %w", err)
	}
	return id, nil
}

// familyID is the number in a NEWFAMILY message, 0 if it is about another family.
func familyID(b []byte) (id uint16, err error) {
	if len(b) < genlHeader {
		return 0, fmt.Errorf("NEWFAMILY: %d bytes are no generic netlink header", len(b))
	}
	ours := false
	a := attrs{b: b[genlHeader:], base: genlHeader, in: "NEWFAMILY"}
	for a.next() {
		switch a.typ {
		case ctrlFamilyID:
			id = a.u16()
		case ctrlFamilyName:
			ours = string(a.text()) == familyName
		}
	}
	switch {
	case a.err != nil:
		return 0, a.err
	case !ours:
		return 0, nil
	case id == 0:
		return 0, errors.New("NEWFAMILY: the kernel gave no number for its IPVS family")
	}
	return id, nil
}

// The controller of generic netlink. Source: include/uapi/linux/genetlink.h.
const (
	ctrlID         = 16 // GENL_ID_CTRL
	ctrlGetFamily  = 3  // CTRL_CMD_GETFAMILY
	ctrlFamilyID   = 1  // CTRL_ATTR_FAMILY_ID
	ctrlFamilyName = 2  // CTRL_ATTR_FAMILY_NAME
)

var errNoFamily = fmt.Errorf("the kernel has no IPVS: load it with modprobe ip_vs, or use a kernel built with CONFIG_IP_VS: %w",
	dataplane.ErrNotSupported)
