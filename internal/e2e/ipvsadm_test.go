package e2e

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// A listing is one way ipvsadm lists the table: its options, and the columns of
// a real server's line, of which "" is skipped. Those of --stats stand in a
// service's line as well.
type listing struct {
	options []string
	columns []string
	stats   bool
}

var (
	statsListing   = listing{[]string{"-Ln", "--stats", "--exact"}, counters, true}
	plainListing   = listing{[]string{"-Ln"}, []string{"", "weight", "active", "inactive"}, false}
	persistListing = listing{[]string{"-Ln", "--persistent-conn"}, []string{"weight", "persistent", "active", "inactive"}, false}
)

// parse reads the listing's text.
func (l listing) parse(text string) (table, error) {
	tb := table{}
	var service string
	for n, line := range strings.Split(strings.TrimSpace(text), "\n") {
		f := strings.Fields(line)
		if n < 3 { // version, and two lines of headings
			continue
		}
		var r row
		var numbers []string
		if f[0] == "->" {
			r, numbers = row{service, f[1]}, f[2:]
		} else {
			service, numbers = ipvsadmKey(f)
			r = row{service: service}
			if service == "" {
				return nil, fmt.Errorf("line %d: no service in %q", n+1, line)
			}
			if !l.stats {
				tb[r] = cells{}
				continue
			}
		}
		if len(numbers) != len(l.columns) {
			return nil, fmt.Errorf("line %d: %d columns in %q, want %d", n+1, len(numbers), line, len(l.columns))
		}
		for i, column := range l.columns {
			if column == "" {
				continue
			}
			v, err := strconv.ParseUint(numbers[i], 10, 64)
			if err == nil {
				err = tb.set(r, column, v)
			}
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", n+1, err)
			}
		}
	}
	return tb, nil
}

// ipvsadmKey is the canonical key of a service's line, and what follows it.
func ipvsadmKey(f []string) (string, []string) {
	switch {
	case len(f) < 2:
	case f[0] == "TCP", f[0] == "UDP", f[0] == "SCTP":
		return strings.ToLower(f[0]) + "/" + f[1], f[2:]
	case f[0] == "FWM" && len(f) > 2 && f[2] == "IPv6":
		return "fwm6/" + f[1], f[3:]
	case f[0] == "FWM":
		return "fwm4/" + f[1], f[2:]
	}
	return "", nil
}

// ipvsadmTable joins the three listings, which must not contradict each other,
// and adds the sums of its real servers to each service.
func ipvsadmTable(stats, plain, persist string) (table, error) {
	tb, err := statsListing.parse(stats)
	if err != nil {
		return nil, fmt.Errorf("--stats: %w", err)
	}
	one, err := plainListing.parse(plain)
	if err != nil {
		return nil, fmt.Errorf("-Ln: %w", err)
	}
	two, err := persistListing.parse(persist)
	if err != nil {
		return nil, fmt.Errorf("--persistent-conn: %w", err)
	}
	if len(tb) != len(one) || len(tb) != len(two) {
		return nil, fmt.Errorf("%d rows by --stats, %d by -Ln, %d by --persistent-conn", len(tb), len(one), len(two))
	}
	for r := range tb {
		if r.real == "" {
			continue
		}
		for _, g := range gauges {
			v, ok := two[r][g]
			if other, both := one[r][g]; !ok || both && other != v {
				return nil, fmt.Errorf("%v: %s is %d by --persistent-conn, %d by -Ln", r, g, v, other)
			}
			tb[r][g] = v
			tb[row{service: r.service}][g] += v
		}
	}
	for r, c := range tb {
		if r.real == "" {
			for _, g := range gauges {
				c[g] += 0 // also where there is no real server
			}
		}
	}
	return tb, nil
}

// TestIPVSAdmReaderMissesNothing guards the reference of all comparisons: what
// it did not read would be compared nowhere.
func TestIPVSAdmReaderMissesNothing(t *testing.T) {
	const rich = "../lab/fixtures/rich/"
	text := func(name string) string {
		b, err := os.ReadFile(rich + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	tb, err := ipvsadmTable(text("Ln-stats-exact.txt"), text("Ln.txt"), text("Ln-persistent-conn.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if rows := len(tb); rows != strings.Count(text("S-n.txt"), "\n") {
		t.Errorf("%d rows, want one for each line of ipvsadm -S", rows)
	}
	for _, tt := range []struct {
		row    row
		column string
		want   uint64
	}{
		{row{"tcp/10.1.0.100:80", "10.2.0.12:80"}, "out_bytes", 1308},
		{row{"tcp/10.1.0.100:80", "10.2.0.12:80"}, "weight", 65535},
		{row{"tcp/10.1.0.100:443", "10.2.0.12:80"}, "persistent", 1},
		{row{"tcp/10.1.0.100:8004", ""}, "inactive", 6},
		{row{"tcp/10.1.0.100:8004", ""}, "active", 1},
		{row{"fwm6/2", ""}, "in_bytes", 1936},
		{row{"fwm4/2147483647", ""}, "weight", 0},
		{row{"sctp/[fd10:1::100]:132", "[fd10:2::11]:132"}, "weight", 1},
	} {
		if got, ok := tb[tt.row][tt.column]; !ok || got != tt.want {
			t.Errorf("%v %s is %d, %v, want %d", tt.row, tt.column, got, ok, tt.want)
		}
	}
}
