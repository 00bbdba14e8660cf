//go:build lab

package e2e

import (
	"bytes"
	"encoding/json"
	"time"

	"lvs/internal/lab"
)

// A document is what /api/v1/snapshot says, as far as these tests read it,
// written down from its documentation.
type document struct {
	Version  int       `json:"version"`
	Tick     time.Time `json:"tick"`
	Time     time.Time `json:"time"`
	Stale    bool      `json:"stale"`
	Partial  bool      `json:"partial"`
	Took     float64   `json:"took_seconds"`
	Unsure   int       `json:"inconsistent"`
	Director struct {
		Epoch string `json:"epoch"`
		accountDocument
	} `json:"director"`
	Services []serviceDocument `json:"services"`
	Removed  []removedDocument `json:"removed"`
	Run      *runDocument      `json:"run"`
}

type removedDocument struct {
	Service  string    `json:"service"`
	Real     string    `json:"real"`
	Name     string    `json:"name"`
	Number   uint32    `json:"number"`
	LastSeen time.Time `json:"last_seen"`
	Total    cells     `json:"total"`
}

type serviceDocument struct {
	Key       string `json:"key"`
	Name      string `json:"name"`
	Number    uint32 `json:"number"`
	Scheduler string `json:"scheduler"`
	Timeout   uint64 `json:"persistence_timeout_seconds"`
	accountDocument
	Reals []realDocument `json:"real_servers"`
}

type realDocument struct {
	Address    string `json:"address"`
	Name       string `json:"name"`
	Number     uint32 `json:"number"`
	Method     string `json:"forwarding_method"`
	Weight     uint64 `json:"weight"`
	Upper      uint64 `json:"upper_threshold"`
	Lower      uint64 `json:"lower_threshold"`
	Active     uint64 `json:"active_connections"`
	Inactive   uint64 `json:"inactive_connections"`
	Persistent uint64 `json:"persistent_connections"`
	accountDocument
}

type accountDocument struct {
	Total  cells             `json:"total"`
	Kernel cells             `json:"kernel"`
	Rates  cells             `json:"rates"` // nil while they are not known
	Resets map[string]uint64 `json:"resets"`
}

// A runDocument is how the running of services stands.
type runDocument struct {
	Services int  `json:"services"`
	Enforce  bool `json:"enforce"`
	Drift    []struct {
		Object  string `json:"object"`
		Service string `json:"service"`
		Real    string `json:"real"`
		Field   string `json:"field"`
		Want    string `json:"want"`
		Have    string `json:"have"`
	} `json:"drift"`
	Failures []json.RawMessage `json:"failures"`
	Draining []struct {
		Service     string `json:"service"`
		Real        string `json:"real"`
		Connections uint64 `json:"connections"`
	} `json:"draining"`
}

// document reads the document of the latest sample.
func (a *agent) document() *document {
	a.t.Helper()
	d := json.NewDecoder(bytes.NewReader(a.get("/api/v1/snapshot")))
	doc := &document{}
	if err := d.Decode(doc); err != nil {
		a.t.Fatalf("/api/v1/snapshot: %v", err)
	}
	if doc.Version != 1 {
		a.t.Fatalf("/api/v1/snapshot is version %d", doc.Version)
	}
	return doc
}

// sampled waits until a sample was read more than an interval after this call:
// then every window shows what was there before it.
func (a *agent) sampled() *document {
	a.t.Helper()
	after := time.Now().Add(time.Second)
	var doc *document
	lab.Wait(a.t, "another sample", func() bool {
		doc = a.document()
		return doc.Time.After(after)
	})
	return doc
}

// begun waits for the first sample whose reading, of a table that stood still,
// began after a time.
func (a *agent) begun(after time.Time) *document {
	a.t.Helper()
	return a.waitDocument("a sample of now", func(d *document) bool {
		return d.Unsure == 0 && d.Time.Add(-time.Duration(d.Took*float64(time.Second))).After(after)
	})
}

// table is the document as a table of totals.
func (d *document) table() (table, error) {
	return d.tableOf(func(a *accountDocument) cells { return a.Total })
}

// kernelTable is the same of the kernel's own counters.
func (d *document) kernelTable() (table, error) {
	return d.tableOf(func(a *accountDocument) cells { return a.Kernel })
}

func (d *document) tableOf(which func(*accountDocument) cells) (table, error) {
	tb := table{}
	for i := range d.Services {
		s := &d.Services[i]
		service := row{service: s.Key}
		if err := tb.fill(service, which(&s.accountDocument)); err != nil {
			return nil, err
		}
		for j := range s.Reals {
			r := &s.Reals[j]
			at := row{s.Key, r.Address}
			if err := tb.fill(at, which(&r.accountDocument)); err != nil {
				return nil, err
			}
			for column, v := range map[string]uint64{"active": r.Active, "inactive": r.Inactive, "persistent": r.Persistent, "weight": r.Weight} {
				if err := tb.set(at, column, v); err != nil {
					return nil, err
				}
			}
		}
	}
	return tb, nil
}

// fill sets all counters of a row.
func (tb table) fill(r row, from cells) error {
	for column, v := range from {
		if err := tb.set(r, column, v); err != nil {
			return err
		}
	}
	return nil
}

// accounts are all rows' accounts.
func (d *document) accounts() map[row]accountDocument {
	m := map[row]accountDocument{}
	for _, s := range d.Services {
		m[row{service: s.Key}] = s.accountDocument
		for _, r := range s.Reals {
			m[row{s.Key, r.Address}] = r.accountDocument
		}
	}
	return m
}

// A number names a row in SNMP; real is 0 for the service itself.
type number struct{ service, real uint32 }

// numbers are the row numbers.
func (d *document) numbers() map[number]row {
	m := map[number]row{}
	for _, s := range d.Services {
		m[number{s.Number, 0}] = row{service: s.Key}
		for _, r := range s.Reals {
			m[number{s.Number, r.Number}] = row{s.Key, r.Address}
		}
	}
	return m
}
