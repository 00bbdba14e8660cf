package web

import (
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"lvs/dataplane"
)

// AppendRows writes what the real servers of services say now, for pages that show
// those which events leave out: an object of the table's tick and, by ID, of rows as
// in an [Event], each with all of its cells. A service that is not in the table, nor
// went from it, has none. It is written by hand, as pages ask for it all the time.
func (t *Table) AppendRows(b []byte, keys []dataplane.ServiceKey) []byte {
	b = t.Tick.AppendFormat(append(b, `{"tick":"`...), time.RFC3339Nano)
	b = append(b, `","rows":{`...)
	first := len(b)
	for _, key := range keys {
		g := t.groups[key]
		if g == nil {
			continue
		}
		for i := range g.Reals {
			if len(b) > first {
				b = append(b, ',')
			}
			b = g.Reals[i].appendJSON(b)
		}
	}
	return append(b, "}}\n"...)
}

// appendJSON writes the ID of a real server's row and the row.
func (r *Row) appendJSON(b []byte) []byte {
	b = append(appendText(b, r.ID()), `:{"state":`...)
	b = append(appendText(b, r.Status.String()), `,"cells":{`...)
	cells := r.Cells()
	for i := State; i < LastHour; i++ { // real servers have no last hour
		if i > State {
			b = append(b, ',')
		}
		b = append(strconv.AppendInt(append(b, '"'), int64(i), 10), `":`...)
		b = cells[i].appendJSON(b)
	}
	return append(b, "}}"...)
}

// appendJSON writes the cell as encoding/json does.
func (c *Cell) appendJSON(b []byte) []byte {
	b = append(b, '{')
	field := func(name, value string) {
		if value == "" {
			return
		}
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = appendText(append(append(append(b, '"'), name...), `":`...), value)
	}
	field("t", c.Text)
	field("s", c.Soft)
	field("h", c.Title)
	if c.At != 0 {
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = strconv.AppendInt(append(b, `"at":`...), c.At, 10)
	}
	field("d", c.Draw)
	field("c", c.Class)
	return append(b, '}')
}

// appendText writes a JSON string (RFC 8259, section 7).
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == '"' || s[i] == '\\' || s[i] >= utf8.RuneSelf && !utf8.ValidString(s) {
			quoted, _ := json.Marshal(s) // a string has a form
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
