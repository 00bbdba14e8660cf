package agent

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"lvs/dashboards/web"
	"lvs/dataplane"
	"lvs/rrdstore"
)

// Sparklines are of an hour in minutes, and so are read once a minute however many
// look.
const (
	sparkSpan = time.Hour
	sparkStep = time.Minute
	// sparkWait is how long a page waits for them, and is shown those of before, or
	// none, where it takes longer.
	sparkWait = 300 * time.Millisecond
	// sparkAge is how old those of before may be.
	sparkAge = 3 * time.Minute
	// sparkLimit is how long reading them may take.
	sparkLimit = 30 * time.Second
)

// sparks are the last hour of the director, by the zero key, and of every service,
// kept for a minute. They are read when
// somebody looks, by one reader at a time.
type sparks struct {
	open func(context.Context) (*rrdstore.Reader, error)
	log  *slog.Logger

	readers sync.WaitGroup
	stop    context.CancelFunc
	ctx     context.Context // ends when the agent stops

	mu      sync.Mutex
	read    time.Time     // when the latest reading began
	reading chan struct{} // closed when the one under way has ended; nil if none is
	paths   map[dataplane.ServiceKey]web.Spark
	until   time.Time // when paths end
}

func newSparks(open func(context.Context) (*rrdstore.Reader, error), log *slog.Logger) *sparks {
	s := &sparks{open: open, log: log}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// of returns the sparklines of the services in the history; nobody changes them.
func (s *sparks) of(ctx context.Context) map[dataplane.ServiceKey]web.Spark {
	s.mu.Lock()
	if s.reading == nil && s.ctx.Err() == nil && time.Since(s.read) >= sparkStep {
		s.read, s.reading = time.Now(), make(chan struct{})
		done := s.reading
		s.readers.Go(func() { s.refresh(done) })
	}
	wait := s.reading
	s.mu.Unlock()
	if wait != nil {
		timer := time.NewTimer(sparkWait)
		defer timer.Stop()
		select {
		case <-wait:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.until) > sparkAge {
		return nil // nobody looked for a while, and the reading takes long
	}
	return s.paths
}

// refresh reads the history. Where there is none, or it cannot be read, what was
// read before goes: better no line than an old one.
func (s *sparks) refresh(done chan struct{}) {
	ctx, cancel := context.WithTimeout(s.ctx, sparkLimit)
	defer cancel()
	now := time.Now()
	paths, err := s.fetch(ctx, now)
	if err != nil && s.ctx.Err() == nil {
		s.log.Debug("no sparklines", "err", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paths, s.until, s.reading = paths, now, nil
	close(done)
}

func (s *sparks) fetch(ctx context.Context, now time.Time) (map[dataplane.ServiceKey]web.Spark, error) {
	reader, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	q := rrdstore.Query{Sources: []string{"in_bytes", "out_bytes"}, Start: now.Add(-sparkSpan), End: now.Add(-sparkStep), Resolution: sparkStep}
	for _, series := range reader.Series() {
		if !series.RIP.IsValid() && (series.Last.IsZero() || series.Last.After(q.Start)) {
			q.Series = append(q.Series, series)
		}
	}
	if len(q.Series) == 0 {
		return nil, nil
	}
	result, err := reader.Fetch(ctx, q)
	if err != nil {
		return nil, err
	}
	paths := make(map[dataplane.ServiceKey]web.Spark, len(result.Columns))
	for i := 0; i+1 < len(result.Columns); i += len(q.Sources) {
		in, out := &result.Columns[i], &result.Columns[i+1]
		if in.Series.RepliesBypass {
			out = &rrdstore.Column{}
		}
		paths[in.Series.Key] = web.NewSpark(in.Values, out.Values)
	}
	return paths, nil
}

// close ends a reading under way and waits for it. No more begin.
func (s *sparks) close() {
	s.mu.Lock() // no reading begins between its check of ctx and the wait below
	s.stop()
	s.mu.Unlock()
	s.readers.Wait()
}
