package snmp

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"lvs/collector/snmp/snmptest"
	"lvs/mib/ber"
	"lvs/mib/smi"

	"github.com/gosnmp/gosnmp"
)

func silent(int, *ber.PDU, *ber.PDU) [][]byte { return [][]byte{} }

// once has a fault at the n-th answer only.
func once(n int, f snmptest.Fault) snmptest.Fault {
	return func(i int, q, a *ber.PDU) [][]byte {
		if i == n {
			return f(i, q, a)
		}
		return nil
	}
}

func encode(p *ber.PDU) []byte { return snmptest.Encode(1, "public", p) }

// another is the request-id of no request that is under way, were it a late one.
func another(id int32) int32 { return id ^ 1<<24 }

// faults are ways to answer badly, and what a poll is then that meets one of them
// always; it gets over each that happens once. What is an ErrTimeout has to be waited
// for.
var faults = map[string]struct {
	fault snmptest.Fault
	want  error
}{
	"no answer": {fault: silent, want: ErrTimeout},
	"genErr": {fault: func(_ int, q, a *ber.PDU) [][]byte {
		a.Status, a.Index, a.VarBinds = int32(smi.GenErr), 1, q.VarBinds
		return nil
	}, want: ErrStatus},
	"tables too big": {fault: func(_ int, q, a *ber.PDU) [][]byte {
		if q.Type == ber.GetBulk {
			a.Status, a.VarBinds = int32(smi.TooBig), nil
		}
		return nil
	}, want: ErrStatus},
	"no variables": {fault: func(_ int, _, a *ber.PDU) [][]byte { a.VarBinds = nil; return nil }, want: ErrAnswer},
	"too many variables": {fault: func(_ int, q, a *ber.PDU) [][]byte {
		for range 600 {
			a.VarBinds = append(a.VarBinds, a.VarBinds[0])
		}
		return nil
	}, want: ErrAnswer},
	"names that do not rise": {fault: func(_ int, q, a *ber.PDU) [][]byte {
		for i := range a.VarBinds {
			a.VarBinds[i].Name = q.VarBinds[i%len(q.VarBinds)].Name
		}
		return nil
	}, want: ErrAnswer},
	"names of nothing asked for": {fault: func(_ int, q, a *ber.PDU) [][]byte {
		for i := range a.VarBinds {
			a.VarBinds[i].Name = smi.MustParseOID("1.3.6.1.2.1.1.1.0")
		}
		return nil
	}, want: ErrAnswer},
	"another type": {fault: func(_ int, q, a *ber.PDU) [][]byte {
		for i := range a.VarBinds {
			a.VarBinds[i].Value = smi.Value{Type: smi.ObjectID, OID: smi.MustParseOID("1.3.6.1")}
		}
		return nil
	}, want: ErrAnswer},
	"exceptions inside": {fault: func(_ int, q, a *ber.PDU) [][]byte {
		for i := range a.VarBinds {
			a.VarBinds[i].Value = smi.Value{Type: smi.NoSuchInstance}
		}
		return nil
	}, want: ErrAnswer},
	"another request-id": {fault: func(_ int, _, a *ber.PDU) [][]byte { a.RequestID = another(a.RequestID); return nil }, want: ErrTimeout},
	"no request-id":      {fault: func(_ int, _, a *ber.PDU) [][]byte { a.RequestID = 0; return nil }, want: ErrAnswer},
	"another PDU":        {fault: func(_ int, _, a *ber.PDU) [][]byte { a.Type = ber.GetRequest; return nil }, want: ErrAnswer},
	"noise":              {fault: func(int, *ber.PDU, *ber.PDU) [][]byte { return [][]byte{{0x30, 0x82, 1}} }, want: ErrAnswer},
	"half of it": {fault: func(_ int, _, a *ber.PDU) [][]byte {
		b := encode(a)
		return [][]byte{b[:len(b)/2]}
	}, want: ErrAnswer},
}

// An agent that always answers badly behind the n-th request is an error of the
// right kind, and never a shorter table.
func TestBadAnswersAreErrors(t *testing.T) {
	snap := director(3, 10)
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wait := time.Minute
			if f.want == ErrTimeout {
				wait = 20 * time.Millisecond // whoever is late is as good as silent
			}
			for _, from := range []int{1, 2, 4, 9} {
				a := serve(t, tree(snap))
				a.SetFault(func(n int, q, answer *ber.PDU) [][]byte {
					if n >= from && (q.Type == ber.GetBulk || from == 1) {
						return f.fault(n, q, answer)
					}
					return nil
				})
				p := poller(t, Config{Target: a.Addr(), MaxVariables: 40, Timeout: wait})
				got, err := p.Snapshot(t.Context())
				if name == "another type" && from == 1 {
					continue // scalars of a type that has no use are as if they were not there
				}
				if !errors.Is(err, f.want) {
					t.Errorf("from answer %d on: %v, %v; want %v", from, got, err, f.want)
				}
			}
		})
	}
}

// What happens once is got over.
func TestBadAnswersAreAskedForAgain(t *testing.T) {
	snap := director(3, 10)
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "another type" {
				return // which is no accident, and an error at once
			}
			wait := time.Minute
			if f.want == ErrTimeout {
				wait = time.Second
			}
			for _, n := range []int{2, 5, 9} {
				a := serve(t, tree(snap))
				a.SetFault(once(n, f.fault))
				p := poller(t, Config{Target: a.Addr(), MaxVariables: 40, Timeout: wait})
				same(t, name, told(snap, 2), poll(t, p))
			}
		})
	}
}

func TestEveryAnswerTwice(t *testing.T) {
	snap := director(3, 10)
	a := serve(t, tree(snap))
	a.SetFault(func(_ int, _, answer *ber.PDU) [][]byte { return [][]byte{encode(answer), encode(answer)} })
	same(t, "twice", told(snap, 2), poll(t, poller(t, Config{Target: a.Addr(), MaxVariables: 40})))
}

// An agent that answers late answers the repeated request, too; the first answer
// is not taken for that of another request.
func TestLateAnswers(t *testing.T) {
	snap := director(3, 10)
	a := serve(t, tree(snap))
	var held []byte
	a.SetFault(func(n int, _, answer *ber.PDU) [][]byte {
		now := encode(answer)
		if n%3 == 0 {
			held = now
			return [][]byte{}
		}
		if held != nil {
			now, held = held, nil
			return [][]byte{now, encode(answer)}
		}
		return nil
	})
	same(t, "late", told(snap, 2), poll(t, poller(t, Config{Target: a.Addr(), MaxVariables: 40, Timeout: 200 * time.Millisecond, Retries: 6})))
}

func TestTooBigAnswersAreHalved(t *testing.T) {
	snap := director(3, 30)
	limit := 9
	for name, f := range map[string]snmptest.Fault{
		"tooBig": func(_ int, q, a *ber.PDU) [][]byte {
			if len(a.VarBinds) > limit && q.Type == ber.GetBulk {
				a.Status, a.VarBinds = int32(smi.TooBig), nil
			}
			return nil
		},
		"no answer": func(_ int, q, a *ber.PDU) [][]byte {
			if len(a.VarBinds) > limit && q.Type == ber.GetBulk {
				return [][]byte{}
			}
			return nil
		},
		"cut off": func(_ int, q, a *ber.PDU) [][]byte {
			if q.Type == ber.GetBulk {
				a.VarBinds = a.VarBinds[:min(limit, len(a.VarBinds))]
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := serve(t, tree(snap))
			a.SetFault(f)
			p := poller(t, Config{Target: a.Addr(), Timeout: 300 * time.Millisecond, Retries: 5})
			same(t, name, told(snap, 2), poll(t, p))
			requests := p.Stats().Requests
			same(t, name, told(snap, 2), poll(t, p))
			if again := p.Stats().Requests - requests; name == "no answer" && p.Stats().Retries > 12 || again > requests {
				t.Errorf("%d requests and then %d; what was learned is forgotten (%+v)", requests, again, p.Stats())
			}
		})
	}
}

// A table without an end is given up.
func TestEndlessTablesAreTooMuch(t *testing.T) {
	a := serve(t, endless{})
	p := poller(t, Config{Target: a.Addr(), MaxRows: 5000})
	if _, err := p.Snapshot(t.Context()); !errors.Is(err, ErrTooMuch) || Reason(err) != "size" {
		t.Error(err)
	}
}

// So is one whose texts never end.
func TestEndlessTextsAreTooMuch(t *testing.T) {
	r := &reading{client: &client{g: &gosnmp.GoSNMP{}}, spec: &lvsServices, most: DefaultMaxRows, columns: []*column{{prefix: lvsServices.entry + ".2."}}}
	text := make([]byte, maxText)
	var err error
	n := 0
	for ; err == nil && n < 2*maxTable/maxText; n++ {
		err = r.take(r.columns, []gosnmp.SnmpPDU{{Name: fmt.Sprintf("%s.2.%d", lvsServices.entry, n+1), Type: gosnmp.OctetString, Value: text}})
	}
	if !errors.Is(err, ErrTooMuch) {
		t.Errorf("after %d texts: %v", n, err)
	}
}

// endless has a row behind every row.
type endless struct{}

func (endless) Get(smi.OID) smi.Value { return smi.Value{Type: smi.Integer, Int: 1} }

func (endless) Next(dst, name smi.OID, _ bool, _ smi.OID) (smi.OID, smi.Value, bool) {
	dst = append(dst[:0], name...)
	if len(dst) == 11 {
		dst = append(dst, 0)
	}
	dst[len(dst)-1]++
	return dst, smi.Value{Type: smi.Integer, Int: 6}, true
}

// Rows that come and go while they are read are read again; where they never stop
// to, that is an error and no shorter table.
func TestRowsThatMove(t *testing.T) {
	one, other := director(4, 10), director(5, 9)
	trees := []smi.Tree{tree(one), tree(other)}
	a := serve(t, trees[0])
	a.SetFault(func(n int, _, _ *ber.PDU) [][]byte {
		a.Serve(trees[n/5%2])
		return nil
	})
	p := poller(t, Config{Target: a.Addr(), MaxVariables: 40})
	if snap, err := p.Snapshot(t.Context()); !errors.Is(err, ErrChanged) || Reason(err) != "changed" {
		t.Errorf("%v, %v", snap, err)
	}
	from := int(a.Requests.Load())
	a.SetFault(func(n int, _, _ *ber.PDU) [][]byte {
		a.Serve(trees[min(1, (n-from)/5)])
		return nil
	})
	snap := poll(t, p)
	if snap.Retries == 0 {
		t.Error("nothing was read again")
	}
	want := told(other, 2)
	want.Retries = snap.Retries
	same(t, "after the move", want, snap)
}

// A subagent that comes while it is asked for is not taken for one that knows less, or
// has nothing.
func TestAnAgentThatComes(t *testing.T) {
	snap := director(4, 10)
	for _, from := range []int{2, 3, 5} {
		a := serve(t, snmptest.Vars(nil))
		a.SetFault(func(n int, _, _ *ber.PDU) [][]byte {
			if n == from-1 {
				a.Serve(tree(snap))
			}
			return nil
		})
		want := told(snap, 2)
		want.Retries = 1
		same(t, fmt.Sprint("from request ", from), want, poll(t, poller(t, Config{Target: a.Addr(), MaxVariables: 40})))
	}
}

func TestReasonsAreListed(t *testing.T) {
	for _, err := range []error{ErrTimeout, ErrAccess, ErrAnswer, ErrStatus, ErrChanged, ErrNoModule, ErrTooMuch, errors.New("no route")} {
		if !slices.Contains(Reasons(), Reason(err)) {
			t.Errorf("%v has the reason %s, which is not listed", err, Reason(err))
		}
	}
}
