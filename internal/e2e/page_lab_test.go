//go:build lab

package e2e

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"lvs/internal/lab"
)

// The status page of an agent that reads the kernel's table: a real server whose
// weight becomes zero is told to open pages, and shown on new ones, with a sample
// no more than two seconds later. A guest that stands still takes longer: one change
// of several has to be told in that time.
func TestLabStatusPage(t *testing.T) {
	lab.Guest(t)
	const service, real = "tcp/192.0.2.77:80", "tcp/192.0.2.77:80,198.51.100.7:80"
	lab.Run(t, "ipvsadm", "-A", "-t", "192.0.2.77:80", "-s", "wlc")
	t.Cleanup(func() { lab.Run(t, "ipvsadm", "-D", "-t", "192.0.2.77:80") })
	lab.Run(t, "ipvsadm", "-a", "-t", "192.0.2.77:80", "-r", "198.51.100.7:80", "-m", "-w", "3")
	a := startAgent(t)

	page := string(a.get("/"))
	for _, want := range []string{`data-row="` + service + `" class="s up"`, `data-row="` + real + `" class="r up"`, ">wlc<"} {
		if !strings.Contains(page, want) {
			t.Fatalf("the page lacks %s:\n%s", want, page)
		}
	}
	if detail := string(a.get("/service/" + service)); !strings.Contains(detail, "graph.svg?") || !strings.Contains(detail, `class="r up"`) {
		t.Errorf("the service's page:\n%s", detail)
	}

	resp, err := http.Get(a.url + "/api/v1/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	told := make(chan change, 16)
	go listen(bufio.NewScanner(resp.Body), real, told)
	weigh := func(weight, state string) time.Duration {
		t.Helper()
		begin := time.Now()
		lab.Run(t, "ipvsadm", "-e", "-t", "192.0.2.77:80", "-r", "198.51.100.7:80", "-m", "-w", weight)
		for late := time.After(lab.Patience); ; {
			select {
			case c := <-told:
				if c.state == state {
					t.Logf("told that it is %s after %v", state, time.Since(begin).Round(time.Millisecond))
					return c.tick.Sub(begin)
				}
			case <-late:
				t.Fatalf("an open page is not told that a real server is %s", state)
			}
		}
	}
	took := weigh("0", "down")
	for try := 1; took > 2*time.Second && try < 10; try++ {
		weigh("3", "up")
		took = weigh("0", "down")
	}
	if took > 2*time.Second {
		t.Errorf("an open page is told by a sample %v later", took)
	}
	if page := string(a.get("/?state=down")); !strings.Contains(page, `data-row="`+real+`" class="r down"`) {
		t.Errorf("the page does not show it:\n%s", page)
	}
	a.terminate() // though a page is open
}

// A change is the state that an event tells of a row, and the event's tick.
type change struct {
	state string
	tick  time.Time
}

// listen tells what events say of a row, until they end.
func listen(lines *bufio.Scanner, row string, told chan<- change) {
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		var event struct {
			Tick time.Time
			Rows map[string]struct{ State string }
		}
		if ok && json.Unmarshal([]byte(data), &event) == nil && event.Rows[row].State != "" {
			told <- change{event.Rows[row].State, event.Tick}
		}
	}
}
