// Package e2e holds the tests of the whole agent: the programs as they are
// built, on a real kernel with ip_vs and real traffic, looked at through every
// window there is.
//
// A window is a way to read the director: ipvsadm, the JSON document, the
// metrics, SNMP through a real snmpd, and the history that lvs-exporter prints.
// Each is read into a [table] of integers by service and real server, with a
// reader of its own that shares no code with the agent, and tables are compared
// cell by cell. ipvsadm is the reference: it asks the kernel itself.
//
// What SNMP shows beyond such a table is held against the JSON document, every
// variable of both MIBs: rules tell each by its object type, and an object type
// without a rule fails.
//
// What the dashboards ask is asked of a real Prometheus that scrapes the agent,
// and lvs-exporter that reads it, under traffic and while much happens.
//
// The tests carry the build tag lab and run in the lab's kernel (see package
// lab). The programs are $LVS_AGENT and $LVS_EXPORTER, or else what make build
// put into build/.
package e2e
