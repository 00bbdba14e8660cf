package export

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strconv"
	"time"

	"lvs/rrdstore"
)

// A Dump is the XML of rrdtool dump while it is read: first what it says of the
// data sources, then archive after archive. The versions 0001 to 0005 of its form
// are understood. It may be used by one goroutine at a time.
type Dump struct {
	Step       time.Duration // of a primary data point
	LastUpdate time.Time
	Sources    []DumpSource

	name     string
	xml      *xmlReader
	archives int // seen so far
	warnings []string
}

// A DumpSource is a data source (DS) of a Dump.
type DumpSource struct {
	// Source is called as in the file, which may be no name of a source here, and
	// is a Counter where its type is one of rates: COUNTER, DERIVE, DCOUNTER,
	// DDERIVE or ABSOLUTE.
	rrdstore.Source
	Type      string
	Heartbeat time.Duration
	// Last is the raw value at LastUpdate, unknown where there is none.
	Last rrdstore.Value
}

// LooksLikeDump reports whether a file that begins with head is XML.
func LooksLikeDump(head []byte) bool {
	head = bytes.TrimSpace(bytes.TrimPrefix(head, []byte(byteOrderMark)))
	return len(head) > 0 && head[0] == '<'
}

// OpenDump reads the beginning of what rrdtool dump wrote. name is the file's, for
// errors, all of which tell file, line and what is wrong.
func OpenDump(r io.Reader, name string) (*Dump, error) {
	d := &Dump{name: name, xml: newXMLReader(r)}
	if err := d.readHead(); err != nil {
		return nil, d.at(err)
	}
	return d, nil
}

func (d *Dump) at(err error) error { return fmt.Errorf("%s:%d: %w", d.name, d.xml.line(), err) }

func (d *Dump) warn(format string, args ...any) {
	if len(d.warnings) < maxWarnings {
		d.warnings = append(d.warnings, fmt.Sprintf("%s:%d: ", d.name, d.xml.line())+fmt.Sprintf(format, args...))
	}
}

// maxWarnings is how many warnings are kept.
const maxWarnings = 1000

// Warnings tell what was left out so far, one to an archive or element.
func (d *Dump) Warnings() []string { return d.warnings }

// The most of what a Dump may hold; rrdtool's users have some dozens of sources.
const (
	maxSources = 4096
	maxCells   = 1 << 26 // of one archive: half a gigabyte
	maxStep    = 1 << 31 // seconds
)

func (d *Dump) readHead() error {
	root, err := d.xml.child()
	if errors.Is(err, io.EOF) {
		return errors.New("there is nothing in it; want what rrdtool dump prints")
	}
	if err != nil {
		return fmt.Errorf("%w; want what rrdtool dump prints", err)
	}
	if root != "rrd" {
		return fmt.Errorf("<%s> is not what rrdtool dump prints", root)
	}
	var version string
	for {
		name, err := d.xml.child()
		if err != nil {
			return err
		}
		switch name {
		case "version":
			version, err = d.word()
		case "step":
			var n int64
			n, err = d.integer(1, maxStep)
			d.Step = time.Duration(n) * time.Second
		case "lastupdate":
			var n int64
			n, err = d.integer(0, math.MaxUint32)
			d.LastUpdate = time.Unix(n, 0).UTC()
		case "ds":
			err = d.readSource()
		case "rra", "": // an RRD without archives can be made, by hand
			d.archives = 1
			if name == "" {
				d.archives = 0
			}
			return d.checkHead(version)
		default:
			d.warn("<%s> is not known and was left out", name)
			err = d.xml.skip()
		}
		if err != nil {
			return fmt.Errorf("<%s>: %w", name, err)
		}
	}
}

func (d *Dump) checkHead(version string) error {
	switch {
	case version == "":
		return errors.New("there is no <version>")
	case !slices.Contains([]string{"0001", "0002", "0003", "0004", "0005"}, version):
		return fmt.Errorf("version %q of rrdtool's form; 0001 to 0005 are understood", version)
	case d.Step == 0:
		return errors.New("there is no <step>")
	case d.LastUpdate.IsZero():
		return errors.New("there is no <lastupdate>")
	case len(d.Sources) == 0:
		return errors.New("there is no data source")
	}
	return nil
}

// readSource reads a <ds>.
func (d *Dump) readSource() error {
	var s DumpSource
	for {
		name, err := d.xml.child()
		if err != nil {
			return err
		}
		switch name {
		case "name":
			s.Name, err = d.word()
		case "type":
			s.Type, err = d.word()
		case "minimal_heartbeat":
			var n int64
			n, err = d.integer(0, math.MaxUint32)
			s.Heartbeat = time.Duration(n) * time.Second
		case "last_ds":
			var text []byte
			if text, err = d.xml.content(); err == nil {
				s.Last, _ = rrdstore.ParseValue(string(text)) // "UNKN" and the like are unknown
			}
		case "":
			return d.addSource(s)
		default: // bounds, and state that the rows do not depend on
			err = d.xml.skip()
		}
		if err != nil {
			return fmt.Errorf("<%s>: %w", name, err)
		}
	}
}

func (d *Dump) addSource(s DumpSource) error {
	switch s.Type {
	case "COUNTER", "DERIVE", "DCOUNTER", "DDERIVE", "ABSOLUTE":
		s.Kind = rrdstore.Counter
	case "GAUGE", "COMPUTE":
		s.Kind = rrdstore.Gauge
	default:
		return fmt.Errorf("data source %q is of type %q, which is not known", s.Name, s.Type)
	}
	if s.Name == "" || slices.ContainsFunc(d.Sources, func(o DumpSource) bool { return o.Name == s.Name }) {
		return fmt.Errorf("data source %q has no name, or that of another one", s.Name)
	}
	if len(d.Sources) == maxSources {
		return fmt.Errorf("more than %d data sources", maxSources)
	}
	d.Sources = append(d.Sources, s)
	return nil
}

func (d *Dump) word() (string, error) {
	text, err := d.xml.content()
	if err == nil && len(text) > 255 {
		err = errors.New("too long")
	}
	return string(text), err
}

func (d *Dump) integer(least, most int64) (int64, error) {
	text, err := d.word()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%q is no whole number from %d to %d", text, least, most)
	}
	return n, nil
}

// Rows are the rows of every archive, one element for each data source of each:
// Source is the Dump's and the series is not told. Times follow from the time of
// the last update, not from comments. Archives of functions that are not
// [rrdstore.Function], as those of aberrant behaviour detection, are left out with
// a warning. The sequence ends with the first error, and can be used once.
func (d *Dump) Rows() iter.Seq2[rrdstore.Rows, error] {
	return func(yield func(rrdstore.Rows, error) bool) {
		for d.archives > 0 {
			rows, err := d.readArchive()
			if err == nil {
				for _, r := range rows {
					if !yield(r, nil) {
						return
					}
				}
				err = d.nextArchive()
			}
			if err != nil {
				d.archives = 0
				yield(rrdstore.Rows{}, d.at(err))
				return
			}
		}
	}
}

// nextArchive goes to the next <rra>, or to the end.
func (d *Dump) nextArchive() error {
	for {
		name, err := d.xml.child()
		switch {
		case err != nil:
			return err
		case name == "rra":
			d.archives++
			return nil
		case name == "":
			d.archives = 0
			return nil
		}
		d.warn("<%s> is not known and was left out", name)
		if err := d.xml.skip(); err != nil {
			return err
		}
	}
}
