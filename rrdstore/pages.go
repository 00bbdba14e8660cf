package rrdstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// What bbolt writes, in the machine's byte order. Source: internal/common in
// go.etcd.io/bbolt: page.go, meta.go, bucket.go.
const (
	pageHeader  = 16 // id u64, flags u16, count u16, overflow u32
	pageElement = 16 // of branches and leaves alike
	pageBranch  = 0x01
	pageLeaf    = 0x02
	pageMeta    = 0x04

	metaSize     = 64
	metaMagic    = 0xed0cdaed
	metaVersion  = 2
	noFreelist   = ^uint64(0)
	bucketLeaf   = 0x01 // flag of a leaf element that is a bucket
	bucketHeader = 16   // root page u64, sequence u64
	maxDepth     = 32
)

// A pageFile reads a bbolt file with plain reads and checks everything bbolt
// itself takes on trust from its memory map: bbolt panics, or the process dies
// of SIGBUS, on pages that are not what they should be. It is not safe for
// concurrent use, nor on a file that is being written.
type pageFile struct {
	r        io.ReaderAt
	size     int64  // of a page
	high     uint64 // the first page beyond those in use or free
	root     uint64
	freelist uint64
	tx       uint64 // of the meta page
	seen     []bool // by page: some bucket refers to it
	pages    int
	// brief leaves the values of elements out that go beyond a page.
	brief bool
}

// openPages reads the newer of the two meta pages that is intact. The first one
// tells the page size; where it does not, the second is looked for where pages of
// any usual size would put it.
func openPages(r io.ReaderAt, fileSize int64) (*pageFile, error) {
	best, err := readMeta(r, 0)
	at, end := int64(512), int64(64<<10)
	if err == nil {
		at, end = best.size, best.size
	}
	for ; at <= end; at *= 2 {
		if m, metaErr := readMeta(r, at); metaErr == nil && m.size == at && (best == nil || m.tx > best.tx) {
			best = m
		}
	}
	if best == nil {
		return nil, fmt.Errorf("neither meta page is intact: %w", err)
	}
	if best.high > uint64(fileSize/best.size) {
		return nil, fmt.Errorf("file ends at page %d of %d", fileSize/best.size, best.high)
	}
	best.seen = make([]bool, best.high)
	return best, nil
}

func readMeta(r io.ReaderAt, at int64) (*pageFile, error) {
	b := make([]byte, pageHeader+metaSize)
	if _, err := r.ReadAt(b, at); err != nil {
		return nil, err
	}
	ne, m := binary.NativeEndian, b[pageHeader:]
	sum := fnv.New64a()
	sum.Write(m[:metaSize-8])
	f := &pageFile{r: r, size: int64(ne.Uint32(m[8:])), root: ne.Uint64(m[16:]), freelist: ne.Uint64(m[32:]), high: ne.Uint64(m[40:]), tx: ne.Uint64(m[48:])}
	switch {
	case ne.Uint32(m) != metaMagic:
		return nil, errors.New("it is no bbolt file")
	case ne.Uint32(m[4:]) != metaVersion || ne.Uint16(b[8:]) != pageMeta:
		return nil, errors.New("meta page of another bbolt")
	case sum.Sum64() != ne.Uint64(m[56:]):
		return nil, errors.New("checksum of meta page differs")
	case f.size < 512 || f.size > 64<<10 || f.size&(f.size-1) != 0:
		return nil, fmt.Errorf("page size is %d", f.size)
	}
	return f, nil
}

// page reads page id with its overflow, and claims it: a page belongs to one
// place only.
func (f *pageFile) page(id uint64) ([]byte, error) {
	if id < 2 || id >= f.high {
		return nil, fmt.Errorf("page %d is outside of the file's %d", id, f.high)
	}
	b := make([]byte, f.size)
	if _, err := f.r.ReadAt(b, int64(id)*f.size); err != nil {
		return nil, fmt.Errorf("page %d: %w", id, err)
	}
	more := uint64(binary.NativeEndian.Uint32(b[12:]))
	if got := binary.NativeEndian.Uint64(b); got != id || more >= f.high-id {
		return nil, fmt.Errorf("page %d calls itself %d, with %d more", id, got, more)
	}
	for i := id; i <= id+more; i++ {
		if f.seen[i] {
			return nil, fmt.Errorf("page %d is used twice", i)
		}
		f.seen[i] = true
		f.pages++
	}
	if more > 0 && !(f.brief && binary.NativeEndian.Uint16(b[8:]) == pageLeaf && !bigTable(b)) {
		b = append(b, make([]byte, int64(more)*f.size)...)
		if _, err := f.r.ReadAt(b, int64(id)*f.size); err != nil {
			return nil, fmt.Errorf("page %d: %w", id, err)
		}
	}
	return b, nil
}

// bigTable reports whether the table of a leaf's elements goes beyond b.
func bigTable(b []byte) bool {
	return pageHeader+int(binary.NativeEndian.Uint16(b[10:]))*pageElement > len(b)
}

// length is how many bytes page id has with its overflow.
func (f *pageFile) length(b []byte) uint64 {
	return max(uint64(len(b)), (uint64(binary.NativeEndian.Uint32(b[12:]))+1)*uint64(f.size))
}

// An element is a key of a bucket with its value, or the bucket it names.
type element struct {
	bucket     bool
	key, value []byte
}

// A pageWalk goes through one bucket in order.
type pageWalk struct {
	f       *pageFile
	visit   func(element) error
	last    []byte // the key before
	any     bool
	atLeast []byte // the branch's key
}

// bucket visits the elements of a bucket, given its element's value.
func (f *pageFile) bucket(value []byte, visit func(element) error) error {
	if len(value) < bucketHeader {
		return fmt.Errorf("bucket is %d bytes, want %d or more", len(value), bucketHeader)
	}
	w := &pageWalk{f: f, visit: visit}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		return w.descend(root, 0)
	}
	return w.leaf(0, value[bucketHeader:])
}

// rootBucket visits the top of the file.
func (f *pageFile) rootBucket(visit func(element) error) error {
	return (&pageWalk{f: f, visit: visit}).descend(f.root, 0)
}

func (w *pageWalk) descend(id uint64, depth int) error {
	b, err := w.f.page(id)
	if err != nil {
		return err
	}
	switch flags := binary.NativeEndian.Uint16(b[8:]); {
	case flags == pageLeaf:
		return w.leaf(id, b)
	case flags != pageBranch:
		return fmt.Errorf("page %d has flags %#x, want a branch or leaf", id, flags)
	case depth >= maxDepth:
		return fmt.Errorf("page %d is %d deep", id, depth)
	}
	count := int(binary.NativeEndian.Uint16(b[10:]))
	if count == 0 || pageHeader+count*pageElement > len(b) {
		return fmt.Errorf("page %d has %d branches", id, count)
	}
	for i := range count {
		at := pageHeader + i*pageElement
		e := b[at:]
		key, err := cut(b, at, binary.NativeEndian.Uint32(e), binary.NativeEndian.Uint32(e[4:]))
		if err != nil {
			return fmt.Errorf("page %d: branch %d: %w", id, i, err)
		}
		if w.any && bytes.Compare(key, w.last) <= 0 {
			return fmt.Errorf("page %d: branch %d is out of order", id, i)
		}
		w.atLeast = key
		if err := w.descend(binary.NativeEndian.Uint64(e[8:]), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// leaf visits a leaf page; an inline one has id 0.
func (w *pageWalk) leaf(id uint64, b []byte) error {
	if len(b) < pageHeader || binary.NativeEndian.Uint16(b[8:]) != pageLeaf {
		return fmt.Errorf("page %d is no leaf", id)
	}
	count := int(binary.NativeEndian.Uint16(b[10:]))
	if pageHeader+count*pageElement > len(b) {
		return fmt.Errorf("page %d has %d elements in %d bytes", id, count, len(b))
	}
	for i := range count {
		at := pageHeader + i*pageElement
		e := b[at:]
		flags, pos := binary.NativeEndian.Uint32(e), binary.NativeEndian.Uint32(e[4:])
		ksize, vsize := binary.NativeEndian.Uint32(e[8:]), binary.NativeEndian.Uint32(e[12:])
		both, err := w.f.cut(id, b, at, pos, ksize, vsize)
		if err == nil && flags&^bucketLeaf != 0 {
			err = fmt.Errorf("flags %#x", flags)
		}
		if err != nil {
			return fmt.Errorf("page %d: element %d: %w", id, i, err)
		}
		key := both[:ksize:ksize]
		if w.any && bytes.Compare(key, w.last) <= 0 || bytes.Compare(key, w.atLeast) < 0 {
			return fmt.Errorf("page %d: element %d is out of order", id, i)
		}
		w.last, w.any = key, true
		if err := w.visit(element{flags&bucketLeaf != 0, key, both[ksize:]}); err != nil {
			return err
		}
	}
	return nil
}

// cut is cut, but where the page was read in brief it reads the key and leaves
// the value out.
func (f *pageFile) cut(id uint64, b []byte, at int, pos, ksize, vsize uint32) ([]byte, error) {
	end := uint64(at) + uint64(pos) + uint64(ksize) + uint64(vsize)
	if id == 0 || end <= uint64(len(b)) || end > f.length(b) || pos < pageElement || ksize > 1<<15 {
		return cut(b, at, pos, ksize, vsize)
	}
	key := make([]byte, ksize)
	_, err := f.r.ReadAt(key, int64(id)*f.size+int64(at)+int64(pos))
	return key, err
}

// cut is the bytes of an element at b[at], which begin pos after it.
func cut(b []byte, at int, pos uint32, sizes ...uint32) ([]byte, error) {
	from := uint64(at) + uint64(pos)
	to := from
	for _, n := range sizes {
		to += uint64(n)
	}
	if pos < pageElement || to > uint64(len(b)) {
		return nil, fmt.Errorf("bytes %d to %d of %d", from, to, len(b))
	}
	return b[from:to:to], nil
}
