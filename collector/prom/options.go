package prom

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"lvs/dataplane"
)

// Options say what is shown. They are fixed for the life of an [Exposition].
type Options struct {
	// Snapshot returns the latest snapshot, nil before the first. It is called
	// once a scrape, from many goroutines, and must not block.
	Snapshot func() *dataplane.Snapshot
	// Members, in place of Snapshot, returns the directors of a fleet, to be
	// shown in that order with a label each. It is called as Snapshot is, and what
	// it returns is not changed.
	Members func() []Member
	// Health returns the agent's own figures; nil tells none: their families are
	// left out, and lvs_up says only whether there is a snapshot, or what its
	// Member says. It is called as Snapshot is.
	Health func() Health
	// Foreign are parameters of the query that mean something to somebody else;
	// any other that is not understood is refused.
	Foreign []string

	// Reals says whether series of single real servers are shown.
	Reals RealsMode
	// RealsLimit is up to how many real servers of a director RealsAuto shows
	// them; zero is DefaultRealsLimit.
	RealsLimit int
	// KernelRates adds the kernel's own estimates of rates.
	KernelRates bool

	// NodeIPVS adds the eight families of node_exporter's ipvs collector, equal
	// to the letter. The guard of Reals does not apply to them.
	NodeIPVS bool
	// BackendLabels are the labels of those of them that have labels, a subset
	// of BackendLabels(); nil is all. Rows that then look alike are added up.
	BackendLabels []string

	// SampleDurations and CommitDurations are how long samples and the store's
	// commits take; nil leaves the family out. See NewDurations.
	SampleDurations, CommitDurations prometheus.Histogram
	// Process is asked for the process's own families, shown in scope agent; nil
	// is none. Names of this package's are left out of them: those that begin
	// with node_ipvs_, or with lvs_ and not with lvs_exporter_. See ProcessMetrics.
	Process prometheus.Gatherer
}

// DefaultRealsLimit is up to how many real servers RealsAuto shows each.
const DefaultRealsLimit = 2000

// A RealsMode says whether series of single real servers are shown. Sums for
// each service are shown in any case.
type RealsMode uint8

// The modes.
const (
	RealsAuto   RealsMode = iota // where there are no more than the limit
	RealsAlways                  // however many there are
	RealsNever
	numRealsModes
)

var realsModeNames = [numRealsModes]string{"auto", "always", "never"}

// String is "auto", "always" or "never".
func (m RealsMode) String() string {
	if m < numRealsModes {
		return realsModeNames[m]
	}
	return fmt.Sprintf("reals mode %d", uint8(m))
}

// ParseRealsMode is the inverse of String.
func ParseRealsMode(s string) (RealsMode, error) {
	for i, n := range realsModeNames {
		if n == s {
			return RealsMode(i), nil
		}
	}
	return 0, fmt.Errorf("%q: want %s", s, strings.Join(realsModeNames[:], ", "))
}

// check reports every option that cannot be.
func (o *Options) check() error {
	var errs []error
	switch {
	case o.Snapshot == nil && o.Members == nil:
		errs = append(errs, errors.New("no function that returns the snapshot"))
	case o.Snapshot != nil && o.Members != nil:
		errs = append(errs, errors.New("both a snapshot and the members of a fleet"))
	}
	if o.Reals >= numRealsModes {
		errs = append(errs, fmt.Errorf("no such mode: %v", o.Reals))
	}
	if o.RealsLimit < 0 {
		errs = append(errs, fmt.Errorf("limit of real servers %d is negative", o.RealsLimit))
	}
	for i, l := range o.BackendLabels {
		switch {
		case !slices.Contains(backendLabels, l):
			errs = append(errs, fmt.Errorf("backend label %q: want some of %s", l, strings.Join(backendLabels, ",")))
		case slices.Contains(o.BackendLabels[:i], l):
			errs = append(errs, fmt.Errorf("backend label %q given twice", l))
		}
	}
	return errors.Join(errs...)
}

// ProcessMetrics gathers the families of the Go runtime (go_) and of this
// process (process_), for [Options.Process].
func ProcessMetrics() prometheus.Gatherer {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}
