package usm

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"sync"
	"testing"

	"lvs/mib/ber"
)

// FuzzIncoming gives anything to an engine: only who authenticates as a user that
// has to is let in, and what is said to others is small. The seeds are datagrams
// of Net-SNMP and gosnmp.
func FuzzIncoming(f *testing.F) {
	e, err := New(testID(), []User{signed, secret})
	if err != nil {
		f.Fatal(err)
	}
	// The digests that are right for these users are known to the seeds alone.
	var right [][]byte
	for _, c := range []struct {
		u User
		l Level
	}{{signed, AuthNoPriv}, {secret, AuthPriv}} {
		datagram := by(f, e, c.u, c.l).bytes()
		right = append(right, datagram)
		f.Add(slices.Clone(datagram))
	}
	var b ber.Builder
	f.Fuzz(func(t *testing.T, datagram []byte) {
		whole := slices.Clone(datagram)
		m, p, scoped, err := receive(e, datagram)
		if err == nil {
			known := slices.ContainsFunc(right, func(d []byte) bool { return bytes.Equal(d, whole) })
			if !known || p == (Principal{}) || scoped == nil {
				t.Fatalf("%+v is let in", p)
			}
			return
		}
		if p != (Principal{}) || scoped != nil {
			t.Fatalf("refused with %+v", p)
		}
		if e.Report(&b, &m, 1472, err) && b.Len() > 170 {
			t.Fatalf("a report of %d octets for %d", b.Len(), len(datagram))
		}
	})
}

// FuzzAuthenticated is a user that sends anything: its keys are right, nothing
// else need be.
func FuzzAuthenticated(f *testing.F) {
	e, err := New(testID(), []User{signed, secret})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(int32(7), int32(0), []byte("saltsalt"), []byte("\x30\x04\x04\x00\x04\x00"), true)
	f.Add(int32(7), int32(0), []byte("salt"), []byte("\x30\x04\x04\x00\x04\x00"), true)
	f.Add(int32(7), int32(math.MaxInt32), []byte("saltsalt"), []byte("\x30\x04\x04\x00\x04\x00"), false)
	f.Add(int32(6), int32(0), []byte(""), []byte("\x30\x02\x04\x00"), true)
	inTheClear, hidden := by(f, e, signed, AuthNoPriv), by(f, e, secret, AuthPriv)
	f.Fuzz(func(t *testing.T, boots, sent int32, salt, scoped []byte, encrypted bool) {
		e.began = e.clock() // it is always the engine's second 0
		m := inTheClear
		if encrypted {
			m = hidden
		}
		m.boots, m.time, m.salt, m.scoped = boots&math.MaxInt32, sent&math.MaxInt32, slices.Clip(append([]byte{}, salt...)), append([]byte{}, scoped...)
		head := ber.NewReader(scoped)
		head.Enter(ber.Sequence)
		head.Octets(ber.OctetString)
		head.Octets(ber.OctetString)
		looksRight := head.Err() == nil
		v, p, got, err := receive(e, m.bytes())
		var r *Report
		switch errors.As(err, &r); {
		case err != nil && r == nil:
			if encrypted || v.Decode(m.bytes()) == nil {
				t.Fatal(err) // what is in the clear is for package ber to refuse
			}
		case m.boots != 7 || m.time > window:
			if r == nil || r.Stat != NotInTimeWindows {
				t.Fatalf("%+v, %v; want %v", p, err, NotInTimeWindows)
			}
		case encrypted && (len(salt) != saltLen || !looksRight):
			if r == nil || r.Stat != DecryptionErrors {
				t.Fatalf("%+v, %v; want %v", p, err, DecryptionErrors)
			}
		case err != nil || !bytes.Equal(got, scoped):
			t.Fatalf("%x, %v; want %x", got, err, scoped)
		}
	})
}

// TestConcurrent has several listeners share one user.
func TestConcurrent(t *testing.T) {
	e := newTestEngine(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var b ber.Builder
			requests := []message{by(t, e, secret, AuthPriv), by(t, e, signed, AuthNoPriv), by(t, e, open, NoAuthNoPriv)}
			for range 20 {
				for range 20 {
					for _, sent := range requests {
						if !answer(e, &b, sent.bytes()) {
							t.Error("no answer")
						}
					}
				}
				if err := e.SetUsers([]User{open, signed, secret}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// TestAllocatesNothing goes once around as an agent does for each request.
func TestAllocatesNothing(t *testing.T) {
	e := newTestEngine(t)
	var b ber.Builder
	scopedOf(&b, e, 1400)
	sent := by(t, e, secret, AuthPriv)
	sent.scoped = slices.Clone(b.Bytes())
	whole := sent.bytes()
	buf := slices.Clone(whole)
	if n := testing.AllocsPerRun(100, func() {
		copy(buf, whole)
		m, p, scoped, err := receive(e, buf)
		if err != nil {
			t.Fatal(err)
		}
		b.Reset(Overhead)
		b.Append(scoped)
		e.Seal(&b, m.ID, 65507, p)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
