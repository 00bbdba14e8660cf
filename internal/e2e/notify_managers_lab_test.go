//go:build lab

package e2e

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"lvs/internal/lab"
)

// notifications are those of ours that a manager got: snmpd has some of its own.
func notifications(r *lab.Receiver) (list []lab.Received) {
	for _, one := range r.Received() {
		if strings.HasPrefix(one.OID, notificationArc) {
			list = append(list, one)
		}
	}
	return list
}

// delivered waits until every manager got as many as the agent has numbered.
func (f *flapping) delivered() {
	f.t.Helper()
	for name, r := range f.managers {
		last := -1
		for since := time.Now(); ; time.Sleep(100 * time.Millisecond) {
			got := notifications(r)
			if len(got) > last {
				last, since = len(got), time.Now()
			}
			if last >= f.told()+2*(f.unread+f.overruns()) {
				break
			}
			if time.Since(since) > lab.Patience {
				f.check(name, got)
				f.t.Fatalf("%s: %d notifications came, want %d", name, last, f.told()+2*(f.unread+f.overruns()))
			}
		}
	}
}

// explain shows how what was received so far differs from what was expected.
func (f *flapping) explain() {
	f.t.Helper()
	for name, r := range f.managers {
		f.check(name, notifications(r))
	}
}

// The variables that every notification begins with.
const (
	varSequence = iota
	varTime
	varHost
	varMessage
	commonVars
)

var commonNames = [commonVars]string{objectArc + "7.5.0", objectArc + "7.6.0", objectArc + "1.1.0", objectArc + "7.7.0"}

// check compares what a manager got with the script: all of it, in order, each
// with a number one higher than the one before.
func (f *flapping) check(name string, got []lab.Received) {
	f.t.Helper()
	f.checkCommon(name, got)
	got = withoutOverruns(got)
	for i, step := range f.want {
		n := 0
		var wrong string
		for _, list := range step {
			if wrong = mismatch(list, got); wrong == "" {
				n = len(list)
				break
			}
		}
		if wrong != "" {
			f.t.Errorf("%s: step %d of %d: %s", name, i, len(f.want), wrong)
			return
		}
		got = got[n:]
	}
	if len(got) > 0 {
		f.t.Errorf("%s: %d notifications too many, the first is %+v", name, len(got), got[0])
	}
}

// mismatch tells how what came differs from a list at its beginning; "" is not.
func mismatch(want []told, got []lab.Received) string {
	for i, w := range want {
		if i >= len(got) {
			return fmt.Sprintf("the rest is missing, from %+v on", w)
		}
		g := told{0, got[i].Vars[commonVars:]}
		fmt.Sscan(strings.TrimPrefix(got[i].OID, notificationArc), &g.kind)
		if !reflect.DeepEqual(g, w) {
			return fmt.Sprintf("number %d of %d is\n%+v %q\nwant\n%+v", i, len(want), g, got[i].Vars[varMessage].Value, w)
		}
	}
	return ""
}

// checkCommon checks what all notifications have.
func (f *flapping) checkCommon(name string, got []lab.Received) {
	f.t.Helper()
	number, date, up := 0, "", time.Duration(0)
	for _, one := range got {
		// An agent tells of its start first, unless its first reading was not done in time.
		kind := strings.TrimPrefix(one.OID, notificationArc)
		if first := kind == fmt.Sprint(toldStarted) || kind == fmt.Sprint(toldUnavailable); first && one.Vars[varSequence].Value == "1" {
			number, up = 0, 0
		}
		if name != "agentx" && one.UpTime < up { // there it is snmpd's
			f.t.Errorf("%s: sysUpTime %v after %v", name, one.UpTime, up)
		}
		up = one.UpTime
		for i, want := range commonNames {
			if one.Vars[i].Name != want {
				f.t.Fatalf("%s: variable %d is %s, want %s: %+v", name, i, one.Vars[i].Name, want, one)
			}
		}
		if number++; one.Vars[varSequence].Value != fmt.Sprint(number) {
			f.t.Errorf("%s: number %s, want %d: %q", name, one.Vars[varSequence].Value, number, one.Vars[varMessage].Value)
			fmt.Sscan(one.Vars[varSequence].Value, &number)
		}
		// A date's octets compare as the date does.
		if now := one.Vars[varTime].Value; len(now) != 11 || now < date {
			f.t.Errorf("%s: time %q comes after %q", name, now, date)
		} else {
			date = now
		}
		if len(one.Vars) > commonVars+3 && !strings.Contains(one.Vars[varMessage].Value, one.Vars[commonVars].Value) {
			f.t.Errorf("%s: the text %q does not name %s", name, one.Vars[varMessage].Value, one.Vars[commonVars].Value)
		}
	}
}

// withoutOverruns leaves out that a reading was not done in time, and that the
// next one was.
func withoutOverruns(got []lab.Received) (rest []lab.Received) {
	overrun := false
	for _, one := range got {
		switch kind := strings.TrimPrefix(one.OID, notificationArc); {
		case kind == fmt.Sprint(toldUnavailable) && strings.Contains(one.Vars[commonVars+1].Value, "deadline exceeded"):
			overrun = true
		case kind == fmt.Sprint(toldAvailable) && overrun:
			overrun = false
		default:
			rest = append(rest, one)
		}
	}
	return rest
}

// checkAlike compares what the managers got with each other: the texts as well.
func (f *flapping) checkAlike() {
	f.t.Helper()
	first := notifications(f.managers["agentx"])
	for _, name := range []string{"v2c traps", "v3 informs"} {
		for i, one := range notifications(f.managers[name]) {
			if i < len(first) && (one.OID != first[i].OID || !reflect.DeepEqual(one.Vars, first[i].Vars)) {
				f.t.Errorf("%s: number %d differs from that by way of snmpd:\n%+v\n%+v", name, i, one, first[i])
				break
			}
		}
	}
}

// checkKinds checks that the script had every kind of notification.
func (f *flapping) checkKinds() {
	f.t.Helper()
	had := map[int]int{}
	for _, step := range f.want {
		for _, one := range step[0] {
			had[one.kind]++
		}
	}
	for kind := toldStarted; kind <= toldRestarted; kind++ {
		if had[kind] == 0 {
			f.t.Errorf("the script lacks notification %d", kind)
		}
	}
	f.t.Logf("notifications by kind: %v", had)
}

// checkCounts compares what the agent counts with the script, for each target: an
// acknowledgement may still be on its way.
func (f *flapping) checkCounts() {
	f.t.Helper()
	for _, target := range []string{"agentx", f.managers["v2c traps"].Addr, f.managers["v3 informs"].Addr, f.deaf} {
		var c targetCounts
		var want float64
		agree := func() bool {
			want = float64(f.seq) + float64(2*f.overruns())
			c = f.targetCounts(target)
			return c.sum() == want && (target == f.deaf && c.sent == 0 || target != f.deaf && c.sent == want)
		}
		for deadline := time.Now().Add(20 * time.Second); !agree(); time.Sleep(200 * time.Millisecond) {
			if time.Now().After(deadline) {
				f.t.Errorf("target %s: %+v, want %v in all", target, c, want)
				break
			}
		}
	}
}

// targetCounts are what became of a target's notifications.
type targetCounts struct {
	sent, waiting float64
	lost          map[string]float64 // by reason
}

// sum are all that the target was given.
func (c targetCounts) sum() float64 {
	sum := c.sent + c.waiting
	for _, n := range c.lost {
		sum += n
	}
	return sum
}

func (a *agent) targetCounts(target string) targetCounts {
	a.t.Helper()
	return countsOf(a.metrics("?scope=agent"), target)
}

func countsOf(m families, target string) targetCounts {
	c := targetCounts{m.sample("lvs_agent_notifications_sent_total", "target", target),
		m.sample("lvs_agent_notifications_waiting", "target", target), map[string]float64{}}
	for _, reason := range []string{"aged", "coalesced", "full", "refused", "stopped", "suppressed", "unknown"} {
		c.lost[reason] = m.sample("lvs_agent_notifications_lost_total", "target", target, "reason", reason)
	}
	return c
}
