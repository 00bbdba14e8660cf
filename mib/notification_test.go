package mib

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lvs/dataplane"
	"lvs/mib/smi"

	"github.com/google/go-cmp/cmp"
)

// check holds a notification against the text of the MIB and what it says of a
// row that is there against the tree, and returns it as a line of a case.
func check(t *testing.T, n *smi.Notification, at time.Time, tree *Tree) string {
	t.Helper()
	types := notificationTypes()
	kind, ok := types[n.OID.String()]
	if !ok {
		t.Fatalf("%v is no notification of the MIB", n.OID)
	}
	if !n.Time.Equal(at) {
		t.Errorf("%s is of %v, want %v", kind.name, n.Time, at)
	}
	var names []string
	values := map[string]string{}
	gone := false
	for _, v := range n.Vars {
		o, ok := kind.object(v.Name)
		if !ok {
			t.Fatalf("%s has %v, which is no object of the MIB", kind.name, v.Name)
		}
		names = append(names, o.Name)
		if o.Type != v.Value.Type {
			t.Errorf("%s: %s is sent as %v, want %v", kind.name, o.Name, v.Value.Type, o.Type)
		}
		values[o.Name] = string(v.Value.Bytes)
		gone = gone || string(v.Value.Bytes) == dataplane.RemovedReason
	}
	if diff := cmp.Diff(kind.objects, names); diff != "" {
		t.Errorf("%s: objects (-text +sent):\n%s", kind.name, diff)
	}
	if values["lvsdNotifyTime"] != string(date(at)) || values["lvsdHostName"] != "lvs1" {
		t.Errorf("%s: %q %q", kind.name, values["lvsdNotifyTime"], values["lvsdHostName"])
	}
	for i, v := range n.Vars {
		if tree == nil || gone || strings.HasPrefix(names[i], "lvsdNotify") {
			continue
		}
		if got := tree.Get(v.Name); text(got) != text(v.Value) {
			t.Errorf("%s: %s is sent as %v, and the tree has %v", kind.name, names[i], v.Value, got)
		}
	}
	return fmt.Sprintf("%d %s: %s [%s]", n.Vars[0].Value.Int, kind.name, values["lvsdNotifyMessage"], n.Subject)
}

// A notificationType is what the text of the MIB says of a notification.
type notificationType struct {
	name    string
	objects []string
	all     []Object
}

// object is the object type that a variable of a notification is an instance of.
func (n *notificationType) object(name smi.OID) (Object, bool) {
	i := slices.IndexFunc(n.all, func(o Object) bool { return name.HasPrefix(o.OID) && len(name) > len(o.OID) })
	if i < 0 {
		return Object{}, false
	}
	return n.all[i], true
}

var notificationText = regexp.MustCompile(`\n(\w+) NOTIFICATION-TYPE\s+OBJECTS {([^}]*)}[^=]*::= { lvsdNotifications (\d+) }`)

// notificationTypes are the notifications of the text, by OID.
var notificationTypes = sync.OnceValue(func() map[string]notificationType {
	text, err := Texts.ReadFile("LVS-DIRECTOR-MIB.txt")
	if err != nil {
		panic(err)
	}
	// Those that only notifications have are read as if managers could read them.
	all, err := parseObjects("LVS-DIRECTOR-MIB", strings.ReplaceAll(string(text), "accessible-for-notify", "read-only"))
	if err != nil {
		panic(err)
	}
	types := map[string]notificationType{}
	for _, m := range notificationText.FindAllStringSubmatch(string(text), -1) {
		types[root.String()+".100.0."+m[3]] = notificationType{m[1], strings.Fields(strings.ReplaceAll(m[2], ",", " ")), all}
	}
	return types
})
