package export_test

import (
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	"lvs/rrdstore"
	"lvs/rrdstore/export"
)

func ExampleWrite() {
	key, rip, err := export.ParseSeriesKey("tcp/192.0.2.10:443")
	if err != nil {
		fmt.Println(err)
	}
	r := &rrdstore.Result{
		Start: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC), Step: time.Minute, Rows: 2,
		Columns: []rrdstore.Column{{
			Series: &rrdstore.Series{Key: key, RIP: rip}, Source: rrdstore.Source{Name: "in_bytes", Kind: rrdstore.Counter},
			Values: []float64{1250.5, math.NaN()},
		}},
	}
	for _, f := range []export.Format{export.CSV, export.NDJSON, export.OpenMetrics} {
		if err := export.Write(os.Stdout, f, r, export.Options{}); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// time,service,real,in_bytes
	// 2026-11-20T08:01:00Z,tcp/192.0.2.10:443,,1250.5
	// 2026-11-20T08:02:00Z,tcp/192.0.2.10:443,,
	// {"time":"2026-11-20T08:01:00Z","service":"tcp/192.0.2.10:443","real":"","in_bytes":1250.5}
	// {"time":"2026-11-20T08:02:00Z","service":"tcp/192.0.2.10:443","real":"","in_bytes":null}
	// # HELP lvs_service_incoming_bytes:rate1m Bytes from clients per second of the service: the average over 1m.
	// # TYPE lvs_service_incoming_bytes:rate1m gauge
	// lvs_service_incoming_bytes:rate1m{service="tcp/192.0.2.10:443"} 1250.5 1795161660
	// # EOF
}

func ExampleReadCSV() {
	file := `time,key,source,value
2026-11-20T08:00:00Z,tcp/192.0.2.10:443,in_bytes,123456
1795161610,"tcp/192.0.2.10:443,10.0.0.1:80",in_bytes,U
yesterday,director,in_bytes,1
`
	for p, err := range export.ReadCSV(strings.NewReader(file), "old.csv", nil) {
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Printf("%s %s %s known=%v\n", p.Time.Format(time.TimeOnly), export.SeriesKey(p.Key, p.RIP), p.Source.Name, p.Value.Known())
	}
	// Output:
	// 08:00:00 tcp/192.0.2.10:443 in_bytes known=true
	// 08:00:10 tcp/192.0.2.10:443,10.0.0.1:80 in_bytes known=false
	// old.csv:4: time "yesterday": want 2026-11-20T08:00:00Z, which is UTC also without the Z, or seconds since 1970
}
