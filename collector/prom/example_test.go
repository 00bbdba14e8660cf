package prom_test

import (
	"fmt"
	"net/http/httptest"
	"net/netip"

	"lvs/collector/prom"
	"lvs/dataplane"
)

// An Exposition is the handler of /metrics; a query chooses what it shows.
func ExampleNew() {
	snapshot := &dataplane.Snapshot{Services: []dataplane.ServiceState{{
		Service: dataplane.Service{Key: dataplane.AddrKey(dataplane.TCP, netip.MustParseAddrPort("192.0.2.10:443"))},
		Name:    "web",
		Reals: []dataplane.RealState{
			{RealServer: dataplane.RealServer{RIP: netip.MustParseAddrPort("198.51.100.1:443"), Weight: 3}, Active: 8},
		},
	}}}
	e, err := prom.New(prom.Options{Snapshot: func() *dataplane.Snapshot { return snapshot }})
	if err != nil {
		fmt.Println(err)
		return
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest("GET", "/metrics?service=w*&name[]=lvs_real_server_weight&name[]=lvs_service_connections_active", nil))
	fmt.Print(w.Body)
	// Output:
	// # HELP lvs_real_server_weight Weight of the real server; 0 takes no new connections.
	// # TYPE lvs_real_server_weight gauge
	// lvs_real_server_weight{real="198.51.100.1:443",service="web"} 3
	// # HELP lvs_service_connections_active Active connections of the service's real servers now.
	// # TYPE lvs_service_connections_active gauge
	// lvs_service_connections_active{service="web"} 8
}
