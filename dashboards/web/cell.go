package web

import (
	"fmt"
	"strconv"
	"time"

	"lvs/dataplane"
)

// A Cell is what a place of the page says: of a row, or of the figures above the
// table. Its JSON is what the script puts there.
type Cell struct {
	// Text is what is read; Soft is said beside it, less loudly.
	Text string `json:"t,omitempty"`
	Soft string `json:"s,omitempty"`
	// Title is for who points at it: the exact number where Text rounds.
	Title string `json:"h,omitempty"`
	// At stands for Text where that is how long ago it was, in seconds since 1970;
	// zero is none. What is said then depends on when it is looked at.
	At int64 `json:"at,omitempty"`
	// Draw are the outlines of the cell's picture, as the d of SVG paths, with
	// semicolons between them.
	Draw string `json:"d,omitempty"`
	// Class is a class of its style: faint or bad.
	Class string `json:"c,omitempty"`
}

// The classes of cells.
const (
	faint = "z" // nothing to look at: zero, or no value
	bad   = "bad"
)

// text is a cell that says no more than that.
func text(s string) Cell {
	c := Cell{Text: s}
	if s == "0" || s == unknown || s == notAvailable {
		c.Class = faint
	}
	return c
}

// number is a count.
func number(v uint64) Cell {
	c := text(compact(v))
	if v >= 100_000 {
		c.Title = strconv.FormatUint(v, 10)
	}
	return c
}

// octets is a total of bytes.
func octets(v uint64) Cell { return rounded(v, "B", " bytes") }

// speed is bytes per second.
func speed(v uint64) Cell { return rounded(v, "B/s", " bytes/s") }

// rounded is a number with its unit, which can be read exactly as well.
func rounded(v uint64, unit, words string) Cell {
	c := Cell{Text: quantity(v, unit)}
	switch {
	case v == 0:
		c.Class = faint
	case v >= 1000:
		c.Title = strconv.FormatUint(v, 10) + words
	}
	return c
}

// since is how long ago t was, and why.
func since(t time.Time, why string) Cell {
	if t.IsZero() {
		c := text(unknown)
		c.Soft = why
		return c
	}
	return Cell{At: t.Unix(), Soft: why}
}

// limited is a real server's active connections beside its upper threshold, which
// counts those that are inactive as well; zero is none.
func limited(r *dataplane.RealState) Cell {
	c := number(uint64(r.Active))
	if r.UpperThreshold > 0 {
		c.Soft, c.Class = "/ "+compact(uint64(r.UpperThreshold)), ""
		c.Title = fmt.Sprintf("%d active and %d inactive, no new ones from %d together", r.Active, r.Inactive, r.UpperThreshold)
	}
	return c
}
