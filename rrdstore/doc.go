// Package rrdstore keeps a director's history and the accounts that outlive the
// kernel's entries, in one bbolt file that stays bounded.
//
// A store is a directory. Its owner, one process at a time, writes one row per
// tick with [Store.Commit]; anyone who may read the directory reads it with
// [OpenReader], from the file itself when nobody owns it and otherwise through a
// socket that the owner serves.
//
//	head.db      the bbolt file
//	head.db.damaged-TIME
//	             a file that was put aside because it could not be used
//	lock         locked by the owner; holds its process id
//	clean        exists after an orderly close; describes head.db at that time
//	store.sock   where the owner serves readers
//
// # Numbers and series
//
// A series is what one virtual service, real server or the director counted
// under one number: service number<<16 | real number, the service itself having
// real number 0 and the director 0 alone. A number may pass to another identity
// when its owner has long gone; rows before that tick go on belonging to the
// older one, because every series begins at a tick and ends where it was
// superseded.
//
// # File format
//
// Every value begins with its version and ends with the CRC32C (big endian) of
// where it is kept, its version and its payload, in every version of the format.
// Integers are varints (encoding/binary) unless a width is given.
//
//	meta/"schema"                     version of the whole file
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
// each tick.
package rrdstore
