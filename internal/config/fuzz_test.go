package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"lvs/dataplane"
)

// No text makes the parser panic or hang; an error has a place, and what is accepted is
// what the kernel can be asked for.
func FuzzParse(f *testing.F) {
	reference, err := os.ReadFile("reference.yml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(reference)
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, one := range archive.Files {
			f.Add(one.Data)
		}
	}
	f.Add([]byte("services:\n- address: tcp/192.0.2.1:80\n  real_servers: [{address: 10.0.0.1, method: route}]\n"))
	f.Add([]byte("names: {fwm4/1: a, \"tcp/[::1]:80\": {name: b, real_servers: {1.2.3.4:5: c}}}\n"))
	f.Add([]byte("? [a]: b\n- *x\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		watch := time.AfterFunc(time.Minute, func() { panic(fmt.Sprintf("hangs on %q", text)) })
		defer watch.Stop()
		c, err := Parse(bytes.NewReader(text), "fuzz.yml")
		var list Errors
		if err != nil {
			if !errors.As(err, &list) || len(list) == 0 {
				t.Fatalf("error is no list: %v", err)
			}
			for _, e := range list {
				if e.Line < 1 || e.Column < 1 || e.Msg == "" {
					t.Errorf("error has no place: %+v", e)
				}
			}
			return
		}
		if c.Director == nil {
			return
		}
		seen := map[dataplane.ServiceKey]bool{}
		for _, s := range c.Director.Services {
			if !s.Key.IsValid() || seen[s.Key] || s.Scheduler == "" {
				t.Errorf("service %+v was accepted", s)
			}
			seen[s.Key] = true
			for _, r := range s.Reals {
				if !r.RIP.IsValid() || r.LowerThreshold > r.UpperThreshold || r.Weight > maxWeight {
					t.Errorf("real server %+v was accepted", r)
				}
			}
		}
	})
}
