package exporter

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"time"

	"lvs/dataplane"
	"lvs/rrdstore"
)

// csvHeader names the columns of -o csv. Programs rely on their names and order.
const csvHeader = "time,service,real,connections,in_packets,out_packets,in_bytes,out_bytes,active,inactive,persistent,weight\n"

// A fetch is the command fetch.
type fetch struct {
	dir, start, end, format string
	reals                   bool
	keys                    []string

	now            time.Time
	stdout, stderr io.Writer
}

func (f *fetch) run(ctx context.Context) error {
	start, err := parseTime(f.start, f.now)
	if err != nil {
		return usageError{fmt.Errorf("--start: %w", err)}
	}
	end, err := parseTime(f.end, f.now)
	if err != nil {
		return usageError{fmt.Errorf("--end: %w", err)}
	}
	if end.Before(start) {
		return usageError{fmt.Errorf("--end %s is before --start %s", end.Format(time.RFC3339), start.Format(time.RFC3339))}
	}
	r, err := rrdstore.OpenReader(ctx, f.dir)
	if err != nil {
		return err
	}
	sel, err := newSelection(f.keys, f.reals, r.Series())
	if err != nil {
		return err
	}
	w := &csvWriter{out: bufio.NewWriterSize(f.stdout, 64<<10), labels: make(map[*rrdstore.Series]string)}
	w.out.WriteString(csvHeader)
	for row, err := range r.Rows(ctx, start, end, sel.want) {
		if err != nil {
			w.out.Flush() // what came is good
			return err
		}
		if err := w.row(row, sel.director); err != nil {
			return fmt.Errorf("write csv: %w", err)
		}
	}
	if err := w.out.Flush(); err != nil {
		return fmt.Errorf("write csv: %w", err)
	}
	if n := r.Damaged(); n > 0 {
		fmt.Fprintf(f.stderr, "lvs-exporter: %d damaged records were left out\n", n)
	}
	return nil
}

// A csvWriter prints rows.
type csvWriter struct {
	out    *bufio.Writer
	labels map[*rrdstore.Series]string // ",service,real", which never need quotes
	time   []byte
	line   []byte
}

func (w *csvWriter) row(row *rrdstore.Row, director bool) (err error) {
	w.time = row.Tick.UTC().AppendFormat(w.time[:0], time.RFC3339)
	if director {
		w.begin("," + directorKey + ",")
		w.counters(row.Total, row.HasStats)
		if row.HasConnections {
			w.line = strconv.AppendUint(append(w.line, ','), row.Connections, 10)
			w.line = append(w.line, ",,,\n"...)
		} else {
			w.line = append(w.line, ",,,,\n"...)
		}
		_, err = w.out.Write(w.line)
	}
	for i := range row.Entries {
		e := &row.Entries[i]
		w.begin(w.label(e.Series))
		w.counters(e.Total, !row.Partial)
		for _, v := range [...]uint64{e.Active, e.Inactive, e.Persistent, e.Weight} {
			w.line = strconv.AppendUint(append(w.line, ','), v, 10)
		}
		w.line = append(w.line, '\n')
		_, err = w.out.Write(w.line)
	}
	return err // a bufio.Writer keeps its first error
}

func (w *csvWriter) begin(label string) {
	w.line = append(append(w.line[:0], w.time...), label...)
}

func (w *csvWriter) counters(c dataplane.Counters, known bool) {
	if !known {
		w.line = append(w.line, ",,,,,"...)
		return
	}
	for _, v := range [...]uint64{c.Connections, c.InPackets, c.OutPackets, c.InBytes, c.OutBytes} {
		w.line = strconv.AppendUint(append(w.line, ','), v, 10)
	}
}

func (w *csvWriter) label(s *rrdstore.Series) string {
	label, ok := w.labels[s]
	if !ok {
		label = "," + s.Key.String() + ","
		if s.RIP != (netip.AddrPort{}) {
			label += s.RIP.String()
		}
		w.labels[s] = label
	}
	return label
}
