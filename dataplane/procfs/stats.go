package procfs

import (
	"strconv"
	"strings"

	"lvs/dataplane"
)

// Stats are the director's grand totals. Deleting a service does not touch them,
// zeroing all counters does; the kernel brings them up to date every two seconds,
// and not at all while net.ipv4.vs.run_estimation is 0.
type Stats struct {
	Total dataplane.Counters
	Rates dataplane.Rates // the kernel's estimate
}

// CPUStats are what one CPU counted since ip_vs was loaded: up to date at any
// moment, and never zeroed.
type CPUStats struct {
	CPU   uint32
	Total dataplane.Counters
}

// Stats reads net/ip_vs_stats.
func (f FS) Stats() (Stats, error) { return readNet(f, "ip_vs_stats", parseStats) }

// StatsPerCPU reads net/ip_vs_stats_percpu, of all possible CPUs.
func (f FS) StatsPerCPU() ([]CPUStats, error) {
	return readNet(f, "ip_vs_stats_percpu", parseStatsPerCPU)
}

func parseStats(l *lines) (s Stats, err error) {
	if err := l.header("Total Incoming Outgoing"); err != nil {
		return Stats{}, err
	}
	if err := l.header("Conns "); err != nil {
		return Stats{}, err
	}
	if err := l.need(); err != nil {
		return Stats{}, err
	}
	if s.Total, err = l.counters(l.fields()); err != nil {
		return Stats{}, err
	}
	if s.Rates, err = parseRates(l); err != nil {
		return Stats{}, err
	}
	return s, nil
}

func parseStatsPerCPU(l *lines) ([]CPUStats, error) {
	if err := l.header("Total Incoming Outgoing"); err != nil {
		return nil, err
	}
	if err := l.header("CPU "); err != nil {
		return nil, err
	}
	var cpus []CPUStats
	for {
		if err := l.need(); err != nil {
			return nil, err
		}
		name, rest, _ := strings.Cut(strings.TrimSpace(l.text), " ")
		total, err := l.counters(strings.Fields(rest))
		if err != nil {
			return nil, err
		}
		if name == "~" { // the totals of net/ip_vs_stats end the list
			break
		}
		cpu, err := strconv.ParseUint(name, 16, 32)
		if err != nil {
			return nil, l.errorf("%q is no CPU", name)
		}
		cpus = append(cpus, CPUStats{CPU: uint32(cpu), Total: total})
	}
	_, err := parseRates(l)
	return cpus, err
}

// parseRates reads the second half of both files, to their end.
func parseRates(l *lines) (r dataplane.Rates, err error) {
	if err := l.need(); err != nil {
		return r, err
	}
	if l.text != "" {
		return r, l.errorf("want an empty line")
	}
	if err := l.header("Conns/s "); err != nil {
		return r, err
	}
	if err := l.need(); err != nil {
		return r, err
	}
	c, err := l.counters(l.fields())
	if err != nil {
		return r, err
	}
	if l.next() {
		return r, l.errorf("want the end of the file")
	}
	return dataplane.Rates(c), l.err()
}

// counters reads the five columns of every line with numbers.
func (l *lines) counters(fields []string) (c dataplane.Counters, err error) {
	err = l.hex(fields, &c.Connections, &c.InPackets, &c.OutPackets, &c.InBytes, &c.OutBytes)
	return c, err
}
