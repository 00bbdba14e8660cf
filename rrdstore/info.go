package rrdstore

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Info is the extent of a store.
type Info struct {
	// Step is that of primary data points; Heartbeat, the longest interval between
	// two rows that says something.
	Step, Heartbeat time.Duration
	// Newest is the last tick, the zero Time if there is none.
	Newest time.Time
	// Levels are the rows as they came and the tiers, the finest first.
	Levels []LevelInfo
	Files  []FileInfo
	// Series is how many there are, and Present how many of them are in the table
	// as of the last tick; the director is neither.
	Series, Present int
}

// A LevelInfo is the extent of a level.
type LevelInfo struct {
	// Step is that of rows; zero: the rows as they came.
	Step time.Duration
	// Keep is how long rows are kept; zero: for as long as there is room.
	Keep time.Duration
	// First is when the oldest row begins and Last when the newest ends; both are
	// zero where there is none. From Stored on, rows are made of finer ones when
	// they are asked for.
	First, Last, Stored time.Time
	Windows             int // in the archive
	// Imported says that no rows come any more: imports brought them, or the
	// configuration has this step no longer.
	Imported bool
}

// A FileInfo is a file of a store.
type FileInfo struct {
	Name  string
	Bytes int64
}

// Info tells the extent of the store.
func (r *Reader) Info(ctx context.Context) (Info, error) {
	if err := r.Refresh(ctx); err != nil {
		return Info{}, err
	}
	st, err := r.src.state(ctx)
	if err != nil {
		return Info{}, fmt.Errorf("read extent: %w", err)
	}
	info := Info{
		Step: time.Duration(st.step) * time.Second, Heartbeat: time.Duration(st.beat) * time.Second, Newest: tickTime(st.newest),
	}
	if len(st.levels) == 0 {
		st.levels = []*level{{fed: true}}
	}
	for _, l := range st.levels {
		info.Levels = append(info.Levels, st.info(l))
	}
	for _, name := range []string{headName, archName} {
		if fi, err := os.Stat(filepath.Join(r.path, name)); err == nil {
			info.Files = append(info.Files, FileInfo{name, fi.Size()})
		}
	}
	for _, s := range r.series {
		if !s.IsDirector() {
			info.Series++
			info.Present += btoi(s.Last.IsZero())
		}
	}
	return info, nil
}

func (st *storeState) info(l *level) LevelInfo {
	li := LevelInfo{
		Step: time.Duration(l.step) * time.Second, Keep: time.Duration(l.keep) * time.Second,
		Windows: len(st.windows[l.step]), Stored: tickTime(l.frontier), Imported: !l.fed,
	}
	if w := st.windows[l.step]; len(w) > 0 {
		li.First, li.Last = tickTime(w[0]), tickTime(addTick(w[len(w)-1], l.span))
	} else if l.step == 0 && st.oldest != 0 {
		li.First = tickTime(st.oldest)
	}
	if l.fed && !li.First.IsZero() {
		li.Last = tickTime(st.newest)
	}
	return li
}

// tickTime is the time of a tick, the zero Time for 0.
func tickTime(t uint32) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.Unix(int64(t), 0).UTC()
}
