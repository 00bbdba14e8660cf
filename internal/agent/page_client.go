package agent

import (
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// clientOf is whose request r is, for what each client has a share of: an IPv4
// address, or the network of 64 bits that one host has in IPv6. Of this host's own it
// is the address for which a reverse proxy asks here, the last in X-Forwarded-For:
// whoever is behind it is not to be taken for one. Where that tells nothing it is
// the zero Prefix, nobody in particular. From other hosts the header is not believed,
// for anybody may send it.
func clientOf(r *http.Request) netip.Prefix {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Prefix{}
	}
	addr := peer.Addr().Unmap()
	if addr.IsLoopback() {
		all := strings.Join(r.Header.Values("X-Forwarded-For"), ",")
		last := strings.TrimSpace(all[strings.LastIndexByte(all, ',')+1:])
		if addr, err = netip.ParseAddr(last); err != nil {
			with, err := netip.ParseAddrPort(last)
			if err != nil {
				return netip.Prefix{}
			}
			addr = with.Addr()
		}
		if addr = addr.Unmap(); addr.IsLoopback() {
			return netip.Prefix{}
		}
	}
	bits := 64
	if addr.Is4() {
		bits = 32
	}
	p, _ := addr.WithZone("").Prefix(bits) // an error is of other bits
	return p
}

// knows is the tick that a page shows which asks for events: that of the last event
// it had, else the one it was made of; the zero time if it tells none.
func knows(r *http.Request) time.Time {
	for _, text := range []string{r.Header.Get("Last-Event-ID"), r.URL.Query().Get("since")} {
		if tick, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return tick
		}
	}
	return time.Time{}
}
