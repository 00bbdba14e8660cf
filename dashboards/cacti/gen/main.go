// Gen writes the Cacti pack: the data queries and templates by which Cacti 1.2.19
// and later shows a director that answers SNMP. What is in the pack is said once,
// in the tables of lvsmib.go and director.go; the object identifiers come from the
// MIBs themselves.
//
// Every object of the pack is known to Cacti by a hash. A hash here depends on
// nothing but the object's name in the tables, never on a title, so that importing
// a newer pack updates what an older one made and leaves its graphs and their
// history alone. Names in the tables are therefore kept for ever.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"lvs/mib"
)

//go:generate go run . -o ..

func main() {
	dir := flag.String("o", ".", "write the files below this directory")
	flag.Parse()
	if err := write(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// write makes every file of the pack below dir.
func write(dir string) error {
	files, err := render(packs(), identifiers(mib.Objects()))
	if err != nil {
		return err
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
