package ipvs

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"syscall"
	"testing"

	"github.com/mdlayher/netlink"

	"lvs/dataplane"
)

// A kernel is a model of the kernel's side of the family: a table, and sockets
// that dump it as the kernel does, by position, one datagram at a time.
type kernel struct {
	mu       sync.Mutex
	family   uint16 // 0: ip_vs is not loaded
	loads    uint16 // the family it gets when it is asked for by name; 0: there is no such module
	table    []*service
	foreign  int                        // rows of other network namespaces, which come first
	fill     int                        // bytes of a datagram
	between  func()                     // called before each datagram of a dump is filled
	narrow   bool                       // no STATS64, as before Linux 4.1
	silent   bool                       // answers nothing
	refuse   func([]byte) syscall.Errno // what a command is answered with
	spoil    func([]byte) []byte        // what is done to each datagram that is no dump's
	requests [][]byte                   // generic netlink header and attributes of all but dumps
	dials    int
	dumps    int
}

type service struct {
	key   dataplane.ServiceKey
	sched string
	stats uint64
	reals []*realServer
}

type realServer struct {
	rip   netip.AddrPort
	stats uint64
}

func newKernel() *kernel { return &kernel{family: 28, fill: 3776} }

// client is a Client of k.
func (k *kernel) client(t *testing.T) *Client {
	t.Helper()
	ns, err := openNamespace("")
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(ns, k.dial, defaultTimeout)
	t.Cleanup(func() { c.Close() })
	return c
}

func (k *kernel) dial() (*netlink.Conn, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.dials++
	return netlink.NewConn(&fakeSocket{k: k, wake: make(chan struct{}, 1), closed: make(chan struct{})}, 4242), nil
}

func (k *kernel) answer(m netlink.Message) []byte {
	switch command(m.Data[0]) {
	case cmdGetInfo:
		e := request(nil, cmdSetInfo)
		e.u32(infoVersion, 0x010201)
		e.u32(infoConnTabSize, 4096)
		return wire(m, 0, e.b)
	case cmdGetConfig:
		e := request(nil, cmdSetConfig)
		e.u32(attrTimeoutTCP, 900)
		e.u32(attrTimeoutTCPFin, 120)
		e.u32(attrTimeoutUDP, 300)
		return wire(m, 0, e.b)
	case cmdGetService:
		if svc := k.find(m.Data); svc != nil {
			return wire(m, 0, k.serviceRow(svc))
		}
		return errorMessage(m, syscall.ESRCH)
	}
	return errorMessage(m, 0)
}

// find is the service whose key a request's SERVICE attribute has.
func (k *kernel) find(data []byte) *service {
	for _, svc := range k.table {
		e := encoder{}
		e.key(svc.key)
		if len(data) >= genlHeader && string(data[genlHeader:]) == string(e.b) {
			return svc
		}
	}
	return nil
}

// startDump is the kernel's dump callback with its memory: a position.
func (k *kernel) startDump(m netlink.Message) func() []byte {
	start := 0
	return func() []byte {
		if k.between != nil {
			k.between()
		}
		rows, row := k.rows(m.Data)
		var b []byte
		for ; start < rows; start++ {
			data := row(start)
			if data == nil {
				continue
			}
			msg := wire(m, netlink.Multi, data)
			if len(b)+len(msg) > k.fill {
				break
			}
			b = append(b, msg...)
		}
		if b == nil {
			done := m
			done.Header.Type = netlink.Done
			return wire(done, netlink.Multi, make([]byte, 4))
		}
		return b
	}
}

// rows is how many rows a dump would have now, and what gives one of them.
func (k *kernel) rows(req []byte) (int, func(int) []byte) {
	switch command(req[0]) {
	case cmdGetService:
		return k.foreign + len(k.table), func(i int) []byte {
			if i < k.foreign {
				return nil
			}
			return k.serviceRow(k.table[i-k.foreign])
		}
	case cmdGetDest:
		if svc := k.find(req); svc != nil {
			return len(svc.reals), func(i int) []byte { return k.realRow(svc.reals[i]) }
		}
	}
	return 0, nil
}

func (k *kernel) serviceRow(svc *service) []byte {
	e := request(nil, cmdNewService)
	e.nest(attrService, func() {
		e.serviceKey(svc.key)
		e.text(svcSchedName, svc.sched)
		binary.NativeEndian.PutUint32(e.put(svcFlags, 8), uint32(dataplane.FlagHashed))
		e.u32(svcTimeout, 0)
		e.u32(svcNetmask, 0xffffffff)
		k.stats(&e, svcStats, svcStats64, svc.stats)
	})
	return e.b
}

func (k *kernel) realRow(r *realServer) []byte {
	e := request(nil, cmdNewDest)
	e.nest(attrDest, func() {
		e.address(destAddr, r.rip.Addr().AsSlice())
		e.be16(destPort, r.rip.Port())
		for _, typ := range []uint16{destFwdMethod, destWeight, destUThresh, destLThresh, destActiveConns, destInactConns, destPersistConns} {
			e.u32(typ, uint32(typ))
		}
		e.u16(destAddrFamily, af(dataplane.FamilyOf(r.rip.Addr())))
		k.stats(&e, destStats, destStats64, r.stats)
	})
	return e.b
}

func (k *kernel) stats(e *encoder, narrow, wide uint16, v uint64) {
	e.nest(narrow, func() {
		for typ := uint16(1); typ <= numStats; typ++ {
			if typ == statsInBytes || typ == statsOutBytes {
				binary.NativeEndian.PutUint64(e.put(typ, 8), v)
			} else {
				e.u32(typ, uint32(v))
			}
		}
	})
	if k.narrow {
		return
	}
	e.nest(wide, func() {
		for typ := uint16(1); typ <= numStats; typ++ {
			binary.NativeEndian.PutUint64(e.put(typ, 8), v)
		}
	})
}

// newFamily answers a question for the family, or for all families.
func (k *kernel) newFamily(m netlink.Message) []byte {
	family := func(flags netlink.HeaderFlags, id uint16, name string) []byte {
		e := encoder{[]byte{1, 2, 0, 0}}
		e.text(ctrlFamilyName, name)
		e.u16(ctrlFamilyID, id)
		return wire(m, flags, e.b)
	}
	if m.Header.Flags&netlink.Dump == netlink.Dump {
		b := family(netlink.Multi, ctrlID, "nlctrl")
		if k.family != 0 {
			b = append(b, family(netlink.Multi, k.family, familyName)...)
		}
		b = append(b, family(netlink.Multi, 99, "acpi_event")...)
		done := m
		done.Header.Type = netlink.Done
		return append(b, wire(done, netlink.Multi, make([]byte, 4))...)
	}
	if k.family == 0 {
		k.family = k.loads
	}
	if k.family == 0 {
		return errorMessage(m, syscall.ENOENT)
	}
	return family(0, k.family, familyName)
}

// wire makes an answer to a request.
func wire(req netlink.Message, flags netlink.HeaderFlags, data []byte) []byte {
	h := req.Header
	h.Flags = flags
	h.Length = uint32((nlHeader + len(data) + 3) &^ 3)
	b, err := netlink.Message{Header: h, Data: data}.MarshalBinary()
	if err != nil {
		panic(err)
	}
	return b
}

// errorMessage is an NLMSG_ERROR; errno 0 is an acknowledgement.
func errorMessage(req netlink.Message, errno syscall.Errno) []byte {
	data := make([]byte, 4+nlHeader)
	binary.NativeEndian.PutUint32(data, uint32(-int32(errno)))
	req.Header.Type = netlink.Error
	return wire(req, 0, data)
}
