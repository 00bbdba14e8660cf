package exporter

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// importStandardInput imports what comes from there, and gives what was printed.
func importStandardInput(t *testing.T, text string, flags ...string) (stdout, stderr string) {
	t.Helper()
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	go func() {
		out.WriteString(text)
		out.Close()
	}()
	defer func(old *os.File) { os.Stdin = old }(os.Stdin)
	os.Stdin = in
	var printed, warned bytes.Buffer
	args := append([]string{"import", "--store", filepath.Join(t.TempDir(), "store"), "-"}, flags...)
	if err := Run(t.Context(), args, &printed, &warned); err != nil {
		t.Fatal(err)
	}
	return printed.String(), warned.String()
}

func TestImportTellsOfValuesTooFarApart(t *testing.T) {
	var lines []string
	for i := range 50 {
		lines = append(lines, fmt.Sprintf("%d,director,active,%d", epoch.Unix()+int64(i*37%50*300), i))
	}
	text := strings.Join(lines, "\n")
	stdout, stderr := importStandardInput(t, text)
	if want := "standard input: values come every 5m, and in this store what is more than 20s apart is a gap"; !strings.Contains(stderr, want) || !strings.Contains(stderr, "--step 5m\n") {
		t.Errorf("warned %q, want %q", stderr, want)
	}
	if want := "standard input: csv, 50 values"; !strings.HasPrefix(stdout, want) {
		t.Errorf("printed %q, want %q", stdout, want)
	}
	for _, enough := range [][]string{{"--step", "5m"}, {"--heartbeat", "300s"}} {
		if _, stderr := importStandardInput(t, text, enough...); stderr != "" {
			t.Errorf("%q: warned %q", enough, stderr)
		}
	}
}
