package export

import (
	"fmt"
	"strings"
)

// A Format is a format that holds many series and is written in one stream. The
// XML of RRDtool is not one of them: it holds one series; see [RRD].
type Format uint8

// The formats.
const (
	// CSV has a line for each row and series:
	//
	//	time,service,real,connections,in_packets,out_packets,in_bytes,…
	//
	// The standard sources come first, in their order, those that imports brought
	// after them. With several functions in one result the columns are named
	// in_bytes_AVERAGE, in_bytes_MAX. The director has "director" for a service.
	CSV Format = iota
	// CSVLong has a line for each value:
	//
	//	time,key,source,value
	//
	// and, with several functions in one result, a fifth column "function". Raw rows
	// have no lines for what a series has never had until then. It is what imports
	// read; mind that they take values for raw ones.
	CSVLong
	// JSON is one object in the shape that rrdtool xport --json prints.
	JSON
	// NDJSON has a line for each row and series, each an object with the members
	// time, service, real and one for each source, named as in CSV.
	NDJSON
	// OpenMetrics is OpenMetrics 1.0, for promtool tsdb create-blocks-from. Raw rows
	// are called what the agent calls them, lvs_service_incoming_bytes_total, with
	// its labels. Consolidated ones are gauges named as recording rules are, after
	// the function and the step: lvs_service_incoming_bytes:rate5m is the average,
	// then rate_min5m, rate_max5m and rate_last5m, of gauges avg5m, min5m, max5m
	// and, for the last value, the gauge's own name. What imports brought is
	// lvs_service_imported_NAME. What is not known has no sample; mind that
	// Prometheus draws nothing between samples more than five minutes apart.
	OpenMetrics
	numFormats
)

var formats = [numFormats]struct{ name, contentType string }{
	CSV:         {"csv", "text/csv; charset=utf-8; header=present"},
	CSVLong:     {"csv-long", "text/csv; charset=utf-8; header=present"},
	JSON:        {"json", "application/json"},
	NDJSON:      {"ndjson", "application/x-ndjson"},
	OpenMetrics: {"openmetrics", "application/openmetrics-text; version=1.0.0; charset=utf-8"},
}

// Formats are all formats.
func Formats() []Format {
	all := make([]Format, numFormats)
	for i := range all {
		all[i] = Format(i)
	}
	return all
}

// String is the format's name: "csv", "csv-long", "json", "ndjson" or
// "openmetrics".
func (f Format) String() string {
	if f < numFormats {
		return formats[f].name
	}
	return fmt.Sprintf("format %d", uint8(f))
}

// ParseFormat is the inverse of String.
func ParseFormat(s string) (Format, error) {
	var names []string
	for f := range numFormats {
		if formats[f].name == s {
			return f, nil
		}
		names = append(names, formats[f].name)
	}
	return 0, fmt.Errorf("no format %q; there are %s", s, strings.Join(names, ", "))
}

// ContentType is the media type of that format.
func (f Format) ContentType() string { return formats[f].contentType }
