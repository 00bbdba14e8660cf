// Package export writes history in the formats of other programs and reads it
// back: CSV, JSON, OpenMetrics and the XML of RRDtool.
//
// Writers are pure functions of what a query of package rrdstore found. They write
// as they go, and tell the first error of the io.Writer:
//
//   - [Writer] takes consolidated rows, one [rrdstore.Result] after another.
//   - [RawWriter] takes rows as they were sampled: exact integers.
//   - [RRD] is one series with several archives, for rrdtool restore.
//
// Readers are for imports. They read as they go, the XML archive by archive, stop
// at the first thing they do not understand, and say in which line of which file
// it is and what to do:
//
//   - [ReadCSV] reads both forms of CSV.
//   - [OpenDump] reads what rrdtool dump writes.
//
// # What all formats have in common
//
// A value is written in the fewest digits that read back as the same float64, in
// plain decimals from 0.000001 up to 10^21 and as 1.5e-07 outside of that, which
// CSV readers, spreadsheets and JSON take for numbers alike. Raw integers are
// written in full. What is not known, and an infinite value, is empty in CSV, null
// in JSON, NaN in RRDtool's XML, and no sample in OpenMetrics.
//
// A row is named by the end of its interval, as RRDtool does, in UTC.
//
// A series is written as text: "director", "tcp/192.0.2.10:443" for a service and
// "tcp/192.0.2.10:443,10.0.0.1:80" for a real server of it; see [SeriesKey].
package export
