package web

import (
	"strconv"

	"lvs/dataplane"
)

// Cells are what the columns but the first say.
func (r *Row) Cells() (c [NumColumns]Cell) {
	for i := range c {
		c[i] = text("")
	}
	switch {
	case r.Gone:
		r.goneCells(&c)
	case r.Real == nil:
		r.serviceCells(&c)
	default:
		r.realCells(&c)
	}
	return c
}

func (r *Row) serviceCells(c *[NumColumns]Cell) {
	s := r.Service
	c[State] = text(r.Status.String())
	if n := len(s.Reals); n > 0 {
		c[State].Soft = strconv.Itoa(s.Available()) + " of " + strconv.Itoa(n)
		c[State].Title = c[State].Soft + " real servers are in service"
	}
	c[Since] = since(s.LastChange, s.Reason())
	c[Kind] = Cell{Text: s.Scheduler, Soft: s.Flags.Configured().String()}
	if s.Flags&dataplane.FlagPersistent != 0 {
		c[Kind].Soft += " " + seconds(s.Timeout)
	}
	active, inactive, _ := s.Connections()
	c[Weight], c[Active], c[Inactive] = number(r.Weights), number(active), number(inactive)
	r.counterCells(c, s.HasRates, &s.Rates, &s.Total)
	c[LastHour] = Cell{Title: "no history"}
	if r.Spark.Draw != "" {
		c[LastHour] = Cell{Title: r.Spark.Title, Draw: r.Spark.Draw}
	}
}

func (r *Row) realCells(c *[NumColumns]Cell) {
	s := r.Real
	c[State], c[Since], c[Kind] = text(r.Status.String()), since(s.LastChange, s.Reason()), text(s.Method.String())
	if s.Method == dataplane.Tunnel {
		c[Kind].Soft = s.Encap.Type.String()
	}
	known := !r.partial
	c[Weight], c[Expected], c[Actual] = number(uint64(s.Weight)), text(percent(r.Expected, r.ExpectedOf, 1)), r.actual(known)
	for _, i := range []Column{Expected, Actual} {
		if c[i].Text == "0.0 %" || c[i].Text == "0 %" {
			c[i].Class = faint
		}
	}
	c[Actual].Draw = drawShare(s.Recent, r.Recents, known && r.Recents >= fewest, r.Expected, r.ExpectedOf)
	c[Active], c[Inactive] = limited(s), number(uint64(s.Inactive))
	r.counterCells(c, s.HasRates, &s.Rates, &s.Total)
}

// A share is told of fewest new connections, and to a tenth of a per cent of enough.
const (
	fewest = 10
	enough = 1000
)

// actual is the share of the new connections of late.
func (r *Row) actual(known bool) Cell {
	digits := 0
	switch {
	case !known, r.Recents == 0:
		return text(unknown)
	case r.Recents < fewest:
		c := text(unknown)
		c.Title = "no share is told of fewer than " + strconv.Itoa(fewest) + " new connections"
		return c
	case r.Recents >= enough:
		digits = 1
	}
	return text(percent(r.Real.Recent, r.Recents, digits))
}

// goneCells are of what went from the table: since when, and what it had counted.
func (r *Row) goneCells(c *[NumColumns]Cell) {
	a := r.account()
	c[State], c[Since] = text(dataplane.Down.String()), since(a.LastSeen, dataplane.RemovedReason)
	for i := Kind; i <= OutTotal; i++ {
		c[i] = text(unknown)
	}
	if a.Total.IsZero() {
		return
	}
	c[ConnTotal], c[InTotal] = number(a.Total.Connections), octets(a.Total.InBytes)
	if a.Total.OutBytes > 0 { // else it may be that they passed by the director
		c[OutTotal] = octets(a.Total.OutBytes)
	}
}

// counterCells are rates and totals. Where replies bypass the director its outgoing
// side is not available rather than none.
func (r *Row) counterCells(c *[NumColumns]Cell, has bool, rates *dataplane.Rates, total *dataplane.Counters) {
	for i := ConnRate; i <= OutTotal; i++ {
		c[i] = text(unknown)
	}
	if has && !r.partial {
		c[ConnRate], c[InRate], c[OutRate] = number(rates.Connections), speed(rates.InBytes), speed(rates.OutBytes)
	}
	if !r.partial {
		c[ConnTotal], c[InTotal], c[OutTotal] = number(total.Connections), octets(total.InBytes), octets(total.OutBytes)
	}
	if r.bypass {
		c[OutRate], c[OutTotal] = text(notAvailable), text(notAvailable)
	}
}
