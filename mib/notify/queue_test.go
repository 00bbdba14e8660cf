package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lvs/mib/smi"
)

// number makes the i-th notification of a test, about a subject.
func number(i int, subject string) smi.Notification {
	return smi.Notification{OID: smi.OID{1, 3, uint32(i)}, Time: time.Now(), Subject: subject}
}

func numberOf(n smi.Notification) int { return int(n.OID[2]) }

// A try is one call of a fake target.
type try struct {
	number int
	at     time.Duration // since the target was made
	err    error
}

// A fake is a target that answers as it is told and notes what it was asked.
type fake struct {
	start  time.Time
	answer func(number int, at time.Duration) error

	mu    sync.Mutex
	tries []try
}

// newFake makes a target; a nil answer takes everything.
func newFake(answer func(number int, at time.Duration) error) *fake {
	if answer == nil {
		answer = func(int, time.Duration) error { return nil }
	}
	return &fake{start: time.Now(), answer: answer}
}

func (f *fake) Notify(ctx context.Context, n smi.Notification) error {
	t := try{number: numberOf(n), at: time.Since(f.start)}
	t.err = f.answer(t.number, t.at)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tries = append(f.tries, t)
	return t.err
}

// all are the tries so far.
func (f *fake) all() []try {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.tries)
}

// taken are the numbers that the target took, in order.
func (f *fake) taken() (all []int) {
	for _, t := range f.all() {
		if t.err == nil {
			all = append(all, t.number)
		}
	}
	return all
}

// running runs a Queue until stop is called, which returns when Run has.
func running(t *testing.T, c Config) (q *Queue, stop func()) {
	t.Helper()
	q = New(c)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := q.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	stop = func() { cancel(); wg.Wait() }
	t.Cleanup(stop)
	return q, stop
}

// one is the configuration of a single target called "m".
func one(f *fake) Config { return Config{Targets: map[string]Target{"m": f}} }

// upTo are the numbers from, from+1, ... to-1.
func upTo(from, to int) (all []int) {
	for i := from; i < to; i++ {
		all = append(all, i)
	}
	return all
}

// balanced checks that everything is counted exactly once.
func balanced(t *testing.T, s Stats) {
	t.Helper()
	sum := s.Sent + s.Coalesced + s.Full + s.Aged + s.Refused + s.Unknown + s.Suppressed + s.Stopped + uint64(s.Waiting)
	if sum != s.Enqueued {
		t.Errorf("%d of %d are accounted for: %+v", sum, s.Enqueued, s)
	}
}

func TestQueueKeepsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(nil)
		q, _ := running(t, one(f))
		for i := range 100 {
			q.Enqueue([]smi.Notification{number(2*i, "a"), number(2*i+1, "a")})
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		if got := f.taken(); !slices.Equal(got, upTo(0, 200)) {
			t.Errorf("taken %v", got)
		}
		s := q.Stats()["m"]
		balanced(t, s)
		if s.Sent != 200 || s.Waiting != 0 || s.LastSent.IsZero() || s.LastError != nil || s.Dropped() != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestQueueLimitsTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(nil)
		c := one(f)
		c.Rate, c.Burst = 4, 10
		q, _ := running(t, c)
		for i := range 50 {
			q.Enqueue([]smi.Notification{number(i, "")})
		}
		time.Sleep(11 * time.Second)
		for i, try := range f.all() {
			if want := max(0, time.Duration(i-9)*250*time.Millisecond); try.at != want {
				t.Fatalf("number %d went at %v, want %v", i, try.at, want)
			}
		}
		if len(f.all()) != 50 {
			t.Errorf("%d were sent", len(f.all()))
		}
	})
}

func TestQueueHasNoRateWhenItIsNegative(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(nil)
		c := one(f)
		c.Rate = -1
		q, _ := running(t, c)
		for i := range 1000 {
			q.Enqueue([]smi.Notification{number(i, "")})
		}
		synctest.Wait()
		if len(f.all()) != 1000 {
			t.Errorf("%d were sent at once", len(f.all()))
		}
	})
}

func TestQueueWaitsForATargetThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		f := newFake(func(i int, at time.Duration) error {
			if at < 3*time.Second {
				return fmt.Errorf("no session: %w", ErrLater)
			}
			return nil
		})
		c := one(f)
		c.Logger = textLogger(&log)
		q, _ := running(t, c)
		var batch []smi.Notification
		for i := range 200 {
			batch = append(batch, number(i, ""))
		}
		q.Enqueue(batch)
		time.Sleep(time.Minute)
		if got := f.taken(); !slices.Equal(got, upTo(0, 200)) {
			t.Errorf("taken %v", got)
		}
		var at []time.Duration
		for _, try := range f.all()[:6] {
			at = append(at, try.at)
		}
		ms := time.Millisecond
		if want := []time.Duration{0, 250 * ms, 750 * ms, 1750 * ms, 3750 * ms, 3750 * ms}; !slices.Equal(at, want) {
			t.Errorf("tried at %v, want %v", at, want)
		}
		s := q.Stats()["m"]
		balanced(t, s)
		if s.Retries != 4 || !errors.Is(s.LastError, ErrLater) || !s.LastFailure.Equal(f.start.Add(1750*ms)) {
			t.Errorf("%+v", s)
		}
		want := `level=WARN msg="notifications wait" target=m waiting=200 err="no session: not now"
level=INFO msg="notifications are delivered again" target=m waiting=199
`
		if log.String() != want {
			t.Errorf("logged\n%swant\n%s", log.String(), want)
		}
	})
}

func TestQueueGivesUpWhatNeverArrivesAndWhatMayHaveArrived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		f := newFake(func(i int, at time.Duration) error {
			switch {
			case i == 3 || i == 4:
				return errors.New("wrong password")
			case i == 6:
				return fmt.Errorf("cut off: %w", ErrUnknown)
			}
			return nil
		})
		c := one(f)
		c.Logger = textLogger(&log)
		q, _ := running(t, c)
		for i := range 9 {
			q.Enqueue([]smi.Notification{number(i, "same")})
		}
		synctest.Wait()
		if got := f.taken(); !slices.Equal(got, []int{0, 1, 2, 5, 7, 8}) || len(f.all()) != 9 {
			t.Errorf("taken %v in %d tries", got, len(f.all()))
		}
		s := q.Stats()["m"]
		balanced(t, s)
		if s.Refused != 2 || s.Unknown != 1 || s.Dropped() != 3 || s.Retries != 0 {
			t.Errorf("%+v", s)
		}
		if n := strings.Count(log.String(), "given up"); n != 2 {
			t.Errorf("%d lines for two kinds of failure:\n%s", n, log.String())
		}
	})
}

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
