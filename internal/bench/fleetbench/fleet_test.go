package fleetbench

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"lvs/collector/snmp"
	"lvs/internal/config"
)

func TestLookAddsUp(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`# TYPE lvs_real_servers gauge
lvs_real_servers{director="a"} 200
lvs_real_servers{director="b"} 1e2
lvs_exporter_polls_total{director="a"} 3
lvs_exporter_polls_total{director="b"} 4
lvs_exporter_poll_errors_total{director="a",reason="timeout"} 1
lvs_exporter_late_polls_total{director="a"} 2
lvs_exporter_inconsistent_tables_total{director="a"} 4
lvs_exporter_polls_skipped_total{director="a"} 8
go_goroutines 7
`))
	}))
	defer server.Close()
	var f Fleet
	if polls, lost, err := look(t.Context(), server.URL, &f); polls != 7 || lost != 15 || f.Reals != 300 || err != nil {
		t.Errorf("%d polls, %d lost, %d real servers, %v", polls, lost, f.Reals, err)
	}
}

func TestFleetFileIsOne(t *testing.T) {
	c, err := config.ParseFleet(strings.NewReader(fleetFile([]string{"127.0.0.1:1", "127.0.0.1:2"}, "director")), "fleet.yml")
	if err != nil || len(c.Directors) != 2 || c.Directors[1].Module != snmp.Director {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestPeakIsKnown(t *testing.T) {
	if n, err := peak(os.Getpid()); n < 1<<20 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}
