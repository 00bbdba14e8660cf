package web

import (
	"html/template"
	"strconv"
	"strings"
	"time"
)

// What follows writes the cells, of which a page has tens of thousands; the
// templates write all else. The script writes the same elements from the same
// cells, so that a page kept up to date is one loaded anew.

// appendCell writes an element of a row. Its class is that of the column.
func appendCell(b []byte, c *Cell, class string, p picture, now time.Time) []byte {
	b = append(b, "<td"...)
	if c.Class != "" && class != "" {
		class += " "
	}
	if class += c.Class; class != "" {
		b = appendAttribute(b, "class", class)
	}
	if c.Title != "" {
		b = appendAttribute(b, "title", c.Title)
	}
	return append(appendContent(append(b, '>'), c, p, now), "</td>"...)
}

// appendContent writes what is within the element.
func appendContent(b []byte, c *Cell, p picture, now time.Time) []byte {
	if p != noPicture {
		b = appendPicture(b, c, p)
	}
	switch {
	case c.At != 0:
		at := time.Unix(c.At, 0).UTC()
		b = appendAttribute(append(b, "<time"...), "datetime", at.Format("2006-01-02T15:04:05Z"))
		b = appendAttribute(b, "title", at.Format(timeLayout))
		b = append(append(append(b, '>'), age(now.Sub(at))...), "</time>"...)
	default:
		b = append(b, template.HTMLEscapeString(c.Text)...)
	}
	if c.Soft != "" {
		b = append(append(append(b, " <small>"...), template.HTMLEscapeString(c.Soft)...), "</small>"...)
	}
	return b
}

func appendPicture(b []byte, c *Cell, p picture) []byte {
	d := &drawings[p]
	b = appendAttribute(append(b, "<svg"...), "class", d.class)
	b = append(appendAttribute(b, "viewBox", d.box), ` preserveAspectRatio="none"`...)
	if d.labelled {
		b = appendAttribute(append(b, ` role="img"`...), "aria-label", c.Title)
	} else {
		b = append(b, ` aria-hidden="true"`...)
	}
	b = append(b, '>')
	left := c.Draw
	for range d.paths {
		var outline string
		outline, left, _ = strings.Cut(left, ";")
		b = append(appendAttribute(append(b, "<path"...), "d", outline), "/>"...)
	}
	return append(b, "</svg>"...)
}

func appendAttribute(b []byte, name, value string) []byte {
	b = append(append(append(b, ' '), name...), `="`...)
	return append(append(b, template.HTMLEscapeString(value)...), '"')
}

// content is what is within a cell's element, for the templates.
func content(p *Page, c Cell, pic picture) template.HTML {
	return template.HTML(appendContent(nil, &c, pic, p.now()))
}

// Cells are the elements of a row but the first.
func (v rowView) Cells() template.HTML {
	b := make([]byte, 0, 2048)
	now := v.Page.now()
	cells := v.Row.Cells()
	for c := State; c < NumColumns; c++ {
		class, p := "", noPicture
		if headings[c].Number {
			class = "n"
		}
		switch {
		case v.Row.Gone:
		case c == Actual && v.Row.Real != nil:
			p = shareBar
		case c == LastHour && v.Row.Real == nil:
			p = sparkline
		}
		b = appendCell(b, &cells[c], class, p, now)
	}
	return template.HTML(b)
}

// stamp is a time in a form for programs.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// seconds is a duration in whole ones, in words.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64(d/time.Second), 10) + " s"
}
