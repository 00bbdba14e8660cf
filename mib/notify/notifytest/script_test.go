package notifytest

import (
	"reflect"
	"testing"
	"time"
)

// TestFlappingIsConsistent goes through scripts again: no real server goes where it
// is or moves too soon, and the events are what the changes make.
func TestFlappingIsConsistent(t *testing.T) {
	for seed := range uint64(50) {
		s := Flapping(seed, 5, 4, time.Hour, time.Second)
		type real struct{ service, real int }
		state, moved := map[real]State{}, map[real]time.Duration{}
		up := map[int]int{0: 4, 1: 4, 2: 4, 3: 4, 4: 4}
		var events []Event
		for i, c := range s.Changes {
			r := real{c.Service, c.Real}
			if state[r] == c.State || state[r] == Down && c.State == Draining || c.At-moved[r] < hold*time.Second {
				t.Fatalf("seed %d: %+v after %v at %v", seed, c, state[r], moved[r])
			}
			if i > 0 && s.Changes[i-1].At > c.At || c.At > time.Hour || c.Real > 3 || c.At%time.Second != 0 {
				t.Fatalf("seed %d: %+v", seed, c)
			}
			events = append(events, Event{c.At, map[State]Kind{Up: RealUp, Draining: RealDraining, Down: RealDown}[c.State], c.Service, c.Real})
			was := up[c.Service]
			if state[r] == Up {
				up[c.Service]--
			} else if c.State == Up {
				up[c.Service]++
			}
			state[r], moved[r] = c.State, c.At
			switch is := up[c.Service]; {
			case is == 0 && was > 0:
				events = append(events, Event{c.At, ServiceDown, c.Service, -1})
			case is > 0 && was == 0:
				events = append(events, Event{c.At, ServiceUp, c.Service, -1})
			}
		}
		// Where several fail at once the service's event follows all of theirs.
		for i := range events {
			for j := i; events[j].Kind == ServiceDown && j+1 < len(events) && events[j+1].At == events[j].At; j++ {
				events[j], events[j+1] = events[j+1], events[j]
			}
		}
		if !reflect.DeepEqual(events, s.Events) {
			t.Fatalf("seed %d: the events do not follow from the changes", seed)
		}
	}
}

func TestFlappingHasEverything(t *testing.T) {
	s := Flapping(1, 5, 4, time.Hour, time.Second)
	kinds, atOnce := map[Kind]int{}, 0
	for i, e := range s.Events {
		kinds[e.Kind]++
		if i > 1 && s.Events[i-2].At == e.At {
			atOnce++
		}
	}
	for _, k := range []Kind{RealUp, RealDown, RealDraining, ServiceDown, ServiceUp} {
		if kinds[k] < 10 {
			t.Errorf("kind %d: %d events only", k, kinds[k])
		}
	}
	if atOnce < 5 || len(s.Events) < 1000 {
		t.Errorf("%d events, %d of them at once with others", len(s.Events), atOnce)
	}
	if again := Flapping(1, 5, 4, time.Hour, time.Second); !reflect.DeepEqual(again, s) {
		t.Error("the same script is another the second time")
	}
	if other := Flapping(2, 5, 4, time.Hour, time.Second); reflect.DeepEqual(other.Changes, s.Changes) {
		t.Error("another seed gives the same script")
	}
}
