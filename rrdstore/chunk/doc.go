// Package chunk is the codec of the archive's superchunks: the rows of up to 64
// entities over one window, as bytes. It knows columns of numbers and nothing of
// stores, files or what an entity is.
//
// [Raw] and [Tier] make the bytes of one entity, [Append] puts those of 64 into
// a superchunk, and [Parse] opens one so that each entity can be read by itself.
//
// # Superchunk
//
// A uvarint is an unsigned integer as in encoding/binary; zigzag maps 0, -1, 1,
// -2, … to 0, 1, 2, 3, …; CRC32C is written as 4 bytes, big endian.
//
//	version   1 byte: 1
//	length    uvarint, of the header
//	header    see below
//	checksum  CRC32C of the place, the version, the length and the header
//	slots     one after the other: each its bytes, and the CRC32C of the
//	          header's checksum (4 bytes), the slot's number (1 byte) and these
//	          bytes
//
// This much is so in every version. The header is
//
//	step, PDP, start, rows   uvarints; step 0: the rows are raw, and what their PDP
//	                         says is the caller's
//	present                  8 bytes, little endian: bit i, slot i
//	lengths                  a uvarint for each present slot, without checksum
//	ticks                    of raw rows, if any: a sequence of bits (see below),
//	                         the integers tick - start
//
// # Slot
//
// A slot begins with the uvarint columns<<2 | first<<1 | plain. If first is 1,
// the sources are 0, 1, 2, …; otherwise a uvarint for each follows: the first
// source, then how many each leaves out after the one before. If plain is 0,
// tables follow, of what columns lack and mostly share:
//
//	counts    of a tier: uvarint how many; each uvarint length and a sequence of
//	          so many bytes, the known data points of every row
//	sets      uvarint how many; each a bitmap over the rows
//	resets    of raw rows: uvarint, number of the set; 0 is none, 1 the first
//
// A bitmap is the uvarint 1 and a bit for each row, lowest bit first; or else the
// uvarint 2n and n run lengths (uvarints), first of rows not in the set, then in
// it and so on; the rest of the rows is one more run.
//
// A column is, in a slot that is not plain, first of all: of raw rows two set
// numbers, of the ticks that have an update (0: all) and of unknown updates (0:
// none); of a tier the number of its counts (0: all rows know all), and 4 bits as
// a uvarint: which of sum, minimum, maximum and last, from the lowest bit on, are
// missing in known rows, with a set number for each. Then come the uvarint
// n<<2 | form and, but for form 0, n bytes. Only values that are there are
// written: known updates, and of tiers rows with a known data point. If there is
// none, n is 0.
//
//	form 0  constant: zigzag n is every value; of a tier, minimum, maximum and
//	        last are, and the sum is known times n
//	form 1  raw integers: reference, sequence
//	form 2  numbers: reference, 4 bits for the scale, then for each part (of raw
//	        rows one, of tiers sum, minimum, maximum, last) numbers
//	form 3  numbers: for each part floats
//
// # Bits
//
// The bytes of a column are one string of bits, lowest bit of each byte first,
// filled up with zeros. A number is written in groups of 4 bits: 3 of its bits,
// lowest first, and whether more groups follow.
//
// A reference is a number: how many columns before is the one referred to, or 0.
// If it is not 0, the zigzag numbers mantissa and exponent follow; the factor is
// mantissa * 2^-exponent. That column is of form 1 or 2 and has as many values.
//
// A sequence is integers of 64 bits, modulo 2^64: 3 bits of mode and
//
//	0 constant  zigzag number: every integer
//	1 plain     blocks: the integers
//	2 delta     zigzag number: the first; blocks: the differences of the others
//	            from the one before
//	3 season    number s; then as delta, but from the s-th on (from 0) the
//	            differences are from the integer s before
//	4 mean      blocks: the differences from the row's mean
//	5 like      blocks: the differences from what the reference lets expect
//	6 within    for each integer, how far above the row's minimum it is
//
// The mean is sum/known and what is expected factor times an integer, computed in
// float64 and rounded towards zero. Expected are: of raw rows (as
// in delta) the factor times the other column's difference; of a tier's sum the
// factor times the other's sum; of the other parts the mean plus the factor times
// the difference of the other's part from its mean. Within is for last alone: its
// range is maximum - minimum = r, and with w bits in r and 2^w-1-r = t, a distance
// below t takes w-1 bits, any other is raised by t and takes w, of which the
// lowest is written last.
//
// Blocks are cut from n values at units of 8 values if n <= 128, else of 16. Each
// begins with three numbers: its units less 1 (the last unit may be short); its
// width less that of the block before, zigzag; its reference value less that of
// the block before, zigzag, both without their lowest width-4 bits, if it has so
// many. The block before the first has width 0 and value 0. Then the values
// follow, each less the reference value, in width bits.
//
// Numbers are a bit, 1 if there are extras, and a sequence; value i is integer i
// divided by the scale, of 1 2 3 4 5 6 8 10 12 15 20 30 60 100 300 1000. Extras are
// a number, how many patches there are, and for each how many values lie between
// it and the one before (a number) and 4 bits: 0 and the 64 bits of a float64, or
// the place of a scale and a number k: the value is (integer*scale + k)/scale. One
// more bit tells whether a sequence follows, of what to add to the bits of each
// quotient as if they were an integer.
//
// Floats are a bit 0 if a value's bits are those of the one before (at first,
// all are zero). Otherwise they are 1, a bit that is 1 if there is a new span (6
// bits for how many bits are left out below, 6 for how many are in it less 1), and
// the bits within the span in which the two differ.
package chunk
