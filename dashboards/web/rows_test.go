package web

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lvs/dataplane"
)

// rowsOf are those of services, as a page reads them.
func rowsOf(t *testing.T, table *Table, keys ...dataplane.ServiceKey) *Event {
	t.Helper()
	var e Event
	if err := json.Unmarshal(table.AppendRows(nil, keys), &e); err != nil {
		t.Fatal(err)
	}
	return &e
}

// Rows asked for say what those of a page do, be they in the table or gone from it.
func TestRowsAreWhole(t *testing.T) {
	table := NewTable(bereft(), nil, Agent{})
	var keys []dataplane.ServiceKey
	for i := range table.Groups {
		keys = append(keys, table.Groups[i].Service.Key)
	}
	e := rowsOf(t, table, append(keys, dataplane.MarkKey(dataplane.INET6, 9))...)
	reals := 0
	for row := range table.rows() {
		c, told := e.Rows[row.ID()]
		if told != (row.Real != nil) {
			t.Errorf("%s is told: %v", row.ID(), told)
		}
		if row.Real == nil {
			continue
		}
		reals++
		cells := row.Cells()
		for i := State; i < LastHour; i++ {
			if c.Cells[i] != cells[i] {
				t.Errorf("%s, column %d: %+v, want %+v", row.ID(), i, c.Cells[i], cells[i])
			}
		}
		if c.State != row.Status.String() || len(c.Cells) != int(LastHour-State) || cells[LastHour] != text("") {
			t.Errorf("%s: %+v", row.ID(), c)
		}
	}
	if len(e.Rows) != reals || reals < 6 || !e.Tick.Equal(epoch) {
		t.Errorf("%d rows of %s, want %d of %s", len(e.Rows), e.Tick, reals, epoch)
	}
	if e := rowsOf(t, table); len(e.Rows) != 0 {
		t.Errorf("nobody asked for %v", e.Rows)
	}
}

func FuzzCellJSON(f *testing.F) {
	f.Add("42", "of 43", "", int64(0), "M0 0h5v10h-5z;", "z")
	f.Add("", "a \"name\"\\\n\x00 \xff of – \u2028", "<b>", int64(-7), "", "")
	f.Fuzz(func(t *testing.T, text, soft, title string, at int64, draw, class string) {
		c := Cell{Text: text, Soft: soft, Title: title, At: at, Draw: draw, Class: class}
		want, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var as, is Cell
		if err := json.Unmarshal(want, &as); err != nil {
			t.Fatal(err)
		}
		got := c.appendJSON(nil)
		if err := json.Unmarshal(got, &is); err != nil || as != is || strings.ContainsAny(string(got), "\r\n") {
			t.Errorf("%s: %v (-want +got)\n%s", got, err, cmp.Diff(as, is))
		}
	})
}

// BenchmarkRows is what a page with every real server asks for at each sample.
func BenchmarkRows(b *testing.B) {
	table := NewTable(fleet(1000, 10), nil, Agent{})
	for _, n := range []int{8, 12, 20} {
		b.Run(fmt.Sprintf("services=%d", n), func(b *testing.B) {
			var keys []dataplane.ServiceKey
			for i := range n {
				keys = append(keys, table.Groups[7*i].Service.Key)
			}
			var text []byte
			for b.Loop() {
				text = table.AppendRows(text[:0], keys)
			}
			b.ReportMetric(float64(len(text)), "bytes")
		})
	}
}
