package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// An Error is one thing wrong in a configuration file.
type Error struct {
	File         string
	Line, Column int    // from 1
	Key          string // the path of the key, "services[0].scheduler"; may be empty
	Msg          string // the value and what is wanted
}

// Error is "FILE:LINE:COLUMN: KEY: MESSAGE".
func (e Error) Error() string {
	if e.Key == "" {
		return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Msg)
	}
	return fmt.Sprintf("%s:%d:%d: %s: %s", e.File, e.Line, e.Column, e.Key, e.Msg)
}

// Errors are all things found wrong in a file, in its order.
type Errors []Error

// maxErrors are told; whoever has more has another kind of trouble.
const maxErrors = 20

// Error is one line for each.
func (e Errors) Error() string {
	var b strings.Builder
	for i, one := range e {
		if i == maxErrors {
			fmt.Fprintf(&b, "\nand %d more", len(e)-maxErrors)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(one.Error())
	}
	return b.String()
}

// Unwrap gives errors.As each of them.
func (e Errors) Unwrap() []error {
	errs := make([]error, len(e))
	for i := range e {
		errs[i] = e[i]
	}
	return errs
}

func (d *decoder) add(e Error) {
	e.File = d.file
	d.errs = append(d.errs, e)
}

// err is what was found, sorted by place, or nil.
func (d *decoder) err() error {
	if len(d.errs) == 0 {
		return nil
	}
	slices.SortStableFunc(d.errs, func(a, b Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return d.errs
}
