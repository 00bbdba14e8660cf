package mib

import (
	"fmt"

	"lvs/dataplane"
	"lvs/mib/smi"
)

// An eventKind is an arc below lvsdNotifications.
type eventKind uint32

// The notifications of the LVS-DIRECTOR-MIB.
const (
	agentStarted         eventKind = 1
	realUp               eventKind = 2
	realDown             eventKind = 3
	realDraining         eventKind = 4
	thresholdPassed      eventKind = 5
	thresholdCleared     eventKind = 6
	serviceDown          eventKind = 7
	serviceUp            eventKind = 8
	syncStarted          eventKind = 9
	syncStopped          eventKind = 10
	dataplaneUnavailable eventKind = 11
	dataplaneAvailable   eventKind = 12
	dataplaneRestarted   eventKind = 13
)

// notifications is lvsdNotifications.
var notifications = root.Append(100, 0)

// An event is one thing that happened, with what it happened to: as it is now or,
// where it is gone, as it was last.
type event struct {
	kind    eventKind
	service *dataplane.ServiceState
	real    *dataplane.RealState
	daemon  dataplane.SyncDaemon
	gone    bool // the real server, or the service where there is none
}

// realName is the configured name of a real server, or else its address and port.
func (e *event) realName() string {
	if e.real.Name != "" {
		return e.real.Name
	}
	return e.real.RIP.String()
}

// state is the state of the real server or service of the event, and the reason.
func (e *event) state() (status dataplane.Status, reason string) {
	switch {
	case e.gone:
		return dataplane.Down, dataplane.RemovedReason
	case e.real != nil:
		return e.real.Status(), e.real.Reason()
	}
	return e.service.Status(), e.service.Reason()
}

// because is a reason behind a sentence; nothing for none.
func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

// message tells the event in one sentence.
func (e *event) message(w *Watcher) string {
	if e.service != nil {
		return e.stateMessage()
	}
	switch e.kind {
	case agentStarted:
		return fmt.Sprintf("lvs-agent %s was started on %s", w.version, w.host)
	case syncStarted:
		return fmt.Sprintf("the %v sync daemon was started on %s", e.daemon.Role, e.daemon.Interface)
	case syncStopped:
		return fmt.Sprintf("the %v sync daemon on %s was stopped", e.daemon.Role, e.daemon.Interface)
	case dataplaneUnavailable:
		return "the table cannot be read" + because(w.reason)
	case dataplaneAvailable:
		return "the table can be read again"
	default:
		return "the kernel's table began anew"
	}
}

// stateMessage tells an event of a service or a real server.
func (e *event) stateMessage() string {
	_, reason := e.state()
	if e.real == nil {
		if e.kind == serviceUp {
			return fmt.Sprintf("service %s is up again", e.service.Label())
		}
		return fmt.Sprintf("service %s is down%s", e.service.Label(), because(reason))
	}
	what := map[eventKind]string{
		realUp: "is up", realDown: "is down" + because(reason), realDraining: "is draining" + because(reason),
		thresholdPassed:  fmt.Sprintf("reached its upper threshold of %d connections", e.real.UpperThreshold),
		thresholdCleared: "takes new connections again",
	}
	return fmt.Sprintf("real server %s of %s %s", e.realName(), e.service.Label(), what[e.kind])
}

// subject is what the event is about. Thresholds have a subject of their own:
// that one was passed does not replace that the real server came up.
func (e *event) subject() string {
	switch {
	case e.kind == thresholdPassed || e.kind == thresholdCleared:
		return fmt.Sprintf("threshold %v %v", e.service.Key, e.real.RIP)
	case e.real != nil:
		return fmt.Sprintf("real %v %v", e.service.Key, e.real.RIP)
	case e.service != nil:
		return fmt.Sprintf("service %v", e.service.Key)
	case e.kind == syncStarted || e.kind == syncStopped:
		return fmt.Sprintf("sync %v", e.daemon.Role)
	case e.kind == dataplaneAvailable || e.kind == dataplaneUnavailable:
		return "dataplane"
	case e.kind == dataplaneRestarted:
		return "restart"
	}
	return "agent"
}

// notification is the event as managers are told it. The watcher's figures are
// those of this event already.
func (w *Watcher) notification(e *event) smi.Notification {
	var vars varList
	vars.num("lvsdNotifySequence", uint64(w.figures.Sequence), 0)
	vars.octets("lvsdNotifyTime", appendDate(nil, w.figures.Time), 0)
	vars.text("lvsdHostName", w.host, 0)
	vars.text("lvsdNotifyMessage", w.figures.Message, 0)
	switch {
	case e.real != nil:
		e.realVars(&vars)
	case e.service != nil:
		e.serviceVars(&vars)
	case e.kind == agentStarted:
		vars.text("lvsdAgentVersion", w.version, 0)
	case e.kind == syncStarted || e.kind == syncStopped:
		vars.num("lvsdNotifySyncRole", uint64(e.daemon.Role), 0)
		vars.text("lvsdNotifySyncInterface", e.daemon.Interface, 0)
		vars.num("lvsdNotifySyncId", uint64(e.daemon.SyncID), 0)
	default:
		state := Running
		if w.unavailable {
			state = Unavailable
			if w.started {
				state = Stale // what was read last is still shown
			}
		}
		vars.num("lvsdDataplaneState", uint64(state)+1, 0)
		vars.text("lvsdDataplaneReason", w.reason, 0)
	}
	return smi.Notification{OID: notifications.Append(uint32(e.kind)), Time: w.figures.Time, Vars: vars, Subject: e.subject()}
}

// realVars are the variables of an event of a real server.
func (e *event) realVars(vars *varList) {
	s := newServiceRow(nil, e.service)
	r := realRow{&s, e.real}
	status, reason := e.state()
	of, index := []uint32{s.Number}, []uint32{s.Number, r.Number}
	vars.text("lvsdServiceKey", s.key, of...)
	vars.text("lvsdServiceLabel", s.label, of...)
	vars.num("lvsdServiceRealServers", uint64(len(s.Reals)), of...)
	vars.num("lvsdServiceAvailable", uint64(s.available), of...)
	vars.octets("lvsdRealKey", appendRealKey(nil, r), index...)
	vars.octets("lvsdRealLabel", appendRealLabel(nil, r), index...)
	vars.num("lvsdRealState", stateNumber(status), index...)
	vars.text("lvsdRealReason", reason, index...)
	if e.kind == thresholdPassed || e.kind == thresholdCleared {
		vars.num("lvsdRealActiveConns", uint64(r.Active), index...)
		vars.num("lvsdRealInactiveConns", uint64(r.Inactive), index...)
		vars.num("lvsdRealUpperThreshold", uint64(r.UpperThreshold), index...)
	}
}

// serviceVars are the variables of an event of a service.
func (e *event) serviceVars(vars *varList) {
	s := newServiceRow(nil, e.service)
	status, reason := e.state()
	reals, available := len(s.Reals), s.available
	if e.gone {
		reals, available = 0, 0
	}
	vars.text("lvsdServiceKey", s.key, s.Number)
	vars.text("lvsdServiceLabel", s.label, s.Number)
	vars.num("lvsdServiceState", stateNumber(status), s.Number)
	vars.text("lvsdServiceReason", reason, s.Number)
	vars.num("lvsdServiceRealServers", uint64(reals), s.Number)
	vars.num("lvsdServiceAvailable", uint64(available), s.Number)
}
