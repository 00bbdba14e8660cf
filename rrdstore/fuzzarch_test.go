package rrdstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"lvs/rrdstore/chunk"
)

// FuzzCatalog: payloads, rightly sealed, are read or refused one by one, and an
// entity that is read is written back the same.
func FuzzCatalog(f *testing.F) {
	e := entity{id: identity{testKey(1), testRIP(6)}, name: "web", bypass: true, first: 5, last: 1 << 31}
	seed := func(bucket byte, write func(b []byte) []byte) { f.Add(bucket, uint32(7), write(nil)) }
	seed(0, func(b []byte) []byte { return binary.AppendUvarint(binary.AppendUvarint(b, 10), 20) })
	seed(1, func(b []byte) []byte { return append(b, 0x90, 0x1c, 0, 0, 1) })
	seed(2, func(b []byte) []byte { return append(appendString(b, "queue"), 1) })
	seed(3, func(b []byte) []byte { return e.append(b) })
	f.Fuzz(func(t *testing.T, bucket byte, number uint32, payload []byte) {
		name := []string{bucketMeta, bucketTier, bucketSource, bucketEntity}[bucket%4]
		key := windowKey(number)
		if name == bucketMeta {
			key = []byte([]string{keySchema, keyStep, keyNewest, "other"}[number%4])
		}
		r := archiveRecord{name, key, seal(append([]byte{recordVersion}, payload...), 0, name, 0, key)}
		c, err := parseCatalog([]archiveRecord{r})
		if err != nil && !errors.Is(err, ErrNewer) {
			t.Fatal(err)
		}
		for _, e := range c.entities {
			again := archiveRecord{name, key, seal(append([]byte{recordVersion}, e.append(nil)...), 0, name, 0, key)}
			c2, err := parseCatalog([]archiveRecord{again})
			if err != nil || c2.damaged != 0 || *c2.entities[e.id] != *e {
				t.Errorf("%+v came back as %+v, %v", e, c2.entities, err)
			}
		}
	})
}

// FuzzState: a state that parses is written back the same.
func FuzzState(f *testing.F) {
	st := newState()
	st.newest, st.oldest = firstTick+500, firstTick
	st.levels = []*level{{span: 3600, keep: 86400, frontier: firstTick - firstTick%3600, fed: true}, {step: 60, span: 3600, fed: true}}
	st.windows = map[uint32][]uint32{0: {3600, 7200}, 60: nil}
	f.Add(st.append(nil))
	f.Add(newState().append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		st, err := parseState(b)
		if err != nil {
			return
		}
		again, err := parseState(st.append(nil))
		if err != nil || !reflect.DeepEqual(st, again) {
			t.Errorf("%+v came back as %+v, %v", st, again, err)
		}
	})
}

// FuzzChunkQuery: a request of superchunks that parses is written back the same,
// and asks for each once.
func FuzzChunkQuery(f *testing.F) {
	for _, q := range []chunkQuery{{}, {60, []uint32{3600, 7200}, []uint32{}}, {0, []uint32{0, 1<<32 - 1}, []uint32{5, 6, 1 << 25}}} {
		f.Add(q.append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := parseChunkQuery(b)
		if err != nil {
			return
		}
		for _, numbers := range [][]uint32{q.windows, q.blocks} {
			if !slices.IsSorted(numbers) || len(slices.Compact(slices.Clone(numbers))) != len(numbers) {
				t.Errorf("it asks for %v", numbers)
			}
		}
		again, err := parseChunkQuery(q.append(nil))
		if err != nil || !reflect.DeepEqual(q, again) {
			t.Errorf("%+v came back as %+v, %v", q, again, err)
		}
	})
}

// FuzzClient: whatever a client sends, the owner answers in frames and ends.
func FuzzClient(f *testing.F) {
	for _, request := range [][]byte{
		{protocolVersion, requestCatalog}, {protocolVersion, requestState}, {1}, {protocolVersion, 'z', 0},
		query{end: 1<<32 - 1, all: true}.append([]byte{protocolVersion, requestRows}),
		chunkQuery{windows: []uint32{firstTick - firstTick%3600}}.append([]byte{protocolVersion, requestChunks}),
		append([]byte{protocolVersion, requestFile}, archName...),
	} {
		f.Add(append(binary.BigEndian.AppendUint32(nil, uint32(len(request))), request...))
	}
	f.Add([]byte{255, 255, 255, 255})
	dir := filled(f, 2, 5, 400)
	s := mustOpen(f, dir, Options{})
	mustMaintain(f, s)
	f.Fuzz(func(t *testing.T, b []byte) {
		here, there := net.Pipe()
		go func() {
			there.Write(b)
			if len(b) < 4 || uint64(len(b)) < 4+uint64(binary.BigEndian.Uint32(b)) {
				there.Close() // it will not say more
			}
		}()
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = readFrames(there, func(byte, []byte) error { return nil })
			io.Copy(io.Discard, there)
		}()
		s.serve(t.Context(), here)
		<-done
		there.Close()
		if n := s.db.Stats().OpenTxN + s.arch.Load().db.Stats().OpenTxN; n != 0 {
			t.Errorf("%d transactions are open", n)
		}
	})
}

// A hostileSource answers with what is well sealed and makes no sense.
type hostileSource struct {
	st      *storeState
	rnd     *rand.Rand
	records []archiveRecord
}

func (h *hostileSource) state(context.Context) (*storeState, error) { return h.st, nil }

func (h *hostileSource) catalog(context.Context, bool) ([]archiveRecord, error) {
	return h.records, nil
}

func (h *hostileSource) rows(_ context.Context, q query, emit func(scanRecord) error) error {
	var w rowWriter
	for i := range h.rnd.IntN(5) {
		window, tick := h.rnd.Uint32(), q.start+h.rnd.Uint32N(1000)
		slots := w.begin(i == 0 || h.rnd.IntN(2) == 0, []uint32{h.rnd.Uint32N(1 << 18), 1 << 16, 1<<16 + h.rnd.Uint32N(4)})
		for slot := range int32(3) {
			w.set(slot)[h.rnd.IntN(numValues)] = h.rnd.Uint64()
		}
		w.finish(window, tick, header{keyframe: len(slots) == 3, slots: slots}, []uint64{h.rnd.Uint64N(8)})
		for _, r := range w.records {
			if h.rnd.IntN(9) == 0 {
				continue
			}
			if err := emit(scanRecord{window: window, key: r.key, value: w.buf[r.start:r.end]}); err != nil {
				return err
			}
		}
		w.accept()
	}
	return nil
}

func (h *hostileSource) chunks(_ context.Context, q chunkQuery, emit func(chunkKey, []byte) error) error {
	for range h.rnd.IntN(5) {
		k := chunkKey{q.step, h.rnd.Uint32(), h.rnd.Uint32N(3)}
		if len(q.windows) > 0 && h.rnd.IntN(4) > 0 {
			k.window = q.windows[h.rnd.IntN(len(q.windows))]
		}
		if h.rnd.IntN(8) == 0 {
			k.step = h.rnd.Uint32()
		}
		if err := emit(k, h.chunk(k)); err != nil {
			return err
		}
	}
	return nil
}

// chunk is a superchunk of rows that may lie anywhere.
func (h *hostileSource) chunk(k chunkKey) []byte {
	head := &chunk.Header{Step: k.step, Start: k.window, Rows: h.rnd.IntN(40)}
	if h.rnd.IntN(3) == 0 {
		head.Start = h.rnd.Uint32()
	}
	if h.rnd.IntN(9) == 0 {
		head.Step = h.rnd.Uint32N(2) * 60
	}
	var slots [chunk.Slots][]byte
	if head.Step == 0 {
		tick := head.Start
		for range head.Rows {
			d := 1 + h.rnd.Uint32N(30)
			if tick > 1<<32-1-d {
				break
			}
			tick += d
			head.Ticks = append(head.Ticks, tick)
		}
		head.Rows = len(head.Ticks)
	}
	head.PDP = head.Step
	for _, n := range []uint32{6, 10} {
		if head.Step%n == 0 && h.rnd.IntN(2) == 0 {
			head.PDP = head.Step / n
		}
	}
	for range h.rnd.IntN(4) {
		slot := h.rnd.IntN(4)
		if head.Step == 0 {
			raw := &chunk.Raw{Resets: chunk.Bits{h.rnd.Uint64()}}
			for source := range uint16(11) {
				col := chunk.RawColumn{Source: source, Has: chunk.Bits{h.rnd.Uint64()}, Unknown: chunk.Bits{h.rnd.Uint64()}}
				for range col.Values(head.Rows) {
					if source%2 == 0 {
						col.Uints = append(col.Uints, h.rnd.Uint64())
					} else {
						col.Floats = append(col.Floats, h.rnd.NormFloat64())
					}
				}
				raw.Columns = append(raw.Columns, col)
			}
			slots[slot] = raw.Append(nil, head.Rows)
			continue
		}
		tier := &chunk.Tier{}
		for source := range uint16(11) {
			col := chunk.TierColumn{Source: source}
			col.Resize(head.Rows)
			for i := range col.Known {
				col.Known[i] = h.rnd.Uint32N(head.Step/head.PDP + 1)
				col.Sum[i], col.Max[i] = h.rnd.NormFloat64(), h.rnd.NormFloat64()
			}
			tier.Columns = append(tier.Columns, col)
		}
		slots[slot] = tier.Append(nil, head.Rows, head.Step/head.PDP)
	}
	return chunk.Append(nil, k.place(), head, &slots)
}

// FuzzHostileOwner: a reader gets through whatever an owner answers, as long as it
// is made of states that parse and records that are sealed.
func FuzzHostileOwner(f *testing.F) {
	st := newState()
	st.newest, st.oldest = firstTick+50000, firstTick+40000
	st.levels = []*level{
		{span: 3600, keep: 86400, frontier: firstTick + 40000 - (firstTick+40000)%3600, fed: true},
		{step: 7, span: 168 * 7}, {step: 60, span: 3600, keep: 1 << 20, frontier: firstTick - firstTick%3600, fed: true},
		{step: 3600, span: 7 * 86400, fed: true},
	}
	window := uint32(firstTick - firstTick%3600)
	st.windows = map[uint32][]uint32{0: {window, window + 3600, window + 36000}, 60: {window - 3600, window}, 7: {window - window%1176}}
	for seed := range uint64(8) {
		f.Add(seed, uint32(firstTick), uint32(20000), st.append(nil))
	}
	f.Add(uint64(1), uint32(1<<32-4000), uint32(3999), newState().append(nil))
	f.Fuzz(func(t *testing.T, seed uint64, start, length uint32, state []byte) {
		st, err := parseState(state)
		if err != nil || st.step < 5 || length > 20_000 {
			return // it may ask for much memory, but not for more than there is to show
		}
		h := &hostileSource{st: st, rnd: rand.New(rand.NewPCG(seed, 1))}
		for i := range uint32(5) {
			e := entity{aid: i, id: identity{testKey(int(i)), testRIP(int(i))}, first: h.rnd.Uint32(), last: h.rnd.Uint32()}
			if i == 0 {
				e.id = identity{}
			}
			key := windowKey(e.aid)
			h.records = append(h.records, archiveRecord{bucketEntity, key, seal(append([]byte{recordVersion}, e.append(nil)...), 0, bucketEntity, 0, key)})
			k := seriesKey{1<<16 + i%4, h.rnd.Uint32()}
			rec := record{id: e.id, until: h.rnd.Uint32N(3) * h.rnd.Uint32(), gone: i == 2}
			h.records = append(h.records, archiveRecord{bucketSeries, k.bytes(), rec.append(nil, k)})
		}
		r := &Reader{src: h}
		if err := r.refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		everything(t, r, start, length)
	})
}

// everything asks a reader for all that it can be asked for.
func everything(t *testing.T, r *Reader, start, length uint32) {
	begin, end := tickAt(int64(start)), tickAt(int64(start)+int64(length))
	for _, step := range []time.Duration{0, time.Second, 7 * time.Second, time.Minute, time.Hour, 1000 * time.Hour} {
		q := Query{
			Series: r.Series(), Functions: []Function{Average, Min, Max, Last}, Start: begin, End: end, Resolution: step,
			Sources: []string{"in_bytes", "active", ResetSource},
		}
		res, err := r.Fetch(t.Context(), q)
		if err != nil && !errors.Is(err, ErrTooMuch) {
			t.Fatal(err)
		}
		if err == nil && len(res.Columns) != 3*4*len(q.Series) {
			t.Errorf("%d columns", len(res.Columns))
		}
	}
	for row, err := range r.Rows(t.Context(), begin, end, func(*Series) bool { return true }) {
		if err != nil {
			break // it need not make sense
		}
		flipText(row)
	}
	if _, err := r.Info(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// FuzzVerifyArchive puts bytes anywhere into an archive: Verify refuses it, or
// bbolt can open it, read all of it and go on with it.
func FuzzVerifyArchive(f *testing.F) {
	from := f.TempDir()
	s := mustOpen(f, from, Options{})
	for i := range uint64(800) {
		mustTend(f, s, table(2, 4, stepAt(i), i))
	}
	if err := s.Close(); err != nil {
		f.Fatal(err)
	}
	files := make(disk)
	for _, name := range []string{headName, archName} {
		b, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			f.Fatal(err)
		}
		files[name] = b
	}
	f.Add(uint32(0), []byte{})
	f.Add(uint32(5*pageSize+8), []byte{1})
	f.Add(uint32(pageSize+16), []byte{0xed, 0xda, 0x0c, 0xed})
	f.Add(uint32(9*pageSize+10), []byte{255, 0, 1})
	f.Fuzz(func(t *testing.T, at uint32, b []byte) {
		dir := t.TempDir()
		for name, file := range files {
			if name == archName {
				file = bytes.Clone(file)
				copy(file[int(at)%len(file):], b)
			}
			if err := os.WriteFile(filepath.Join(dir, name), file, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, verified := Verify(filepath.Join(dir, archName))
		if verified != nil && !errors.Is(verified, ErrDamaged) && !errors.Is(verified, ErrNewer) {
			t.Errorf("refused with %v", verified)
		}
		s, err := Open(dir, Options{})
		if errors.Is(err, ErrNewer) && errors.Is(verified, ErrNewer) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		mustTend(t, s, table(2, 4, stepAt(800), 800))
		if aside := s.Stats().Aside; (aside != "") != (verified != nil) {
			t.Errorf("Verify says %v, and it was put aside as %q", verified, aside)
		}
		r, err := s.Reader(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		everything(t, r, firstTick, 8000)
	})
}
