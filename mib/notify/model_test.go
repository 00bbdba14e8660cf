package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lvs/mib/smi"
)

// textLogger logs without times.
func textLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// A model says what a Queue of one target has to do, in the plainest words: a
// list, gone through from its beginning. It follows the target's tries, each of
// which has to be of what the model has first.
type model struct {
	mu     sync.Mutex // for the race detector: its methods are never called at once
	limit  int
	age    time.Duration
	off    bool
	list   []waiting
	flying bool
	stats  Stats
}

type waiting struct {
	number  int
	subject string
	came    time.Time
}

// drop removes from the list what gone says, but not the first while it is
// under way.
func (m *model) drop(gone func(i int, w waiting) bool) (n uint64) {
	var kept []waiting
	for i, w := range m.list {
		if !(i == 0 && m.flying) && gone(i, w) {
			n++
			continue
		}
		kept = append(kept, w)
	}
	m.list = kept
	return n
}

func (m *model) expire() {
	if !m.flying {
		m.stats.Aged += m.drop(func(_ int, w waiting) bool { return time.Since(w.came) > m.age })
	}
}

func (m *model) enqueue(number int, subject string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stats.Enqueued++
	if m.off {
		m.stats.Suppressed++
		return
	}
	m.expire()
	if len(m.list) > m.limit/4 && subject != "" {
		m.stats.Coalesced += m.drop(func(_ int, w waiting) bool { return w.subject == subject })
	}
	m.list = append(m.list, waiting{number, subject, time.Now()})
	if len(m.list) > m.limit {
		oldest := 0
		if m.flying {
			oldest = 1
		}
		m.stats.Full += m.drop(func(i int, _ waiting) bool { return i == oldest })
	}
}

func (m *model) enable(on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.off = !on; m.off {
		m.expire()
		m.stats.Suppressed += m.drop(func(int, waiting) bool { return true })
	}
}

// begin is a try of a notification.
func (m *model) begin(number int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire()
	if len(m.list) == 0 || m.list[0].number != number {
		return fmt.Errorf("notification %d was tried, which is not first in %v", number, m.list)
	}
	m.flying = true
	return nil
}

// end is its end.
func (m *model) end(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.flying = false
	switch {
	case err == nil:
		m.stats.Sent++
	case errors.Is(err, ErrLater) && m.off:
		m.stats.Suppressed++
	case errors.Is(err, ErrLater):
		m.stats.Retries++
		return
	case errors.Is(err, ErrUnknown):
		m.stats.Unknown++
	default:
		m.stats.Refused++
	}
	m.list = m.list[1:]
}

// A modelled target does what chance says and has the model follow. What the test
// does and what happens here never happen at once: the test waits until all else
// is blocked.
type modelled struct {
	t      *testing.T
	r      *rand.Rand
	m      *model
	tries  []time.Time
	taken  []int
	mood   error         // what it answers most of the time
	moodIn time.Time     // when it changes
	calm   time.Duration // how long a mood lasts at most
}

func (d *modelled) Notify(ctx context.Context, n smi.Notification) error {
	d.tries = append(d.tries, time.Now())
	if err := d.m.begin(numberOf(n)); err != nil {
		d.t.Error(err)
	}
	if d.r.IntN(3) == 0 {
		time.Sleep(time.Duration(d.r.IntN(2000)) * time.Millisecond)
	}
	if time.Now().After(d.moodIn) {
		d.mood = []error{nil, nil, ErrLater, ErrUnknown, errors.New("refused")}[d.r.IntN(5)]
		d.moodIn = time.Now().Add(time.Duration(d.r.Int64N(int64(d.calm))))
	}
	if d.mood == nil {
		d.taken = append(d.taken, numberOf(n))
	}
	d.m.end(d.mood)
	return d.mood
}

func TestQueueDoesWhatTheModelSays(t *testing.T) {
	var all Stats
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			s := followModel(t, seed)
			all.Sent, all.Coalesced, all.Full, all.Aged = all.Sent+s.Sent, all.Coalesced+s.Coalesced, all.Full+s.Full, all.Aged+s.Aged
			all.Refused, all.Unknown, all.Suppressed, all.Retries = all.Refused+s.Refused, all.Unknown+s.Unknown, all.Suppressed+s.Suppressed, all.Retries+s.Retries
		})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	for name, n := range map[string]uint64{"sent": all.Sent, "coalesced": all.Coalesced, "full": all.Full, "aged": all.Aged,
		"refused": all.Refused, "unknown": all.Unknown, "suppressed": all.Suppressed, "retries": all.Retries} {
		if n < 1000 {
			t.Errorf("%s happened %d times only", name, n)
		}
	}
}

// followModel runs one random life of a Queue against the model.
func followModel(t *testing.T, seed uint64) Stats {
	r := rand.New(rand.NewPCG(seed, 1))
	m := &model{limit: 1 + r.IntN(60), age: time.Duration(1+r.IntN(120)) * time.Second}
	d := &modelled{t: t, r: rand.New(rand.NewPCG(seed, 2)), m: m, calm: time.Duration(1+r.IntN(200)) * time.Second}
	rate, burst := float64(1+r.IntN(10)), 1+r.IntN(20)
	q, stop := running(t, Config{Targets: map[string]Target{"m": d}, Rate: rate, Burst: burst, Limit: m.limit, MaxAge: m.age})
	last := 0
	for range 300 {
		time.Sleep(time.Duration(r.IntN(3000))*time.Millisecond + 1)
		synctest.Wait()
		if r.IntN(40) == 0 {
			on := r.IntN(3) > 0
			m.enable(on)
			q.SetEnabled(on)
		}
		for range r.IntN(6) {
			subject := []string{"", "a", "b", "c", "d", "e"}[r.IntN(6)]
			m.enqueue(last, subject) // first: the target may be asked at once
			q.Enqueue([]smi.Notification{number(last, subject)})
			last++
			synctest.Wait()
		}
	}
	stop()
	got := q.Stats()["m"]
	balanced(t, got)
	want := m.stats // what is left was too old, or was not reached
	want.Aged, got.Aged, got.Stopped = want.Aged+uint64(len(m.list)), got.Aged+got.Stopped, 0
	got.LastSent, got.LastError, got.LastFailure = time.Time{}, nil, time.Time{}
	if got != want {
		t.Errorf("the queue says %+v, the model %+v", got, want)
	}
	if !slices.IsSorted(d.taken) || len(slices.Compact(slices.Clone(d.taken))) != len(d.taken) {
		t.Errorf("taken out of order or twice: %v", d.taken)
	}
	// The rate: of any burst+1 tries the last is at least an interval after the first.
	for i := burst; i < len(d.tries); i++ {
		if span := d.tries[i].Sub(d.tries[i-burst]); span < time.Duration(float64(time.Second)/rate) {
			t.Errorf("%d tries within %v", burst+1, span)
		}
	}
	return got
}
