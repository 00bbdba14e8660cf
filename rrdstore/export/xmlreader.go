package export

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// An xmlReader walks through XML element by element, and holds no more of it than
// one token. Comments, processing instructions and attributes are passed over.
type xmlReader struct {
	limit *limitReader
	dec   *xml.Decoder
	open  []string // the elements it is in
	text  []byte
}

// maxDepth is how deep elements may be nested.
const maxDepth = 32

func newXMLReader(r io.Reader) *xmlReader {
	limit := &limitReader{r: r}
	limit.reset()
	return &xmlReader{limit: limit, dec: xml.NewDecoder(skipBOM(limit))}
}

// line is where it is.
func (x *xmlReader) line() int {
	line, _ := x.dec.InputPos()
	return line
}

// token is the next begin, end or text of an element.
func (x *xmlReader) token() (xml.Token, error) {
	for {
		x.limit.reset()
		t, err := x.dec.RawToken()
		var syntax *xml.SyntaxError
		switch {
		case errors.As(err, &syntax):
			return nil, errors.New(syntax.Msg)
		case errors.Is(err, io.EOF) && len(x.open) > 0:
			return nil, fmt.Errorf("the file ends inside of <%s>; it was cut off", x.open[len(x.open)-1])
		case err != nil:
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if len(x.open) == maxDepth {
				return nil, errors.New("elements are nested too deep")
			}
			x.open = append(x.open, t.Name.Local)
			return t, nil
		case xml.EndElement:
			if len(x.open) == 0 || x.open[len(x.open)-1] != t.Name.Local {
				return nil, fmt.Errorf("</%s> without <%s>", t.Name.Local, t.Name.Local)
			}
			x.open = x.open[:len(x.open)-1]
			return t, nil
		case xml.CharData:
			return t, nil
		}
	}
}

// child is the name of the next element inside the present one; empty where that
// ends. Text between elements has no business there.
func (x *xmlReader) child() (string, error) {
	for {
		t, err := x.token()
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.StartElement:
			return t.Name.Local, nil
		case xml.EndElement:
			return "", nil
		case xml.CharData:
			if text := strings.TrimSpace(string(t)); text != "" {
				return "", fmt.Errorf("%.40q between the elements", text)
			}
		}
	}
}

// content is the text of the element that child just named, up to its end. It is
// valid until the next call.
func (x *xmlReader) content() ([]byte, error) {
	x.text = x.text[:0]
	for {
		t, err := x.token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			return nil, fmt.Errorf("<%s> where text was to be", t.Name.Local)
		case xml.EndElement:
			return bytes.TrimSpace(x.text), nil
		case xml.CharData:
			if len(x.text)+len(t) > maxRecord {
				return nil, errTooLong
			}
			x.text = append(x.text, t...)
		}
	}
}

// skip passes over the rest of the element that child just named.
func (x *xmlReader) skip() error {
	for depth := len(x.open); len(x.open) >= depth; {
		if _, err := x.token(); err != nil {
			return err
		}
	}
	return nil
}
