package e2e

import (
	"fmt"
	"maps"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// rules are by the name of the object type.
var rules = func() map[string]rule {
	all := map[string]rule{}
	for _, some := range []map[string]rule{lvsScalarRules(), lvsServiceRules(), lvsRealRules(), directorRules(), agentRules(), serviceRules(), realRules(), serverRules()} {
		maps.Copy(all, some)
	}
	return all
}()

// numeric is an unsigned number of a type, as convert makes it of one in the
// document.
func numeric(typ, path string, convert func(uint64) uint64) rule {
	return func(p place) (variable, bool) {
		n, ok := p.number(path)
		return variable{typ, fmt.Sprint(convert(n))}, ok
	}
}

func same(n uint64) uint64  { return n }
func low32(n uint64) uint64 { return n & math.MaxUint32 }

// below has numbers stop at a highest one.
func below(most uint64) func(uint64) uint64 { return func(n uint64) uint64 { return min(n, most) } }

func counter32(path string) rule { return numeric("Counter32", path, low32) }
func counter64(path string) rule { return numeric("Counter64", path, same) }
func gauge32(path string) rule   { return numeric("Gauge32", path, below(math.MaxUint32)) }
func whole(path string) rule     { return numeric("INTEGER", path, below(math.MaxInt32)) }

// orZero is r where the document leaves out a zero.
func orZero(typ string, r rule) rule {
	return func(p place) (variable, bool) {
		v, ok := r(p)
		if !ok {
			v = variable{typ, "0"}
		}
		return v, true
	}
}

// where is r where the document has something at a path, and no instance
// otherwise.
func where(path string, r rule) rule {
	return func(p place) (variable, bool) {
		if p.get(path) == nil {
			return variable{}, false
		}
		return r(p)
	}
}

// octets are a text, empty where the document leaves it out.
func octets(path string) rule {
	return computed("STRING", func(p place) string { return p.text(path) })
}

// enumerated is the number that stands for a word.
func enumerated(path string, words map[string]int) rule {
	return func(p place) (variable, bool) {
		n, ok := words[p.text(path)]
		if !ok {
			panic(fmt.Sprintf("%s: %q", path, p.text(path)))
		}
		return variable{"INTEGER", strconv.Itoa(n)}, true
	}
}

// computed is what f makes of the place; it has an instance always.
func computed[T any](typ string, f func(place) T) rule {
	return func(p place) (variable, bool) { return variable{typ, fmt.Sprint(f(p))}, true }
}

// truth is a TruthValue.
func truth(f func(place) bool) rule {
	return computed("INTEGER", func(p place) int {
		if f(p) {
			return 1
		}
		return 2
	})
}

// date is the first of several times that the document has, as a DateAndTime in
// UTC (RFC 2579 §2) with eleven octets; eight octets of zero are none.
func date(paths ...string) rule {
	return computed("STRING", func(p place) string {
		t := firstTime(p, paths)
		if t.IsZero() {
			return strings.Repeat("\x00", 8)
		}
		return string([]byte{byte(t.Year() >> 8), byte(t.Year()), byte(t.Month()), byte(t.Day()), byte(t.Hour()), byte(t.Minute()),
			byte(t.Second()), byte(t.Nanosecond() / 100e6), '+', 0, 0})
	})
}

// since is the time from the first of several times to that of the sample.
func since(paths ...string) rule {
	return func(p place) (variable, bool) {
		t := firstTime(p, paths)
		hundredths := max(p.time("/time").Sub(t)/(10*time.Millisecond), 0)
		return variable{"Timeticks", fmt.Sprint(min(int64(hundredths), math.MaxUint32))}, !t.IsZero()
	}
}

func firstTime(p place, paths []string) time.Time {
	for _, path := range paths {
		if t := p.time(path); !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// rate is our own figure where there is one, and the kernel's otherwise.
func rate(typ, account, counter string, convert func(uint64) uint64) rule {
	own, kernel := numeric(typ, account+"rates."+counter, convert), numeric(typ, account+"kernel_rates."+counter, convert)
	return func(p place) (variable, bool) {
		if v, ok := own(p); ok {
			return v, true
		}
		return kernel(p)
	}
}

// accountRules are the counters and rates of the LVS-DIRECTOR-MIB that have a
// prefix; account is where the document has theirs.
func accountRules(prefix, account string) map[string]rule {
	m := map[string]rule{}
	for name, counter := range map[string]string{
		"Conn": "connections", "InPkt": "in_packets", "OutPkt": "out_packets", "InByte": "in_bytes", "OutByte": "out_bytes",
	} {
		m[prefix+name+"s"] = counter32(account + "total." + counter)
		m[prefix+"HC"+name+"s"] = counter64(account + "total." + counter)
		m[prefix+name+"Rate"] = rate("Counter64", account, counter, same)
	}
	return m
}

// historyRules are what is remembered of an account.
func historyRules(prefix, account string) map[string]rule {
	return map[string]rule{
		prefix + "FirstSeen":     date(account + "first_seen"),
		prefix + "Discontinuity": date(account+"last_reset", account+"first_seen"),
		prefix + "Resets":        computed("Counter32", func(p place) uint64 { return low32(resetsOf(p, account)) }),
	}
}

// resetsOf is how often the kernel's counters of an account began anew.
func resetsOf(p place, account string) (sum uint64) {
	resets, _ := p.get(account + "resets").(object)
	for reason := range resets {
		n, _ := p.number(account + "resets." + reason)
		sum += n
	}
	return sum
}

// stateRules are those of services and real servers alike.
func stateRules(prefix string) map[string]rule {
	return map[string]rule{
		prefix + "State":        enumerated("state", map[string]int{"up": 1, "draining": 2, "down": 3, "overloaded": 4}),
		prefix + "Reason":       octets("reason"),
		prefix + "LastChange":   date("last_change"),
		prefix + "SinceChange":  since("last_change"),
		prefix + "StateChanges": counter32("state_changes"),
		prefix + "Failures":     counter32("failures"),
		prefix + "PeakConns":    gauge32("peak_connections"),
	}
}

// rowsRules are the scalars that tell of a table's rows.
func rowsRules(one, many, table, changed string) map[string]rule {
	return map[string]rule{
		"lvsd" + one + "Rows":         computed("Gauge32", func(p place) int { return len(places(p.doc, table)) }),
		"lvsd" + many + "LastChange":  date(changed),
		"lvsd" + many + "SinceChange": since(changed),
		"lvsd" + one + "RowsVersion":  computed("Gauge32", func(p place) int64 { return 1<<32 - 1 - p.time(changed).Unix() }),
	}
}

// sum is what the rows at a path have of a number, together; not there where one
// of them does not tell.
func sum(path, number string) rule {
	return func(p place) (variable, bool) {
		total := uint64(0)
		for _, o := range p.list(path) {
			n, ok := place{doc: p.doc, row: o}.number(number)
			if !ok {
				return variable{}, false
			}
			total += n
		}
		return variable{"Gauge32", fmt.Sprint(min(total, math.MaxUint32))}, true
	}
}

// takesConns is whether a real server takes connections but for its threshold.
func takesConns(o object) bool { return o["state"] == "up" || o["state"] == "overloaded" }

// reals are all real servers of the document.
func reals(p place) (list []object) {
	for _, s := range p.list("/services") {
		list = append(list, place{doc: p.doc, row: s}.list("real_servers")...)
	}
	return list
}

// count is how many of some objects are as wanted.
func count(list []object, wanted func(object) bool) (n int) {
	for _, o := range list {
		if wanted(o) {
			n++
		}
	}
	return n
}

// ipAddress is an IpAddress, 0.0.0.0 for what is none of IPv4.
func ipAddress(text string) string {
	a, err := netip.ParseAddr(text)
	if err != nil || !a.Is4() {
		return "0.0.0.0"
	}
	return a.String()
}

// inetAddress is an InetAddress: the octets of the address, none of nothing.
func inetAddress(text string) string {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return ""
	}
	return string(a.AsSlice())
}

// inetType is its InetAddressType: unknown(0), ipv4(1) or ipv6(2).
func inetType(text string) int { return []int{0: 0, 4: 1, 16: 2}[len(inetAddress(text))] }

// ripOf is the address and port of a real server.
func ripOf(p place) netip.AddrPort { return netip.MustParseAddrPort(p.text("address")) }
