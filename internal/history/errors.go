package history

import (
	"errors"
	"fmt"
	"time"
)

// ErrQuestion is matched by errors that are the asker's to mend: a key that there
// is not, more than may be asked for at once.
var ErrQuestion = errors.New("question")

// A questionError is such an error.
type questionError struct{ error }

func (questionError) Is(target error) bool { return target == ErrQuestion }
func (e questionError) Unwrap() error      { return e.error }

func questionf(format string, args ...any) error { return questionError{fmt.Errorf(format, args...)} }

// A LimitError is returned for an answer that has more values than it may.
type LimitError struct {
	Series, Rows int
	Cells, Limit int
	Step         time.Duration // of the rows
	Enough       time.Duration // a step that would do
}

// Error says how much was asked for, and how to ask for less.
func (e *LimitError) Error() string {
	return fmt.Sprintf("%d series by %d rows of %v are %d values, more than %d at once; ask for fewer series or sources (key, source, top), a shorter time (start, end), or a resolution of %v or more",
		e.Series, e.Rows, e.Step, e.Cells, e.Limit, e.Enough)
}

// Is matches ErrQuestion.
func (e *LimitError) Is(target error) bool { return target == ErrQuestion }
