package prom

import (
	"slices"
	"testing"

	"lvs/dataplane"
)

func TestEveryServiceHasALabelOfItsOwn(t *testing.T) {
	type service struct{ key, name string }
	tests := []struct {
		name     string
		services []service
		want     []string
	}{
		{"no names", []service{{"tcp/192.0.2.1:80", ""}, {"fwm4/1", ""}, {"fwm6/1", ""}}, []string{"tcp/192.0.2.1:80", "fwm4/1", "fwm6/1"}},
		{"names", []service{{"tcp/192.0.2.1:80", "a"}, {"fwm4/1", "b"}}, []string{"a", "b"}},
		{"twice the same", []service{{"tcp/192.0.2.1:80", "a"}, {"fwm4/1", "a"}, {"fwm6/1", "a"}}, []string{"a", "fwm4/1", "fwm6/1"}},
		{"its own key", []service{{"fwm4/1", "fwm4/1"}}, []string{"fwm4/1"}},
		{"keys exchanged", []service{{"fwm4/1", "fwm6/1"}, {"fwm6/1", "fwm4/1"}}, []string{"fwm4/1", "fwm6/1"}},
		{"the key of a later one with a name", []service{{"fwm4/1", "fwm6/1"}, {"fwm6/1", "a"}}, []string{"fwm4/1", "a"}},
		{"alike once made valid", []service{{"fwm4/1", "a\xff"}, {"fwm6/1", "a\xfe"}}, []string{"a\uFFFD", "fwm6/1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var all []dataplane.ServiceState
			for _, s := range tt.services {
				all = append(all, dataplane.ServiceState{Service: dataplane.Service{Key: key(s.key)}, Name: s.name})
			}
			n := newNamer(all)
			var got []string
			for i := range all {
				got = append(got, n.label(&all[i]))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("labels %q, want %q", got, tt.want)
			}
		})
	}
}
