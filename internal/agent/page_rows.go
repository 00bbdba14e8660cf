package agent

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"lvs/dataplane"
)

// serveRows answers with the real servers of services, each a key: what an open
// page shows that events leave out.
func (p *statusPage) serveRows(w http.ResponseWriter, r *http.Request) {
	keys, err := rowsQuery(r.URL.RawQuery)
	if err != nil {
		writeJSON(w, http.StatusBadRequest, apiError{err.Error()})
		return
	}
	snap := p.latest()
	if snap == nil {
		writeJSON(w, http.StatusServiceUnavailable, apiError{"there is no sample yet; the log says why, if it lasts"})
		return
	}
	table := p.tableOf(context.WithoutCancel(r.Context()), snap)
	p.answers.answer(w, r, jsonType, func(out io.Writer) error {
		_, err := out.Write(table.AppendRows(nil, keys))
		return err
	})
}

// maxRowKeys is of how many services the rows may be asked for at once.
const maxRowKeys = 100

// rowsQuery reads the keys of services.
func rowsQuery(raw string) (keys []dataplane.ServiceKey, err error) {
	asked, err := url.ParseQuery(raw)
	if err != nil {
		return nil, err
	}
	for name := range asked {
		if name != "key" {
			return nil, fmt.Errorf("there is no parameter %q; there is key", name)
		}
	}
	if n := len(asked["key"]); n > maxRowKeys {
		return nil, fmt.Errorf("there are %d keys; there may be %d", n, maxRowKeys)
	}
	for _, text := range asked["key"] {
		key, err := dataplane.ParseServiceKey(text)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}
