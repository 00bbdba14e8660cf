// Package rrdstore keeps a director's history and the accounts that outlive the
// kernel's entries, in two bbolt files that stay bounded.
//
// A store is a directory. Its owner, one process at a time, writes one row per
// tick with [Store.Commit] and calls [Store.Maintain] after it; anyone who may
// read the directory reads it with [OpenReader], from the files themselves when
// nobody owns them and otherwise through a socket that the owner serves. A copy of
// the directory made by [Backup] is a store as well.
//
//	head.db      accounts, and the rows of windows that are not over
//	arch.db      closed windows of rows, and tiers made of them
//	head.db.damaged-TIME, arch.db.damaged-TIME
//	             files that were put aside because they could not be used
//	lock         locked by the owner; holds its process id
//	clean        exists after an orderly close; describes both files at that time
//	store.sock   where the owner serves readers
//
// # Numbers and series
//
// A series is what one virtual service, real server or the director counted
// under one number: service number<<16 | real number, the service itself having
// real number 0 and the director 0 alone. A number may pass to another identity
// when its owner has long gone; rows before that tick go on belonging to the
// older one, because every series begins at a tick and ends where it was
// superseded. The archive knows entities instead: an identity, whatever numbers
// it had, under an archive number (aid) that never passes to another.
//
// # Levels
//
// Level 0 of the archive is the rows as they came; the others are tiers. A level
// is kept in windows, which begin at multiples of their span since 1970: an hour
// for steps up to a minute, a day for those up to 24 minutes, a week for those up
// to 168 minutes, otherwise 364 days; and 168 rows of a step that divides none of
// these, which only imports bring.
//
// [Store.Maintain] does a bounded part of what is to be done, in this order, and
// one transaction of arch.db at most:
//
//   - it closes the oldest window of level 0 that is over, some blocks at a time:
//     what the head has is merged with what is there. With the last block the
//     level's frontier moves to the window's end: later commits remove the head's
//     windows that lie before it. A window is thus in one of the files at any
//     time, and in both after a crash in between, when it is only taken over
//     again.
//   - it closes the oldest window of a tier whose rows follow from the next finer
//     level: that one's frontier has reached its end, and the last row a heartbeat
//     beyond;
//   - it removes the oldest window of a level, when its time to be kept is over and
//     the next tier is made of it, or when the file is too full: then the level
//     goes first that has most of what it would keep.
//
// What is beyond a level's frontier is made of the next finer one when it is asked
// for. A tier that is added later begins with frontier 0 and is filled from what
// there is.
//
// # File format
//
// Every value begins with its version and ends with the CRC32C (big endian) of
// where it is kept, its version and its payload, in every version of the format.
// Integers are varints (encoding/binary) unless a width is given; keys are big
// endian. The first key of both files is meta/"schema", the version of the whole
// file: an older one is migrated on opening, a newer one refused and left alone.
// Both are at schema 1.
//
// A head.db has
//
//	meta/"peaks"                      tick and time of a row, and the peaks of the
//	                                  rows up to it: number (as a difference) and
//	                                  connections
//	series/<number u32><first tick u32>
//	                                  who has the number from that tick on, and
//	                                  the account that row values do not tell
//	row/<first tick u32>/             a window: the rows of about an hour
//	    <tick u32><0 u16>             header: time, director, slots
//	    <tick u32><block+1 u16>       64 slots of the row
//
// A slot is a series' place in the rows of a window; headers say which series
// take new slots. Rows hold Total and the gauges as zigzag differences from the
// row before, modulo 2^64, so that every value is exact; a keyframe, which
// begins each window and comes at least every 64 rows, takes the differences
// from zero. Total minus Kernel changes at resets only and is kept in the
// series, which is how an account is restored exactly without being written at
// each tick. A peak of connections is in the series, in meta/"peaks", which
// is written with a keyframe, or in the rows since, whichever is most. A series
// with a peak, or with changes of state, is of version 2, which programs that do
// not know these refuse to open.
//
// An arch.db has
//
//	meta/"step"                       step of primary data points and heartbeat,
//	                                  seconds
//	meta/"newest"                     the last tick that an import brought
//	entity/<aid u32>                  flags (1: replies bypass the director), key,
//	                                  RIP and name, each with its length; first
//	                                  tick, last tick (0: still there)
//	source/<number u32>               name with its length, kind (u8), of sources
//	                                  that imports brought, from number 16 on;
//	                                  the standard ones are 0 to 8, resets 9
//	tier/<step u32>                   a level: span, keep (0: for ever), frontier,
//	                                  fed (u8: windows are made as time goes by),
//	                                  where imported rows begin (0: there are none)
//	data/<step u32>/<window u32>/<block u32>
//	                                  the rows of entities 64*block to 64*block+63
//	                                  as a superchunk
//
// A superchunk has checksums of its own, one for its header and one for each
// entity, which cover where it is kept: bucket "data", step, window and block. Its
// format is package chunk's. A superchunk of level 0 holds the raw values at every
// tick, and in the place of a step of data points the heartbeat of its time; one of
// a tier in each row how many data points are known, their sum, minimum, maximum
// and the last one.
//
// # Damage
//
// bbolt trusts what it reads. So a file is looked at with plain reads before
// bbolt is let near it: all records of head.db, and of arch.db, unless it was
// closed in order, all of what bbolt relies on and the catalog. A file that cannot
// be used is put aside. A record that does not fit its checksum is left out and
// counted, whenever it is read; what was in it is absent, and nothing else changes.
package rrdstore
