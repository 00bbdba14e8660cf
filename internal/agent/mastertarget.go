package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lvs/mib/agentx"
	"lvs/mib/notify"
	"lvs/mib/smi"
)

// A masterTarget sends notifications by way of the SNMP master agent.
type masterTarget struct {
	subagent interface { // *agentx.Subagent
		Notify(ctx context.Context, n smi.Notification) error
		Up() <-chan struct{}
	}
}

// masterPatience is how long a notification waits for a session at a time, before
// the queue has a look at its age.
const masterPatience = time.Minute

// Notify tells the queue what became of a notification; see notify.Target. Where
// the master is away it waits for it, so that a restart of snmpd delays no
// notification longer than it takes.
func (m masterTarget) Notify(ctx context.Context, n smi.Notification) error {
	patience := time.NewTimer(masterPatience)
	defer patience.Stop()
	for range 3 {
		up := m.subagent.Up()
		err := m.subagent.Notify(ctx, n)
		switch {
		case errors.Is(err, agentx.ErrUnacknowledged):
			return fmt.Errorf("%w: %w", notify.ErrUnknown, err)
		case !errors.Is(err, agentx.ErrNoSession):
			return err
		}
		select {
		case <-up:
		case <-patience.C:
			return fmt.Errorf("%w: %w", notify.ErrLater, err)
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", notify.ErrLater, err)
		}
	}
	return fmt.Errorf("%w: the session with the master does not last", notify.ErrLater)
}
