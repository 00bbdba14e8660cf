package rrdstore

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"go.etcd.io/bbolt"
)

// archSchema is the version of arch.db as a whole.
const archSchema = 1

// A catalog is what an archive holds besides data.
type catalog struct {
	entities map[identity]*entity
	byAID    map[uint32]*entity
	nextAID  uint32
	sources  map[string]sourceEntry
	byID     map[uint16]Source
	nextID   uint16   // of a source, at least
	levels   []*level // by step: the raw rows first
	// step is that of primary data points, beat the longest interval between
	// ticks that is known; both in seconds.
	step, beat uint32
	newest     uint32 // the last tick of an import
	damaged    int
}

// An entity is an identity that the archive knows, for ever under one number.
type entity struct {
	aid    uint32
	id     identity
	name   string
	bypass bool
	// first is its first tick; last the last one, zero while it is still there.
	first, last uint32
}

type sourceEntry struct {
	id uint16
	Source
}

// An archiveRecord is one of the catalog's records as it is in the file.
type archiveRecord struct {
	bucket     string
	key, value []byte
}

// archiveRecords copies the catalog's records.
func archiveRecords(tx *bbolt.Tx) (all []archiveRecord, err error) {
	if tx.Bucket([]byte(bucketData)) == nil {
		return nil, nil
	}
	for _, name := range []string{bucketMeta, bucketTier, bucketSource, bucketEntity} {
		b := tx.Bucket([]byte(name))
		if b == nil {
			return nil, fmt.Errorf("%w: bucket %q is missing", ErrDamaged, name)
		}
		err := b.ForEach(func(k, v []byte) error {
			all = append(all, archiveRecord{name, append([]byte(nil), k...), append([]byte(nil), v...)})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// parseCatalog reads the records. Damaged ones are left out and counted.
func parseCatalog(records []archiveRecord) (catalog, error) {
	c := catalog{
		entities: make(map[identity]*entity, len(records)), byAID: make(map[uint32]*entity, len(records)),
		sources: make(map[string]sourceEntry), byID: make(map[uint16]Source),
	}
	for i, s := range standardSources {
		c.sources[s.Name], c.byID[uint16(i)] = sourceEntry{uint16(i), s}, s
	}
	reset := Source{ResetSource, Gauge}
	c.sources[ResetSource], c.byID[resetID] = sourceEntry{resetID, reset}, reset
	for _, r := range records {
		if r.bucket == bucketSeries {
			continue // the head's
		}
		if r.bucket == bucketEntity { // a damaged one's number must not be given again
			c.nextAID = max(c.nextAID, keyNumber(r.key)+1)
		}
		if r.bucket == bucketSource {
			c.nextID = max(c.nextID, uint16(keyNumber(r.key))+1)
		}
		payload, err := unseal(r.value, r.bucket, 0, r.key)
		if err == nil {
			err = c.parse(r, &parser{b: payload})
		}
		if isNewer(err) {
			return catalog{}, err
		}
		if err != nil {
			c.damaged++
		}
	}
	sortLevels(c.levels)
	return c, nil
}

func (c *catalog) parse(r archiveRecord, p *parser) error {
	switch r.bucket {
	case bucketMeta:
		switch string(r.key) {
		case keySchema:
			if v := p.byte(); v > archSchema {
				return fmt.Errorf("archive schema %d: %w", v, ErrNewer)
			}
		case keyStep:
			c.step, c.beat = uint32(p.uvarint()), uint32(p.uvarint())
		case keyNewest:
			c.newest = uint32(p.uvarint())
		}
	case bucketTier:
		l := &level{step: keyNumber(r.key), span: uint32(p.uvarint()), keep: uint32(p.uvarint()), frontier: uint32(p.uvarint())}
		l.fed = p.byte() != 0
		l.first = uint32(p.uvarint())
		if p.err == nil && l.span != 0 {
			c.levels = append(c.levels, l)
		}
	case bucketSource:
		s := Source{Name: p.string(), Kind: Kind(p.byte())}
		if id := uint16(keyNumber(r.key)); p.err == nil {
			c.sources[s.Name], c.byID[id] = sourceEntry{id, s}, s
		}
	case bucketEntity:
		return c.parseEntity(keyNumber(r.key), p)
	}
	return p.end()
}

func (c *catalog) parseEntity(aid uint32, p *parser) error {
	e := &entity{aid: aid, bypass: p.byte() != 0}
	key, rip := p.string(), p.string()
	e.name = p.string()
	e.first, e.last = uint32(p.uvarint()), uint32(p.uvarint())
	if err := p.end(); err != nil {
		return err
	}
	var err error
	if e.id, err = parseIdentity(key, rip); err != nil {
		return err
	}
	c.add(e)
	return nil
}

func (c *catalog) add(e *entity) {
	c.entities[e.id], c.byAID[e.aid] = e, e
	c.nextAID = max(c.nextAID, e.aid+1)
}

func (c *catalog) level(step uint32) *level {
	for _, l := range c.levels {
		if l.step == step {
			return l
		}
	}
	return nil
}

// keyNumber is the number of a key of 4 bytes.
func keyNumber(k []byte) uint32 {
	if len(k) != 4 {
		return 0
	}
	return binary.BigEndian.Uint32(k)
}

func (e *entity) put(tx *bbolt.Tx) error {
	return putRecord(tx, bucketEntity, e.aid, e.append([]byte{recordVersion}))
}

// append writes the record's payload; see parseEntity.
func (e *entity) append(b []byte) []byte {
	flag := byte(0)
	if e.bypass {
		flag = 1
	}
	b = appendString(append(b, flag), keyText(e.id.key))
	b = appendString(appendString(b, ripText(e.id.rip)), e.name)
	return binary.AppendUvarint(binary.AppendUvarint(b, uint64(e.first)), uint64(e.last))
}

func (l *level) put(tx *bbolt.Tx) error {
	b := binary.AppendUvarint([]byte{recordVersion}, uint64(l.span))
	b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(l.keep)), uint64(l.frontier))
	fed := byte(0)
	if l.fed {
		fed = 1
	}
	return putRecord(tx, bucketTier, l.step, binary.AppendUvarint(append(b, fed), uint64(l.first)))
}

func (s sourceEntry) put(tx *bbolt.Tx) error {
	b := append(appendString([]byte{recordVersion}, s.Name), byte(s.Kind))
	return putRecord(tx, bucketSource, uint32(s.id), b)
}

// Further keys of bucket meta.
const (
	keyStep   = "step"
	keyNewest = "newest"
)

// putMeta stores numbers under a key of bucket meta.
func putMeta(tx *bbolt.Tx, key string, numbers ...uint32) error {
	b := []byte{recordVersion}
	for _, n := range numbers {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return tx.Bucket([]byte(bucketMeta)).Put([]byte(key), seal(b, 0, bucketMeta, 0, []byte(key)))
}

func putRecord(tx *bbolt.Tx, bucket string, number uint32, b []byte) error {
	k := windowKey(number)
	return tx.Bucket([]byte(bucket)).Put(k, seal(b, 0, bucket, 0, k))
}

// known is the source of that name, made with a number of its own if there is
// none.
func (c *catalog) known(s Source) (e sourceEntry, isNew bool, err error) {
	if e, ok := c.sources[s.Name]; ok {
		return e, false, nil
	}
	id := max(importedID, c.nextID)
	for _, have := range slices.Sorted(maps.Keys(c.byID)) {
		id = max(id, have+1)
	}
	if id >= maxSources {
		return sourceEntry{}, false, fmt.Errorf("source %q: an archive holds no more than %d sources", s.Name, maxSources)
	}
	e = sourceEntry{id, s}
	c.sources[s.Name], c.byID[id] = e, s
	return e, true, nil
}

// maxSources bounds what an import may bring.
const maxSources = 4096
