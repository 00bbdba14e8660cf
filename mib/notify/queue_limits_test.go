package notify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lvs/mib/smi"
)

func TestQueueCoalescesAboveAQuarter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(func(i int, at time.Duration) error {
			if at < time.Hour/2 {
				return ErrLater
			}
			return nil
		})
		c := one(f)
		c.Limit = 40
		q, _ := running(t, c)
		enqueue := func(from, to int, subject func(i int) string) {
			for i := from; i < to; i++ {
				q.Enqueue([]smi.Notification{number(i, subject(i))})
			}
		}
		even := func(i int) string { return fmt.Sprint("subject ", i%2) }
		enqueue(0, 11, even)
		if s := q.Stats()["m"]; s.Coalesced != 0 || s.Waiting != 11 {
			t.Errorf("a quarter and one that came: %+v", s)
		}
		enqueue(11, 12, even) // instead of 1, 3, 5, 7, 9
		if s := q.Stats()["m"]; s.Coalesced != 5 || s.Waiting != 7 {
			t.Errorf("above a quarter: %+v", s)
		}
		enqueue(12, 20, func(int) string { return "" }) // never coalesced
		enqueue(20, 21, even)                           // instead of 0, 2, ... 10
		time.Sleep(time.Hour)
		if got, want := f.taken(), upTo(11, 21); !slices.Equal(got, want) {
			t.Errorf("taken %v, want %v", got, want)
		}
		balanced(t, q.Stats()["m"])
	})
}

func TestQueueDropsTheOldestAtItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		f := newFake(func(i int, at time.Duration) error {
			time.Sleep(time.Second) // under way meanwhile
			return nil
		})
		c := one(f)
		c.Limit, c.Logger = 5, textLogger(&log)
		q, _ := running(t, c)
		q.Enqueue([]smi.Notification{number(0, "")})
		synctest.Wait()
		for i := 1; i < 20; i++ {
			q.Enqueue([]smi.Notification{number(i, "")})
		}
		time.Sleep(time.Minute)
		if got, want := f.taken(), []int{0, 16, 17, 18, 19}; !slices.Equal(got, want) {
			t.Errorf("taken %v, want %v: the one under way stays", got, want)
		}
		s := q.Stats()["m"]
		balanced(t, s)
		if s.Full != 15 || strings.Count(log.String(), "too many") != 1 {
			t.Errorf("%+v\n%s", s, log.String())
		}
	})
}

func TestQueueDropsWhatIsTooOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(func(i int, at time.Duration) error {
			if at < 90*time.Minute {
				return ErrLater
			}
			return nil
		})
		q, _ := running(t, one(f))
		for i := range 12 {
			q.Enqueue([]smi.Notification{number(i, "same")})
			time.Sleep(10 * time.Minute)
		}
		if got, want := f.taken(), upTo(4, 12); !slices.Equal(got, want) {
			t.Errorf("taken %v, want %v: those of the last hour", got, want)
		}
		s := q.Stats()["m"]
		balanced(t, s)
		if s.Aged != 4 {
			t.Errorf("%+v", s)
		}
	})
}

func TestQueueTargetsDoNotWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead := newFake(func(int, time.Duration) error { time.Sleep(time.Hour); return ErrLater })
		good := newFake(nil)
		q, _ := running(t, Config{Targets: map[string]Target{"dead": dead, "good": good}})
		for i := range 10 {
			q.Enqueue([]smi.Notification{number(i, "")})
		}
		synctest.Wait()
		if got := good.taken(); !slices.Equal(got, upTo(0, 10)) {
			t.Errorf("taken %v", got)
		}
		if s := q.Stats(); s["dead"].Waiting != 10 || s["good"].Waiting != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestQueueSwitchedOffSendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(func(i int, at time.Duration) error {
			if at < time.Second {
				time.Sleep(500 * time.Millisecond)
				return ErrLater
			}
			return nil
		})
		q, _ := running(t, one(f))
		q.Enqueue([]smi.Notification{number(0, ""), number(1, "")})
		synctest.Wait() // number 0 is under way
		q.SetEnabled(false)
		q.Enqueue([]smi.Notification{number(2, "")})
		time.Sleep(2 * time.Second)
		if s := q.Stats()["m"]; q.Enabled() || s.Suppressed != 3 || s.Waiting != 0 {
			t.Errorf("switched off: %+v", s)
		}
		q.SetEnabled(true)
		q.Enqueue([]smi.Notification{number(3, "")})
		time.Sleep(time.Second)
		if got := f.taken(); !q.Enabled() || !slices.Equal(got, []int{3}) {
			t.Errorf("taken %v", got)
		}
		balanced(t, q.Stats()["m"])
	})
}

func TestQueueTriesWhatWaitsAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(func(i int, at time.Duration) error {
			if at < time.Minute {
				return ErrLater
			}
			time.Sleep(300 * time.Millisecond)
			return nil
		})
		var log strings.Builder
		c := one(f)
		c.Logger = textLogger(&log)
		q, stop := running(t, c)
		for i := range 10 {
			q.Enqueue([]smi.Notification{number(i, "")})
		}
		time.Sleep(time.Minute) // the next try is seconds away
		begin := time.Now()
		stop()
		if d := time.Since(begin); d != 2100*time.Millisecond {
			t.Errorf("it took %v: two seconds, and what was under way", d)
		}
		q.Enqueue([]smi.Notification{number(10, "")})
		s := q.Stats()["m"]
		balanced(t, s)
		if got := f.taken(); !slices.Equal(got, upTo(0, 7)) || s.Stopped != 4 {
			t.Errorf("taken %v: %+v", got, s)
		}
		if n := strings.Count(log.String(), "before the end\" target=m dropped=3"); n != 1 {
			t.Errorf("logged\n%s", log.String())
		}
	})
}

func TestQueueEndsInTimeWhenATargetHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(Config{Targets: map[string]Target{"m": hanging{}}})
		ctx, cancel := context.WithCancel(t.Context())
		q.Enqueue([]smi.Notification{number(0, ""), number(1, "")})
		begin := time.Now()
		time.AfterFunc(time.Minute, cancel)
		if err := q.Run(ctx); err != nil {
			t.Error(err)
		}
		if d := time.Since(begin); d != 62*time.Second {
			t.Errorf("it ended after %v", d)
		}
		s := q.Stats()["m"]
		balanced(t, s)
		if s.Stopped != 2 {
			t.Errorf("%+v", s)
		}
	})
}

// hanging is a target that never answers.
type hanging struct{}

func (hanging) Notify(ctx context.Context, _ smi.Notification) error {
	<-ctx.Done()
	return ctx.Err()
}
