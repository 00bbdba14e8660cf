package history

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A calendar is a day and a time of day as they are read.
type calendar struct {
	now                  time.Time
	year, day            int
	month                time.Month
	hour, minute, second int
	hasDay, hasClock     bool
	beginsDay            bool // the day was given in numbers: it begins at midnight
}

var (
	clockForm    = regexp.MustCompile(`^(\d{1,2})(?::(\d\d)(?::(\d\d))?)?(am|pm)?$`)
	americanForm = regexp.MustCompile(`^(\d{1,2})/(\d{1,2})/(\d{4})$`)
	europeanForm = regexp.MustCompile(`^(\d{1,2})\.(\d{1,2})\.(\d{4})$`)
	dateForm     = regexp.MustCompile(`^(\d{4})(\d\d)(\d\d)$`)
)

// isDate reports whether digits are a day rather than seconds, as in rrdtool.
func isDate(s string) bool { return len(s) == 8 && s > "19700101" && s < "24000101" }

// parseCalendar reads a day, a time of day or both, in any order.
func parseCalendar(s string, now time.Time) (time.Time, bool) {
	c := &calendar{now: now}
	c.year, c.month, c.day = now.Date()
	c.hour, c.minute, c.second = now.Clock()
	words := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '_' || r == ',' || r == '\t' })
	for len(words) > 0 {
		n := c.take(words)
		if n == 0 {
			return time.Time{}, false
		}
		words = words[n:]
	}
	if c.beginsDay && !c.hasClock {
		c.hour, c.minute, c.second = 0, 0, 0
	}
	return time.Date(c.year, c.month, c.day, c.hour, c.minute, c.second, 0, now.Location()), c.hasDay || c.hasClock
}

// take reads the first of words and those that belong to it, and tells how many
// they were; zero is none.
func (c *calendar) take(words []string) int {
	switch word := words[0]; word {
	case "midnight":
		return c.clock(0, 0, 0)
	case "noon":
		return c.clock(12, 0, 0)
	case "teatime":
		return c.clock(16, 0, 0)
	case "yesterday":
		return c.date(c.now.AddDate(0, 0, -1).Date())
	case "today":
		return c.date(c.now.Date())
	case "tomorrow":
		return c.date(c.now.AddDate(0, 0, 1).Date())
	default:
		if word[0] < '0' || word[0] > '9' {
			return c.named(words)
		}
		return c.numeric(words)
	}
}

// named reads a day of this week (which begins on Sunday, as rrdtool's), or a
// month with a day of it and perhaps a year.
func (c *calendar) named(words []string) int {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if isName(words[0], d.String()) {
			return c.date(c.now.AddDate(0, 0, int(d-c.now.Weekday())).Date())
		}
	}
	for m := time.January; m <= time.December; m++ {
		if !isName(words[0], m.String()) || len(words) < 2 {
			continue
		}
		day, year, n := number(words[1]), c.year, 2
		if len(words) > 2 && len(words[2]) == 4 && number(words[2]) >= 1970 {
			year, n = number(words[2]), 3
		}
		if c.date(year, m, day) == 0 {
			return 0
		}
		return n
	}
	return 0
}

// isName reports whether s is a name, or the three letters it is known by.
func isName(s, name string) bool {
	name = strings.ToLower(name)
	return s == name || s == name[:3]
}

func (c *calendar) numeric(words []string) int {
	forms := []struct {
		form             *regexp.Regexp
		year, month, day int // which group is which
	}{{dateForm, 1, 2, 3}, {americanForm, 3, 1, 2}, {europeanForm, 3, 2, 1}}
	for _, f := range forms {
		if g := f.form.FindStringSubmatch(words[0]); g != nil {
			c.beginsDay = true
			return c.date(number(g[f.year]), time.Month(number(g[f.month])), number(g[f.day]))
		}
	}
	g := clockForm.FindStringSubmatch(words[0])
	if g == nil {
		return 0
	}
	n, half := 1, g[4]
	if half == "" && len(words) > 1 && slices.Contains([]string{"am", "pm"}, words[1]) {
		n, half = 2, words[1]
	}
	hour := number(g[1])
	switch {
	case half == "" && g[2] == "": // an hour alone would be a number
		return 0
	case half != "" && (hour < 1 || hour > 12):
		return 0
	case half != "":
		hour %= 12
	}
	if half == "pm" {
		hour += 12
	}
	if c.clock(hour, number(g[2]), number(g[3])) == 0 {
		return 0
	}
	return n
}

func (c *calendar) date(year int, month time.Month, day int) int {
	if c.hasDay || time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Day() != day || month < 1 || month > 12 {
		return 0
	}
	c.year, c.month, c.day, c.hasDay = year, month, day, true
	return 1
}

func (c *calendar) clock(hour, minute, second int) int {
	if c.hasClock || hour > 24 || minute > 59 || second > 59 || hour == 24 && minute+second > 0 {
		return 0
	}
	c.hour, c.minute, c.second, c.hasClock = hour, minute, second, true
	return 1
}

// number is s, which is digits or empty, as a number.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}
