package notify

import (
	"context"
	"log/slog"
	"time"

	"lvs/mib/smi"
)

// A Target takes notifications.
type Target interface {
	// Notify delivers n, or says why not: an error that is [ErrLater] keeps n for
	// another try, one that is [ErrUnknown] gives it up because it may have
	// arrived, and any other gives it up because it never will. It returns soon
	// when ctx is done. A Queue calls it for one notification at a time.
	Notify(ctx context.Context, n smi.Notification) error
}

// A Config says who is notified, and how much.
type Config struct {
	// Targets by the names they have in logs and Stats. Each has its own queue:
	// none waits for another.
	Targets map[string]Target
	// Rate is how many notifications a target is sent in a second on average, and
	// Burst how many at once. Tries that fail count. Zero is 20 and 200; a
	// negative Rate is no limit.
	Rate  float64
	Burst int
	// Limit is how many may wait for a target. One more drops the oldest. Above a
	// quarter of it, one that comes takes the place of all that wait about the
	// same subject. Zero is 1024.
	Limit int
	// MaxAge is how long one may wait. Zero is an hour.
	MaxAge time.Duration
	// RetryMin is how long a target that is away is left alone at first; the
	// delay doubles up to RetryMax. Zero is 250 ms and 10 s.
	RetryMin, RetryMax time.Duration
	// Grace is how long what waits is still tried when the Queue is stopped. Zero
	// is 2 s.
	Grace time.Duration
	// Logger is told when a target is lost and back, and what is lost. Nil
	// discards.
	Logger *slog.Logger
}

// orDefault is v, or its default where it is zero.
func orDefault[T comparable](v, other T) T {
	var zero T
	if v == zero {
		return other
	}
	return v
}

func (c Config) withDefaults() Config {
	c.Rate = orDefault(c.Rate, 20)
	c.Burst = orDefault(c.Burst, 200)
	c.Limit = orDefault(c.Limit, 1024)
	c.MaxAge = orDefault(c.MaxAge, time.Hour)
	c.RetryMin = orDefault(c.RetryMin, 250*time.Millisecond)
	c.RetryMax = orDefault(c.RetryMax, 10*time.Second)
	c.Grace = orDefault(c.Grace, 2*time.Second)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}
