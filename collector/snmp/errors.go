package snmp

import (
	"context"
	"errors"
	"fmt"

	"github.com/gosnmp/gosnmp"
)

// The errors that a Poller's wrap.
var (
	// ErrTimeout is returned when nobody answered: the address or the community is
	// wrong, or the director down.
	ErrTimeout = errors.New("no answer")
	// ErrAccess is returned when the agent refused the user, or did not prove that
	// it knows the password.
	ErrAccess = errors.New("access refused")
	// ErrAnswer is returned for answers that make no sense.
	ErrAnswer = errors.New("answer makes no sense")
	// ErrStatus is returned when the agent answered with an error.
	ErrStatus = errors.New("agent reports an error")
	// ErrChanged is returned when a table changed during every attempt.
	ErrChanged = errors.New("table changed while it was read")
	// ErrNoModule is returned when the agent answers but has nothing of the MIB,
	// or no sample yet.
	ErrNoModule = errors.New("nothing of this MIB")
	// ErrTooMuch is returned for tables beyond the limits of a Config.
	ErrTooMuch = errors.New("table is too large")
)

// Reason is a word for an error of [Poller.Snapshot], as a metric's label:
// timeout, access, answer, status, changed, module, size, canceled or network.
func Reason(err error) string {
	for _, r := range []struct {
		err  error
		word string
	}{
		{ErrTimeout, "timeout"}, {ErrAccess, "access"}, {ErrAnswer, "answer"}, {ErrStatus, "status"}, {ErrChanged, "changed"},
		{ErrNoModule, "module"}, {ErrTooMuch, "size"}, {context.DeadlineExceeded, "timeout"}, {context.Canceled, "canceled"},
	} {
		if errors.Is(err, r.err) {
			return r.word
		}
	}
	return "network"
}

// Reasons are the words of Reason.
func Reasons() []string {
	return []string{"access", "answer", "canceled", "changed", "module", "network", "size", "status", "timeout"}
}

// refusals are reports of an SNMPv3 agent, and failures of ours to believe it,
// that asking again does not cure.
var refusals = []error{
	gosnmp.ErrUnknownUsername, gosnmp.ErrWrongDigest, gosnmp.ErrDecryption, gosnmp.ErrUnknownSecurityLevel,
	gosnmp.ErrUnknownSecurityModels, gosnmp.ErrNotInTimeWindow,
}

func refused(err error) bool {
	for _, r := range refusals {
		if errors.Is(err, r) {
			return true
		}
	}
	return false
}

func badAnswer(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrAnswer}, args...)...)
}
