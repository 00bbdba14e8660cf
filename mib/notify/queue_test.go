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

func TestQueueWithoutTargetsRunsUntilItIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(Config{})
		q.Enqueue([]smi.Notification{number(0, "")})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin := time.Now()
		if err := q.Run(ctx); err != nil || time.Since(begin) != time.Minute || len(q.Stats()) != 0 {
			t.Errorf("%v after %v: %v", err, time.Since(begin), q.Stats())
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
