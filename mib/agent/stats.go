package agent

import "sync/atomic"

// Stats count what happened since New. They only grow.
type Stats struct {
	Datagrams, BytesIn uint64 // received
	Answers, BytesOut  uint64 // sent, reports included

	V1, V2c, V3 uint64 // requests by version, of those who may ask

	Gets, GetNexts, GetBulks, Sets uint64 // requests by what they ask
	Variables                      uint64 // handed out; exceptions count
	Written                        uint64 // variables set
	Pinned                         uint64 // variables handed out of a tree that was replaced meanwhile

	TooBigs     uint64 // answers with this error
	NoSuchNames uint64 // v1 only
	GenErrs     uint64
	Refusals    uint64 // to write: any other error

	// Dropped without an answer:
	RateLimited    uint64 // the source had too many
	Misdirected    uint64 // sent to a multicast or broadcast address, or from port 0
	Malformed      uint64 // no message
	BadVersions    uint64 // of another version
	BadCommunities uint64 // a community that is none, or not from there
	BadSecurity    uint64 // v3 that is neither let in nor told why
	NotRequests    uint64 // answers, traps, and what v1 has no request for
	SilentDrops    uint64 // nothing that may be answered fits
	SendErrors     uint64 // the kernel did not take the answer
	Replays        uint64 // v3 requests to write that came before

	Reports uint64 // v3: told what is wrong with a message
}

// counters are Stats that are written by several goroutines.
type counters struct {
	datagrams, bytesIn, answers, bytesOut, v1, v2c, v3, gets, getNexts, getBulks, sets, variables, written, pinned,
	tooBigs, noSuchNames, genErrs, refusals, rateLimited, misdirected, malformed, badVersions, badCommunities,
	badSecurity, notRequests, silentDrops, sendErrors, replays, reports atomic.Uint64
}

func (c *counters) stats() Stats {
	return Stats{
		Datagrams: c.datagrams.Load(), BytesIn: c.bytesIn.Load(),
		Answers: c.answers.Load(), BytesOut: c.bytesOut.Load(),
		V1: c.v1.Load(), V2c: c.v2c.Load(), V3: c.v3.Load(),
		Gets: c.gets.Load(), GetNexts: c.getNexts.Load(), GetBulks: c.getBulks.Load(), Sets: c.sets.Load(),
		Variables: c.variables.Load(), Written: c.written.Load(), Pinned: c.pinned.Load(),
		TooBigs: c.tooBigs.Load(), NoSuchNames: c.noSuchNames.Load(), GenErrs: c.genErrs.Load(), Refusals: c.refusals.Load(),
		RateLimited: c.rateLimited.Load(), Misdirected: c.misdirected.Load(), Malformed: c.malformed.Load(),
		BadVersions: c.badVersions.Load(), BadCommunities: c.badCommunities.Load(), BadSecurity: c.badSecurity.Load(),
		NotRequests: c.notRequests.Load(), SilentDrops: c.silentDrops.Load(), SendErrors: c.sendErrors.Load(),
		Replays: c.replays.Load(), Reports: c.reports.Load(),
	}
}
