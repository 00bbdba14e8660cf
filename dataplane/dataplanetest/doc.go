// Package dataplanetest helps to test what reads or changes a director's table:
// Table is one in memory that answers as the kernel does, and Conformance is
// what every implementation has to pass, the Table and the kernel alike.
package dataplanetest
