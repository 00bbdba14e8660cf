// Package agentx is an AgentX subagent (RFC 2741): it joins a running SNMP
// agent, the master (Net-SNMP's snmpd), over a unix or TCP socket and answers
// for the subtrees it registers there from an [smi.Tree]. What managers write
// goes to an [smi.Setter], and notifications go to managers by way of the master.
// It does not know what the tree holds.
//
// A [Subagent] keeps its session by itself: it waits for a master that is not
// there yet, comes back in under a second when the master restarts, and
// explains a refusal once. Requests are answered from memory and never wait for
// anything. [Subagent.Notify] tells, where the session ends, whether the
// notification may be given again. Below it lies the codec of all eighteen PDUs, [PDU.Append] and
// [PDU.Decode].
package agentx
