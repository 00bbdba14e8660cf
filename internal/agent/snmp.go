package agent

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/common/version"

	"lvs/dataplane"
	"lvs/mib"
	"lvs/mib/agentx"
	"lvs/mib/smi"
)

// pingInterval is how long a session may be silent before the master is asked for
// a sign of life. A master that hangs is noticed after that and the five seconds
// it has to answer.
const pingInterval = 5 * time.Second

// newSubagent makes the AgentX subagent that answers for the LVS-MIB.
func newSubagent(address string, log *slog.Logger) (*agentx.Subagent, error) {
	return agentx.New(agentx.Config{
		Address:       address,
		Registrations: []smi.OID{mib.Root()},
		Description:   "lvs-agent " + version.Version,
		ID:            mib.Root(),
		Capabilities: []agentx.Capability{
			{OID: mib.Root(), Description: "The LVS-MIB: virtual services and real servers of a Linux Virtual Server director."},
		},
		PingInterval: pingInterval,
		Logger:       log,
	}, nil)
}

// A mibSink gives every snapshot to the subagent as a tree.
type mibSink struct{ swap func(smi.Tree) }

// Record makes the tree of a snapshot; see collector.Sink.
func (m *mibSink) Record(_ context.Context, snap *dataplane.Snapshot) error {
	m.swap(mib.Build(snap, mib.Figures{}))
	return nil
}
