//go:build lab

package e2e

import (
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// fetch is what lvs-exporter prints of a store's window, everything in it.
func fetch(t *testing.T, store string, start, end time.Time) (string, error) {
	t.Helper()
	return run(program(t, "LVS_EXPORTER", "lvs-exporter"), "fetch", "--store", store, "-o", "csv", "--real",
		"--start", start.UTC().Format(time.RFC3339), "--end", end.UTC().Format(time.RFC3339))
}

// csvColumns is the header that lvs-exporter promises.
const csvColumns = "time service real connections in_packets out_packets in_bytes out_bytes active inactive persistent weight"

// parseCSV reads an export into a table for each tick.
func parseCSV(text string) (map[time.Time]table, error) {
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(lines) == 0 || strings.Join(lines[0], " ") != csvColumns {
		return nil, fmt.Errorf("no header in %.200q", text)
	}
	ticks := map[time.Time]table{}
	for _, line := range lines[1:] {
		tick, err := time.Parse(time.RFC3339, line[0])
		if err != nil {
			return nil, err
		}
		if ticks[tick] == nil {
			ticks[tick] = table{}
		}
		for i, column := range lines[0] {
			if i < 3 {
				continue
			}
			v, err := strconv.ParseUint(line[i], 10, 64)
			if err == nil {
				err = ticks[tick].set(row{line[1], line[2]}, column, v)
			}
			if err != nil {
				return nil, fmt.Errorf("%v: %s: %w", line, column, err)
			}
		}
	}
	return ticks, nil
}

// historyTable is what the history says of one tick.
func historyTable(t *testing.T, store string, tick time.Time) (table, error) {
	t.Helper()
	out, err := fetch(t, store, tick, tick)
	if err != nil {
		return nil, err
	}
	ticks, err := parseCSV(out)
	if err != nil {
		return nil, err
	}
	tb, there := ticks[tick]
	if len(ticks) != 1 || !there {
		return nil, fmt.Errorf("%d ticks where only %v was asked for", len(ticks), tick)
	}
	return tb, nil
}
