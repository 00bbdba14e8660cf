package export

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"lvs/dataplane"
	"lvs/rrdstore"
)

// Options are what some formats can be told. The zero Options will do.
type Options struct {
	// Names are the configured names of services. OpenMetrics has them in the
	// label service, as the agent's own metrics do; a service without one has its
	// key there.
	Names map[dataplane.ServiceKey]string
}

// A Writer writes consolidated rows, one Result after another. It holds back no
// more than some kilobytes. It may be used by one goroutine at a time.
type Writer struct {
	format Format
	out    *bufio.Writer
	enc    encoder
}

// An encoder is a format. What it writes may fail later: the bufio.Writer keeps
// the first error.
type encoder interface {
	begin(whole *rrdstore.Result) error
	result(r *rrdstore.Result) error
	end() error
}

// Write writes one Result that is all there is.
func Write(w io.Writer, f Format, r *rrdstore.Result, o Options) error {
	x, err := NewWriter(w, f, r, o)
	if err != nil {
		return err
	}
	if err := x.Write(r); err != nil {
		return err
	}
	return x.End()
}

// NewWriter begins a stream in the format f. whole describes what will be
// written; the Values of its columns are not looked at. Which of it matters
// depends on the format:
//
//   - CSV, CSVLong and NDJSON: the sources and functions of its columns, of one
//     series or of all. Results may be of other series and other times, in any
//     order, but have no other columns.
//   - JSON: everything, and Results are slices of time that follow each other and
//     have all the columns in that order.
//   - OpenMetrics: nothing; it may be nil. Results come in the order of [Parts].
func NewWriter(w io.Writer, f Format, whole *rrdstore.Result, o Options) (*Writer, error) {
	x := &Writer{format: f, out: bufio.NewWriterSize(w, 64<<10)}
	switch f {
	case CSV:
		x.enc = &csvWide{out: x.out}
	case CSVLong:
		x.enc = &csvLong{out: x.out}
	case JSON:
		x.enc = &xport{out: x.out}
	case NDJSON:
		x.enc = &ndjson{out: x.out}
	case OpenMetrics:
		x.enc = &openMetrics{out: x.out, names: o.Names}
	default:
		return nil, fmt.Errorf("cannot write %v", f)
	}
	return x, x.wrap(x.enc.begin(whole))
}

// Write writes the rows of r.
func (x *Writer) Write(r *rrdstore.Result) error { return x.wrap(x.enc.result(r)) }

// End writes what the format ends with. Without it most streams are incomplete,
// and readers can tell.
func (x *Writer) End() error {
	if err := x.enc.end(); err != nil {
		return x.wrap(err)
	}
	return x.Flush()
}

// Flush hands everything written so far to the io.Writer.
func (x *Writer) Flush() error { return x.wrap(x.out.Flush()) }

// wrap says what was being done. The first write error comes before what it led
// to.
func (x *Writer) wrap(err error) error { return wrapWrite(x.format, x.out, err) }

func wrapWrite(f Format, out *bufio.Writer, err error) error {
	if _, broken := out.Write(nil); broken != nil {
		err = broken
	}
	if err != nil {
		return fmt.Errorf("write %v: %w", f, err)
	}
	return nil
}

// errShape is for results that do not fit what was announced.
var errShape = errors.New("not as announced")
