package agent

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"lvs/mib/agentx"
	"lvs/mib/notify"
	"lvs/mib/smi"
)

// A moodyMaster answers with these errors, one after the other.
type moodyMaster struct {
	errs []error
	up   chan struct{}
}

func (m *moodyMaster) Notify(context.Context, smi.Notification) error {
	err := m.errs[0]
	m.errs = m.errs[1:]
	return err
}

func (m *moodyMaster) Up() <-chan struct{} { return m.up }

func TestNotificationsWaitForTheMaster(t *testing.T) {
	refused := errors.New("refused")
	for _, test := range []struct {
		name  string
		errs  []error
		comes time.Duration // when there is a session; zero: there is one
		want  error
		after time.Duration
	}{
		{"taken", []error{nil}, 0, nil, 0},
		{"refused", []error{refused}, 0, refused, 0},
		{"not acknowledged", []error{agentx.ErrUnacknowledged}, 0, notify.ErrUnknown, 0},
		{"the master comes back", []error{agentx.ErrNoSession, nil}, time.Second, nil, time.Second},
		{"the master stays away", []error{agentx.ErrNoSession}, time.Hour, notify.ErrLater, masterPatience},
		{"sessions end at once", []error{agentx.ErrNoSession, agentx.ErrNoSession, agentx.ErrNoSession}, 0, notify.ErrLater, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := &moodyMaster{test.errs, make(chan struct{})}
				time.AfterFunc(test.comes, func() { close(m.up) })
				synctest.Wait()
				begin := time.Now()
				err := masterTarget{m}.Notify(t.Context(), smi.Notification{})
				if !errors.Is(err, test.want) || test.want == nil && err != nil {
					t.Errorf("%v, want %v", err, test.want)
				}
				if d := time.Since(begin); d != test.after {
					t.Errorf("after %v, want %v", d, test.after)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		m := &moodyMaster{[]error{agentx.ErrNoSession}, make(chan struct{})}
		if err := (masterTarget{m}).Notify(ctx, smi.Notification{}); !errors.Is(err, notify.ErrLater) {
			t.Errorf("%v when it is to end", err)
		}
	})
}
