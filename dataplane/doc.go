// Package dataplane is the vocabulary of a Linux Virtual Server director: the
// keys of virtual services and real servers, what is configured for each, the
// counters kept of them, and the snapshot that carries all of it from the
// dataplane to every window. It imports the standard library only, and nothing
// else in the project defines a service.
//
// Two kinds of values never mix. [Service] and [RealServer] say what is
// configured and are what a change request carries. [ServiceState] and
// [RealState] add what was observed.
package dataplane
