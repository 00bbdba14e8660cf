// Package prom shows a director's snapshots to Prometheus.
//
// Every scrape reads one snapshot, the same that the other windows serve, and
// writes it out family by family. Nothing of a service or real server is kept
// between scrapes, so that what left the table is gone from the next scrape.
//
// Counters are the continued totals (dataplane.Account.Total), which do not fall
// when the kernel's are zeroed or its entries made anew; only the node_exporter
// compatible families show the kernel's own values. Where a source cannot tell a
// value its series is absent rather than zero.
//
// Prometheus keeps every value as a float64, which holds integers up to 2^53
// (9,007,199,254,740,992) exactly; a counter beyond that is rounded to 53 bits
// here, and is exact in the other windows. The kernel itself brings its counters
// up to date every two seconds only.
package prom
