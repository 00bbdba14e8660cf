package export

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"lvs/rrdstore"
)

// An archive is an <rra> while it is read.
type archive struct {
	function rrdstore.Function
	known    bool   // function is one
	cf       string // as it is called there
	per      int64  // data points in a row
	rows     int    // begun so far
	columns  [][]float64
	infinite int // values
}

// readArchive reads the <rra> it is in. It returns nothing for one that is left
// out.
func (d *Dump) readArchive() ([]rrdstore.Rows, error) {
	a := archive{columns: make([][]float64, len(d.Sources))}
	for {
		name, err := d.xml.child()
		if err != nil {
			return nil, err
		}
		switch name {
		case "cf":
			if a.cf, err = d.word(); err == nil {
				a.function, err = rrdstore.ParseFunction(a.cf)
				a.known, err = err == nil, nil
			}
		case "pdp_per_row":
			a.per, err = d.integer(1, maxStep)
		case "database":
			switch {
			case a.cf == "":
				err = errors.New("there is no <cf> before the rows")
			case a.known:
				err = d.readDatabase(&a)
			default:
				err = d.xml.skip()
			}
		case "":
			return d.rowsOf(&a)
		default: // parameters and state of what is to come
			err = d.xml.skip()
		}
		if err != nil {
			return nil, fmt.Errorf("archive %d: %w", d.archives, err)
		}
	}
}

func (d *Dump) readDatabase(a *archive) error {
	for {
		name, err := d.xml.child()
		if err != nil || name == "" {
			return err
		}
		if name != "row" {
			return fmt.Errorf("<%s> between the rows", name)
		}
		a.rows++
		if err := d.readRow(a); err != nil {
			return fmt.Errorf("row %d: %w", a.rows, err)
		}
	}
}

func (d *Dump) readRow(a *archive) error {
	for i := range a.columns {
		switch name, err := d.xml.child(); {
		case err != nil:
			return err
		case name != "v":
			return fmt.Errorf("%d values, want %d", i, len(a.columns))
		}
		text, err := d.xml.content()
		if err != nil {
			return err
		}
		v, err := strconv.ParseFloat(string(text), 64)
		switch {
		case strings.EqualFold(string(text), "-nan"):
			v = nan
		case errors.Is(err, strconv.ErrRange) && !math.IsInf(v, 0): // too small to tell from zero
		case err != nil && !errors.Is(err, strconv.ErrRange):
			return fmt.Errorf("%.40q is no number", text)
		case math.IsInf(v, 0):
			v = nan
			a.infinite++
		}
		if len(a.columns[i]) >= maxCells/len(a.columns) {
			return fmt.Errorf("the archive has more than %d values", maxCells)
		}
		a.columns[i] = append(a.columns[i], v)
	}
	switch name, err := d.xml.child(); {
	case err != nil:
		return err
	case name != "":
		return fmt.Errorf("more than %d values", len(a.columns))
	}
	return nil
}

// rowsOf gives the rows their times: the last one ends where the last row that
// was complete at the last update ended.
func (d *Dump) rowsOf(a *archive) ([]rrdstore.Rows, error) {
	switch {
	case a.cf == "":
		return nil, fmt.Errorf("archive %d: there is no <cf>", d.archives)
	case !a.known:
		d.warn("archive %d was left out: there is no consolidation function %.40s here", d.archives, a.cf)
		return nil, nil
	case a.per == 0:
		return nil, fmt.Errorf("archive %d: there is no <pdp_per_row>", d.archives)
	case a.per > math.MaxUint32/seconds(d.Step):
		return nil, fmt.Errorf("archive %d: %d data points of %v in a row", d.archives, a.per, d.Step)
	}
	if a.infinite > 0 {
		d.warn("archive %d: %d infinite values became unknown", d.archives, a.infinite)
	}
	step := a.per * seconds(d.Step)
	last := d.LastUpdate.Unix()
	start := last - last%step - int64(len(a.columns[0]))*step
	cut := int64(0)
	if start < 0 {
		cut = -start / step
	}
	var all []rrdstore.Rows
	for i, column := range a.columns {
		for _, v := range column[:cut] {
			if rrdstore.Known(v) {
				return nil, fmt.Errorf("archive %d: values before 1970; the last update is told as %v", d.archives, d.LastUpdate)
			}
		}
		all = append(all, rrdstore.Rows{
			Source: d.Sources[i].Source, Function: a.function,
			Start: time.Unix(start+cut*step, 0).UTC(), Step: time.Duration(step) * time.Second, Values: column[cut:],
		})
	}
	return all, nil
}
