package recording

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/stream"
)

// A memFile is a File in memory that counts writes and fails on request.
type memFile struct {
	data     []byte
	writes   []int // bytes of each write that was asked for
	failAt   int   // the write that fails, from 1; 0: none
	partial  int   // bytes that it lets through
	failWith error // nil: a short write without an error
	truncate error
	cuts     []int64
}

func (f *memFile) Write(p []byte) (int, error) {
	f.writes = append(f.writes, len(p))
	if len(f.writes) == f.failAt {
		f.data = append(f.data, p[:f.partial]...)
		return f.partial, f.failWith
	}
	f.data = append(f.data, p...)
	return len(p), nil
}

func (f *memFile) Truncate(size int64) error {
	f.cuts = append(f.cuts, size)
	if f.truncate == nil {
		f.data = f.data[:size]
	}
	return f.truncate
}

// everyType has a column of each storage type, with and without nulls, plain
// and run-end encoded.
func everyType() *stream.Stream {
	s := &stream.Stream{Name: "test", Device: "Test Device", DeviceID: 10, DeviceAddress: 0x102, AcqClockHz: 250_000_000, HubClockHz: 50_000_000, StartUTC: "2026-11-21T12:00:00Z", Simulated: true, RowsPerBatch: 100,
		Extra: []stream.KeyValue{{Key: "lab", Value: "µ 7"}}}
	s.Columns = append(s.Columns, stream.Column{Name: "Clock", Type: stream.Uint64, Unit: "s", Scale: 4e-9})
	for t := stream.Bool; t <= stream.Float64; t++ {
		s.Columns = append(s.Columns,
			stream.Column{Name: t.String(), Type: t},
			stream.Column{Name: t.String() + "_null", Type: t, Nullable: true},
			stream.Column{Name: t.String() + "_ree", Type: t, RunEnd: true, Stride: 12},
			stream.Column{Name: t.String() + "_ree_null", Type: t, RunEnd: true, Nullable: true})
	}
	s.Columns = append(s.Columns, stream.Column{Name: "raw", Type: stream.FixedBinary, ByteWidth: 7}, stream.Column{Name: "raw_null", Type: stream.FixedBinary, ByteWidth: 3, Nullable: true})
	return s
}

func memoryWidth(c *stream.Column) int {
	if w := c.Type.Width(); w != 0 {
		return w
	}
	return c.ByteWidth
}

// randomBatch fills columns of s for rows rows; Clock rises by 10 a row from
// start. Run-end encoded columns hold runs of 1 to 12 equal rows.
func randomBatch(r *rand.Rand, s *stream.Stream, start int64, rows int) []Vector {
	columns := make([]Vector, len(s.Columns))
	for i := range s.Columns {
		c := &s.Columns[i]
		width := memoryWidth(c)
		v := Vector{Column: i, Type: c.Type, Len: rows, Data: make([]byte, rows*width)}
		if c.Nullable && r.IntN(4) != 0 {
			v.Valid = make([]byte, rows)
		}
		for row := 0; row < rows; {
			run := 1
			if c.RunEnd {
				run = min(1+r.IntN(12), rows-row)
			}
			value := make([]byte, width)
			for j := range value {
				value[j] = byte(r.Uint32())
			}
			if c.Type == stream.Bool {
				value[0] &= 1
			}
			valid := byte(min(1, r.IntN(3)))
			for range run {
				if v.Valid != nil {
					v.Valid[row] = valid
				}
				if v.Valid == nil || valid != 0 {
					copy(v.Data[row*width:], value)
				}
				row++
			}
		}
		if c.Name == "Clock" {
			for row := range rows {
				binary.LittleEndian.PutUint64(v.Data[8*row:], uint64(1000+10*(start+int64(row))))
			}
		}
		columns[i] = v
	}
	return columns
}

// writeRandom writes batches of the given sizes and returns the file and what
// went in.
func writeRandom(t testing.TB, s *stream.Stream, codec Codec, seed uint64, batches ...int) (*memFile, [][]Vector) {
	t.Helper()
	f := &memFile{}
	w, err := NewWriter(f, s, WriterOptions{Codec: codec})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 1))
	var all [][]Vector
	var start int64
	for _, rows := range batches {
		columns := randomBatch(r, s, start, rows)
		if _, err := w.WriteBatch(rows, columns); err != nil {
			t.Fatal(err)
		}
		start += int64(rows)
		all = append(all, columns)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if w.Size() != int64(len(f.data)) || w.Rows() != start || w.Batches() != len(batches) {
		t.Fatalf("size %d of %d, %d rows of %d, %d batches of %d", w.Size(), len(f.data), w.Rows(), start, w.Batches(), len(batches))
	}
	return f, all
}

var everyCodec = map[string]Codec{"none": None, "zstd": Zstd, "lz4": LZ4}

func TestEachBatchIsOneWriteAndTheSchemaIsWrittenAtOnce(t *testing.T) {
	for name, codec := range everyCodec {
		f := &memFile{}
		s := everyType()
		w, err := NewWriter(f, s, WriterOptions{Codec: codec})
		if err != nil {
			t.Fatal(err)
		}
		if len(f.writes) != 1 || !bytes.HasPrefix(f.data, []byte("ARROW1\x00\x00\xff\xff\xff\xff")) {
			t.Fatalf("%s: %d writes before the first batch, file begins %q", name, len(f.writes), f.data[:min(12, len(f.data))])
		}
		for i := range 3 {
			if _, err := w.WriteBatch(50, randomBatch(rand.New(rand.NewPCG(1, 1)), s, int64(50*i), 50)); err != nil {
				t.Fatal(err)
			}
			if len(f.writes) != 2+i || int64(len(f.data)) != w.Size() {
				t.Fatalf("%s: %d writes after batch %d", name, len(f.writes), i)
			}
		}
		if _, err := w.WriteBatch(0, randomBatch(rand.New(rand.NewPCG(1, 1)), s, 0, 0)); err != nil || len(f.writes) != 4 {
			t.Errorf("%s: no rows made %d writes, %v", name, len(f.writes)-4, err)
		}
		for range 2 {
			if err := w.Close(); err != nil || len(f.writes) != 5 {
				t.Fatalf("%s: close made %d writes, %v", name, len(f.writes)-4, err)
			}
		}
		if _, err := w.WriteBatch(1, randomBatch(rand.New(rand.NewPCG(1, 1)), s, 0, 1)); !errors.Is(err, errClosed) {
			t.Errorf("%s: a batch after Close gives %v", name, err)
		}
	}
}

// The rules about bytes that FORMAT.md states.
func TestBuffersBeginAtMultiplesOf64AndPaddingIsZero(t *testing.T) {
	for name, codec := range everyCodec {
		f, _ := writeRandom(t, everyType(), codec, 7, 33, 100, 1)
		footer := footerOf(t, f.data)
		for i, block := range footer.Batches {
			m := messageAt(t, f.data, block)
			body := block.Offset + int64(block.MetaLength)
			used := make([]bool, block.BodyLength)
			for j, b := range m.Batch.Buffers {
				if (body+b.Offset)%bodyAlign != 0 {
					t.Errorf("%s: buffer %d of batch %d begins at %d", name, j, i, body+b.Offset)
				}
				for k := range b.Length {
					used[b.Offset+k] = true
				}
				if b.Length > 0 && codec == Zstd {
					p := f.data[body+b.Offset:]
					if n := int64(binary.LittleEndian.Uint64(p)); n <= 0 || !bytes.HasPrefix(p[8:], []byte{0x28, 0xB5, 0x2F, 0xFD}) || p[12]&4 == 0 {
						t.Errorf("%s: buffer %d of batch %d: length %d, frame begins % x: want a zstd frame with a checksum", name, j, i, n, p[8:13])
					}
				}
			}
			for k, u := range used {
				if !u && f.data[body+int64(k)] != 0 {
					t.Fatalf("%s: padding byte at %d is not 0", name, body+int64(k))
				}
			}
			if block.Offset%bodyAlign != 0 || block.BodyLength%bodyAlign != 0 {
				t.Errorf("%s: batch %d at %d with a body of %d bytes", name, i, block.Offset, block.BodyLength)
			}
		}
	}
}

func footerOf(t testing.TB, file []byte) *arrowipc.Footer {
	t.Helper()
	n := int(binary.LittleEndian.Uint32(file[len(file)-10:]))
	footer, err := arrowipc.ParseFooter(file[len(file)-10-n : len(file)-10])
	if err != nil {
		t.Fatal(err)
	}
	return footer
}

func messageAt(t testing.TB, file []byte, block arrowipc.Block) *arrowipc.Message {
	t.Helper()
	m, err := arrowipc.ParseMessage(file[block.Offset+8 : block.Offset+int64(block.MetaLength)])
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSameInputSameBytes(t *testing.T) {
	for name, codec := range everyCodec {
		a, _ := writeRandom(t, everyType(), codec, 3, 100, 100, 40)
		b, _ := writeRandom(t, everyType(), codec, 3, 100, 100, 40)
		if !bytes.Equal(a.data, b.data) {
			t.Errorf("%s: two runs differ", name)
		}
		// What came before must not show either.
		s := everyType()
		batch := randomBatch(rand.New(rand.NewPCG(9, 9)), s, 0, 100)
		f := &memFile{}
		w, err := NewWriter(f, s, WriterOptions{Codec: codec})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range [][]Vector{batch, randomBatch(rand.New(rand.NewPCG(8, 8)), s, 0, 100), batch} {
			if _, err := w.WriteBatch(100, c); err != nil {
				t.Fatal(err)
			}
		}
		first, last := f.data[w.blocks[0].Offset:w.blocks[1].Offset], f.data[w.blocks[2].Offset:]
		if !bytes.Equal(first, last) {
			t.Errorf("%s: the same batch gives other bytes the second time", name)
		}
	}
}

func TestFirstFailedWriteEndsTheWriterAtTheLastWholeBatch(t *testing.T) {
	disk := errors.New("no space left on device")
	for _, c := range []struct {
		name    string
		failAt  int // 1 schema, 2.. batches, 5 footer
		partial int
		err     error
	}{
		{"schema refused", 1, 0, disk},
		{"schema short", 1, 9, nil},
		{"batch refused", 3, 0, disk},
		{"batch short with an error", 3, 777, disk},
		{"batch short without an error", 3, 777, nil},
		{"footer short", 5, 11, disk},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := everyType()
			f := &memFile{failAt: c.failAt, partial: c.partial, failWith: c.err}
			want := c.err
			if want == nil {
				want = io.ErrShortWrite
			}
			w, err := NewWriter(f, s, WriterOptions{})
			if c.failAt == 1 {
				if !errors.Is(err, want) || w != nil || len(f.data) != 0 {
					t.Fatalf("%v, %d bytes left", err, len(f.data))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var first error
			whole := w.Size()
			for i := range 3 {
				_, err := w.WriteBatch(20, randomBatch(rand.New(rand.NewPCG(1, 1)), s, int64(20*i), 20))
				if first == nil {
					first = err
				} else if err != first {
					t.Errorf("batch %d after the failure: %v", i, err)
				}
				if err == nil {
					whole = w.Size()
				}
			}
			if err := w.Close(); first == nil {
				first = err
			}
			if !errors.Is(first, want) || w.Close() != first || written(w.WriteBatch(20, nil)) != first {
				t.Fatalf("first %v, then %v", first, w.Close())
			}
			if int64(len(f.data)) != whole || w.Size() != whole || len(f.cuts) != 1 || len(f.writes) != c.failAt {
				t.Errorf("%d bytes left, %d are whole; cuts %v; %d writes", len(f.data), whole, f.cuts, len(f.writes))
			}
			if w.Batches() != min(c.failAt-2, 3) || w.Rows() != int64(20*w.Batches()) {
				t.Errorf("%d batches with %d rows", w.Batches(), w.Rows())
			}
		})
	}
}

func TestAFailedTruncateIsTold(t *testing.T) {
	disk, gone := errors.New("input/output error"), errors.New("device is gone")
	s := everyType()
	f := &memFile{failAt: 2, partial: 5, failWith: disk, truncate: gone}
	w, err := NewWriter(f, s, WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.WriteBatch(20, randomBatch(rand.New(rand.NewPCG(1, 1)), s, 0, 20))
	if !errors.Is(err, disk) || !errors.Is(err, gone) || w.Close() != err || len(f.cuts) != 1 {
		t.Errorf("%v, then %v; cuts %v", err, w.Close(), f.cuts)
	}
}

func TestABatchThatDoesNotFitIsRefusedAndHarmsNothing(t *testing.T) {
	s := &stream.Stream{Name: "s", Columns: []stream.Column{{Name: "a", Type: stream.Uint16}, {Name: "b", Type: stream.Int32, RunEnd: true}, {Name: "c", Type: stream.Int8, Nullable: true}}}
	good := func() []Vector {
		return []Vector{{Data: make([]byte, 8)}, {Data: make([]byte, 16)}, {Data: make([]byte, 4), Valid: []byte{1, 0, 1, 1}}}
	}
	for name, c := range map[string]struct {
		damage func(v []Vector) []Vector
		say    string
	}{
		"a column too few":              {func(v []Vector) []Vector { return v[:2] }, "2 columns, the schema has 3"},
		"a value too few":               {func(v []Vector) []Vector { v[0].Data = v[0].Data[:6]; return v }, `"a": 6 bytes for 4 rows`},
		"another length":                {func(v []Vector) []Vector { v[0].Len = 3; return v }, `"a": 3 rows in a batch of 4`},
		"validity too short":            {func(v []Vector) []Vector { v[2].Valid = v[2].Valid[:3]; return v }, `"c": validity of 3 rows`},
		"nulls where there may be none": {func(v []Vector) []Vector { v[0].Valid = make([]byte, 4); return v }, `"a": nulls`},
		"run ends that stop early":      {func(v []Vector) []Vector { v[1].RunEnds = []int32{3}; return v }, `"b": run ends stop at 3`},
		"run ends that go back":         {func(v []Vector) []Vector { v[1].RunEnds = []int32{3, 3, 4}; return v }, `"b": run ends at 3 after 3`},
		"run ends beyond the batch":     {func(v []Vector) []Vector { v[1].RunEnds = []int32{5}; return v }, `"b": run ends at 5`},
		"a value that changes in a run": {func(v []Vector) []Vector { v[1].RunEnds, v[1].Data[8] = []int32{4}, 1; return v }, `"b": the value changes at row 2`},
	} {
		f := &memFile{}
		w, err := NewWriter(f, s, WriterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		before := len(f.data)
		if _, err := w.WriteBatch(4, c.damage(good())); err == nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := w.WriteBatch(4, good()); err != nil || w.Batches() != 1 || len(f.data) == before {
			t.Errorf("%s: a good batch afterwards: %v", name, err)
		}
	}
}

func TestStreamsThatCannotBeWrittenAreRefused(t *testing.T) {
	for name, columns := range map[string][]stream.Column{
		"text":               {{Name: "a", Type: stream.Other}},
		"no width":           {{Name: "a", Type: stream.FixedBinary}},
		"a name twice":       {{Name: "a", Type: stream.Int8}, {Name: "a", Type: stream.Int8}},
		"a type in the text": {{Name: "a", Type: stream.Int64, ArrowType: "timestamp[us]"}},
	} {
		f := &memFile{}
		if _, err := NewWriter(f, &stream.Stream{Columns: columns}, WriterOptions{}); err == nil || len(f.writes) != 0 {
			t.Errorf("%s: %v, %d writes", name, err, len(f.writes))
		}
	}
}

// neuropixels is a table of 770 columns, as the fullest device delivers.
func neuropixels() *stream.Stream {
	s := &stream.Stream{Name: "probe", RowsPerBatch: 30024}
	for i := range 384 {
		s.Columns = append(s.Columns, stream.Column{Name: fmt.Sprintf("LfpData%d", i), Type: stream.Uint16, Stride: 12})
	}
	for i := range 384 {
		s.Columns = append(s.Columns, stream.Column{Name: fmt.Sprintf("SpikeData%d", i), Type: stream.Uint16})
	}
	return &stream.Stream{Name: s.Name, RowsPerBatch: s.RowsPerBatch, Columns: append(s.Columns, stream.Column{Name: "HubClock", Type: stream.Uint64}, stream.Column{Name: "Clock", Type: stream.Uint64})}
}

// neural is 10-bit noise around the middle; LFP values repeat 12 times.
func neural(s *stream.Stream, rows int) []Vector {
	r := rand.New(rand.NewPCG(1, 2))
	columns := make([]Vector, len(s.Columns))
	for i, c := range s.Columns {
		data := make([]byte, rows*c.Type.Width())
		for row := range rows {
			switch {
			case c.Type == stream.Uint64:
				binary.LittleEndian.PutUint64(data[8*row:], uint64(8333*row))
			case c.Stride > 1 && row%c.Stride != 0:
				copy(data[2*row:2*row+2], data[2*row-2:])
			default:
				binary.LittleEndian.PutUint16(data[2*row:], uint16(512+r.NormFloat64()*8))
			}
		}
		columns[i] = Vector{Data: data}
	}
	return columns
}

type discard struct{ n int64 }

func (d *discard) Write(p []byte) (int, error) { d.n += int64(len(p)); return len(p), nil }
func (d *discard) Truncate(int64) error        { return nil }

func BenchmarkWriter(b *testing.B) {
	const rows = 30024
	s := neuropixels()
	columns := neural(s, rows)
	size := 0
	for i := range columns {
		size += len(columns[i].Data)
	}
	for _, codec := range []Codec{None, Zstd} {
		b.Run(fmt.Sprintf("columns=770/codec=%v", codec), func(b *testing.B) {
			f := &discard{}
			w, err := NewWriter(f, s, WriterOptions{Codec: codec})
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.WriteBatch(rows, columns); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(size)*float64(w.Batches())/float64(f.n), "ratio")
		})
	}
}

// written is what a WriteBatch failed with.
func written(_ Block, err error) error { return err }

// TestABlockIsWhereItsBatchIs: what WriteBatch returns is enough to follow a
// file that grows.
func TestABlockIsWhereItsBatchIs(t *testing.T) {
	s := &stream.Stream{Name: "x", Columns: []stream.Column{
		{Name: "A", Type: stream.Uint16, ByteWidth: 2}, {Name: "Clock", Type: stream.Uint64, ByteWidth: 8},
	}}
	for _, codec := range []Codec{None, Zstd} {
		f := &memFile{}
		w, err := NewWriter(f, s, WriterOptions{Codec: codec})
		if err != nil {
			t.Fatal(err)
		}
		var blocks []Block
		for _, rows := range []int{100, 0, 1, 37} {
			a, clock := make([]byte, 2*rows), make([]byte, 0, 8*rows)
			for i := range rows {
				clock = binary.LittleEndian.AppendUint64(clock, uint64(1000*len(blocks)+10*i))
			}
			before := w.Size()
			b, err := w.WriteBatch(rows, []Vector{{Data: a}, {Data: clock}})
			if err != nil {
				t.Fatal(err)
			}
			if rows == 0 {
				if b != (Block{}) {
					t.Errorf("no rows are %+v", b)
				}
				continue
			}
			first := uint64(1000 * len(blocks))
			want := Block{Offset: before, Length: w.Size() - before, Rows: int64(rows), FirstClock: first, LastClock: first + 10*uint64(rows-1)}
			if b != want {
				t.Errorf("got %+v, want %+v", b, want)
			}
			blocks = append(blocks, b)
		}
		// Each block alone, after the schema, is a stream of its rows.
		for _, b := range blocks {
			alone := append(bytes.Clone(f.data[:blocks[0].Offset]), f.data[b.Offset:b.Offset+b.Length]...)
			r, err := NewReader(bytes.NewReader(alone), int64(len(alone)))
			if err != nil {
				t.Fatal(err)
			}
			if info, err := r.Info(t.Context()); err != nil || info.Rows != b.Rows {
				t.Errorf("the block at %d has %+v, %v", b.Offset, info, err)
			}
		}
	}
}
