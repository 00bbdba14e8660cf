package dataplane

import (
	"testing"
	"time"
)

// Real servers in each of the states.
var (
	upReal         = RealState{RealServer: RealServer{Weight: 1, UpperThreshold: 9}, Active: 3, Inactive: 4, Persistent: 1}
	overloadedReal = RealState{RealServer: RealServer{Weight: 1, UpperThreshold: 9}, Active: 4, Inactive: 5}
	drainingReal   = RealState{RealServer: RealServer{}, Inactive: 2}
	downReal       = RealState{RealServer: RealServer{}}
)

func TestServiceStatus(t *testing.T) {
	tests := []struct {
		name      string
		reals     []RealState
		want      Status
		available int
		reason    string
	}{
		{"none", nil, Down, 0, "it has no real server"},
		{"down", []RealState{downReal}, Down, 0, "every real server has weight 0"},
		{"draining", []RealState{downReal, drainingReal, downReal}, Draining, 0, "every real server has weight 0"},
		{"overloaded", []RealState{drainingReal, overloadedReal, downReal}, Overloaded, 1, "every real server in service is at its upper threshold"},
		{"up", []RealState{drainingReal, overloadedReal, upReal, downReal}, Up, 2, ""},
		{"up first", []RealState{upReal, overloadedReal}, Up, 2, ""},
	}
	for _, tt := range tests {
		s := ServiceState{Reals: tt.reals}
		if s.Status() != tt.want || s.Available() != tt.available || s.Reason() != tt.reason {
			t.Errorf("%s: %v, %d available, %q, want %v, %d, %q", tt.name, s.Status(), s.Available(), s.Reason(), tt.want, tt.available, tt.reason)
		}
	}
}

func TestRealServerReason(t *testing.T) {
	for _, tt := range []struct {
		real RealState
		want string
	}{
		{upReal, ""},
		{overloadedReal, "at its upper threshold of 9 connections"},
		{drainingReal, "weight is 0, connections are left"},
		{downReal, "weight is 0, no connection is left"},
	} {
		if got := tt.real.Reason(); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.real.Status(), got, tt.want)
		}
	}
}

// Sums do not overflow what the kernel tells in 32 bits.
func TestServiceSums(t *testing.T) {
	const most = 1<<32 - 1
	huge := RealState{RealServer: RealServer{Weight: most}, Active: most, Inactive: most, Persistent: most}
	s := ServiceState{Reals: []RealState{huge, upReal, huge}}
	active, inactive, persistent := s.Connections()
	if active != 2*most+3 || inactive != 2*most+4 || persistent != 2*most+1 || s.Weight() != 2*most+1 {
		t.Errorf("%d, %d, %d connections, weight %d", active, inactive, persistent, s.Weight())
	}
}

func TestStatusOrder(t *testing.T) {
	order := []Status{Down, Draining, Overloaded, Up}
	for i, a := range order {
		for j, b := range order {
			if got := a.Best(b); got != order[max(i, j)] {
				t.Errorf("%v.Best(%v) = %v", a, b, got)
			}
		}
		if want := a == Up || a == Overloaded; a.InService() != want {
			t.Errorf("%v in service: %v", a, !want)
		}
	}
	if len(order) != int(NumStatus) {
		t.Errorf("%d states are ordered of %d", len(order), NumStatus)
	}
	if NumStatus.String() != "unknown" || Overloaded.String() != "overloaded" {
		t.Errorf("%v %v", NumStatus, Overloaded)
	}
}

func TestExpectedShare(t *testing.T) {
	for _, tt := range []struct {
		scheduler string
		weights   []uint32
		want      [][2]uint64
	}{
		{"wrr", []uint32{9, 1, 0}, [][2]uint64{{9, 10}, {1, 10}, {0, 10}}},
		{"wlc", []uint32{1<<32 - 1, 1<<32 - 1}, [][2]uint64{{1<<32 - 1, 1<<33 - 2}, {1<<32 - 1, 1<<33 - 2}}},
		{"rr", []uint32{9, 1, 0}, [][2]uint64{{1, 2}, {1, 2}, {0, 2}}},
		{"lc", []uint32{9, 1, 0}, [][2]uint64{{1, 2}, {1, 2}, {0, 2}}},
		{"dh", []uint32{9, 1, 0}, [][2]uint64{{1, 2}, {1, 2}, {0, 2}}},
		{"sh", []uint32{9, 1, 0}, [][2]uint64{{9, 10}, {1, 10}, {0, 10}}},
		{"rr", []uint32{0, 0}, [][2]uint64{{}, {}}},
		{"wrr", []uint32{0}, [][2]uint64{{}}},
		{"", []uint32{3}, [][2]uint64{{3, 3}}}, // a source that does not tell the scheduler
	} {
		s := ServiceState{Service: Service{Scheduler: tt.scheduler}}
		for _, w := range tt.weights {
			s.Reals = append(s.Reals, RealState{RealServer: RealServer{Weight: w}})
		}
		for i, want := range tt.want {
			if part, whole := s.ExpectedShare(&s.Reals[i]); part != want[0] || whole != want[1] {
				t.Errorf("%s %v: real server %d is to get %d of %d, want %d of %d", tt.scheduler, tt.weights, i, part, whole, want[0], want[1])
			}
		}
	}
}

func TestDiscontinuity(t *testing.T) {
	first := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		account Account
		want    time.Time
	}{
		{Account{}, time.Time{}},
		{Account{FirstSeen: first}, first},
		{Account{FirstSeen: first, LastReset: first.Add(time.Hour)}, first.Add(time.Hour)},
		{Account{FirstSeen: first, LastReset: first.Add(-time.Hour)}, first}, // the clock was set
	} {
		if got := tt.account.Discontinuity(); !got.Equal(tt.want) {
			t.Errorf("began %v, reset %v: %v, want %v", tt.account.FirstSeen, tt.account.LastReset, got, tt.want)
		}
	}
}
