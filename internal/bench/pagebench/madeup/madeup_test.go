package madeup

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lvs/dataplane"
)

var present = time.Unix(1_700_000_000, 0)

func read(t *testing.T, flap time.Duration, times ...time.Duration) (all []*dataplane.Snapshot) {
	t.Helper()
	d := New(present, flap)
	for _, after := range times {
		all = append(all, d.Read(present.Add(after), time.Second))
	}
	return all
}

func TestDirectorIsThatOfItsSize(t *testing.T) {
	s := read(t, 0, time.Second)[0]
	if len(s.Services) != Services || s.RealServers() != Services*Reals {
		t.Fatalf("%d services, %d real servers", len(s.Services), s.RealServers())
	}
	out := 0
	for i := range s.Services {
		for j := range s.Services[i].Reals {
			if s.Services[i].Reals[j].Weight == 0 {
				out++
			}
		}
	}
	if out != Services*Reals/outOfService {
		t.Errorf("%d are out of service", out)
	}
}

// A reading stays as it was, and what it counts goes on.
func TestReadingsAreTheirOwn(t *testing.T) {
	d := New(present, 0)
	first := d.Read(present, time.Second)
	before := first.Services[3].Kernel
	text := fmt.Sprintf("%+v", first)
	second := d.Read(present.Add(time.Second), time.Second)
	if fmt.Sprintf("%+v", first) != text {
		t.Error("a reading changed")
	}
	if _, ok := second.Services[3].Kernel.Sub(before); !ok || second.Services[3].Kernel == before {
		t.Errorf("%+v after %+v", second.Services[3].Kernel, before)
	}
	if first.Services[3].Total != (dataplane.Counters{}) || first.Services[3].Number != 0 {
		t.Error("a source tells what only the sampler knows")
	}
}

// The agent makes the director a second time, and goes on where the history ends.
func TestTheSameDirectorEachTime(t *testing.T) {
	a, b := read(t, 0, time.Second), read(t, 0, time.Second)
	for i := range a[0].Services {
		if a[0].Services[i].Kernel != b[0].Services[i].Kernel {
			t.Fatalf("service %d: %+v and %+v", i, a[0].Services[i].Kernel, b[0].Services[i].Kernel)
		}
	}
}

func TestARealServerGoesAndComesBack(t *testing.T) {
	var got []uint32
	for _, s := range read(t, 10*time.Second, 5*time.Second, 11*time.Second, 15*time.Second, 21*time.Second, 31*time.Second) {
		got = append(got, s.Services[0].Reals[0].Weight)
	}
	if diff := cmp.Diff([]uint32{100, 0, 0, 100, 0}, got); diff != "" {
		t.Errorf("weights (-want +got):\n%s", diff)
	}
}
