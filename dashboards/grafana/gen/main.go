// Gen writes the dashboards for Grafana 9.3 and later: the fleet, one director,
// and one virtual service with its real servers. Each is described once, in
// fleet.go, director.go and service.go; the names of metrics and labels in their
// queries are looked up in collector/prom and among the recording rules of
// dashboards/prometheus, which feed what would be dear to ask for; one that is in
// neither ends the generation with an error.
//
// A file serves for both ways into Grafana: importing it asks for the data source
// (__inputs), and one that is provisioned has a variable for it. Panels refer to
// that variable in either case, so that it can be changed later.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"lvs/collector/prom"
)

//go:generate go run . -o .. -rules ../../prometheus/lvs.rules.yml

func main() {
	dir := flag.String("o", ".", "write the dashboards into this directory")
	rules := flag.String("rules", "", "the recording rules that queries may use")
	flag.Parse()
	if err := write(*dir, *rules); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// write makes every dashboard's file in dir.
func write(dir, rules string) error {
	text, err := os.ReadFile(rules)
	if err != nil {
		return err
	}
	known, err := newCatalogue(prom.Descriptions(), text)
	if err != nil {
		return err
	}
	files, err := render(boards(), known)
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// boards are the dashboards, from the whole to the part.
func boards() []board { return []board{fleet(), director(), service()} }

// render makes the files of the dashboards by name. The same descriptions give
// the same bytes.
func render(boards []board, known catalogue) (map[string][]byte, error) {
	files := make(map[string][]byte)
	var errs []error
	for _, b := range boards {
		d, err := b.build(known)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", b.uid, err))
			continue
		}
		var text bytes.Buffer
		e := json.NewEncoder(&text)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(d); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", b.uid, err))
			continue
		}
		files[b.uid+".json"] = text.Bytes()
	}
	return files, errors.Join(errs...)
}
