package recording_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

func TestEachBatchIsOneWriteAndTheSchemaIsWrittenAtOnce(t *testing.T) {
	for name, codec := range testdata.EveryCodec {
		f := &testdata.Memory{}
		s := testdata.EveryType()
		w, err := recording.NewWriter(f, s, recording.WriterOptions{Codec: codec})
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Writes) != 1 || !bytes.HasPrefix(f.Data, []byte("ARROW1\x00\x00\xff\xff\xff\xff")) {
			t.Fatalf("%s: %d writes before the first batch, file begins %q", name, len(f.Writes), f.Data[:min(12, len(f.Data))])
		}
		for i := range 3 {
			if _, err := w.WriteBatch(50, testdata.RandomBatch(rand.New(rand.NewPCG(1, 1)), s, int64(50*i), 50)); err != nil {
				t.Fatal(err)
			}
			if len(f.Writes) != 2+i || int64(len(f.Data)) != w.Size() {
				t.Fatalf("%s: %d writes after batch %d", name, len(f.Writes), i)
			}
		}
		if _, err := w.WriteBatch(0, testdata.RandomBatch(rand.New(rand.NewPCG(1, 1)), s, 0, 0)); err != nil || len(f.Writes) != 4 {
			t.Errorf("%s: no rows made %d writes, %v", name, len(f.Writes)-4, err)
		}
		for range 2 {
			if err := w.Close(); err != nil || len(f.Writes) != 5 {
				t.Fatalf("%s: close made %d writes, %v", name, len(f.Writes)-4, err)
			}
		}
		if _, err := w.WriteBatch(1, testdata.RandomBatch(rand.New(rand.NewPCG(1, 1)), s, 0, 1)); !errors.Is(err, recording.ErrClosed) {
			t.Errorf("%s: a batch after Close gives %v", name, err)
		}
	}
}

// The rules about bytes that FORMAT.md states.
func TestBuffersBeginAtMultiplesOf64AndPaddingIsZero(t *testing.T) {
	for name, codec := range testdata.EveryCodec {
		f, _ := testdata.WriteRandom(t, testdata.EveryType(), codec, 7, 33, 100, 1)
		footer := dissect.Footer(t, f.Data)
		for i, block := range footer.Batches {
			m := dissect.Message(t, f.Data, block)
			body := block.Offset + int64(block.MetaLength)
			used := make([]bool, block.BodyLength)
			for j, b := range m.Batch.Buffers {
				if (body+b.Offset)%recording.BodyAlign != 0 {
					t.Errorf("%s: buffer %d of batch %d begins at %d", name, j, i, body+b.Offset)
				}
				for k := range b.Length {
					used[b.Offset+k] = true
				}
				if b.Length > 0 && codec == recording.Zstd {
					p := f.Data[body+b.Offset:]
					if n := int64(binary.LittleEndian.Uint64(p)); n <= 0 || !bytes.HasPrefix(p[8:], []byte{0x28, 0xB5, 0x2F, 0xFD}) || p[12]&4 == 0 {
						t.Errorf("%s: buffer %d of batch %d: length %d, frame begins % x: want a zstd frame with a checksum", name, j, i, n, p[8:13])
					}
				}
			}
			for k, u := range used {
				if !u && f.Data[body+int64(k)] != 0 {
					t.Fatalf("%s: padding byte at %d is not 0", name, body+int64(k))
				}
			}
			if block.Offset%recording.BodyAlign != 0 || block.BodyLength%recording.BodyAlign != 0 {
				t.Errorf("%s: batch %d at %d with a body of %d bytes", name, i, block.Offset, block.BodyLength)
			}
		}
	}
}

func TestSameInputSameBytes(t *testing.T) {
	for name, codec := range testdata.EveryCodec {
		a, _ := testdata.WriteRandom(t, testdata.EveryType(), codec, 3, 100, 100, 40)
		b, _ := testdata.WriteRandom(t, testdata.EveryType(), codec, 3, 100, 100, 40)
		if !bytes.Equal(a.Data, b.Data) {
			t.Errorf("%s: two runs differ", name)
		}
		// What came before must not show either.
		s := testdata.EveryType()
		batch := testdata.RandomBatch(rand.New(rand.NewPCG(9, 9)), s, 0, 100)
		f := &testdata.Memory{}
		w, err := recording.NewWriter(f, s, recording.WriterOptions{Codec: codec})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range [][]recording.Vector{batch, testdata.RandomBatch(rand.New(rand.NewPCG(8, 8)), s, 0, 100), batch} {
			if _, err := w.WriteBatch(100, c); err != nil {
				t.Fatal(err)
			}
		}
		first, last := f.Data[w.Blocks()[0].Offset:w.Blocks()[1].Offset], f.Data[w.Blocks()[2].Offset:]
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
			s := testdata.EveryType()
			f := &testdata.Memory{FailAt: c.failAt, Partial: c.partial, FailWith: c.err}
			want := c.err
			if want == nil {
				want = io.ErrShortWrite
			}
			w, err := recording.NewWriter(f, s, recording.WriterOptions{})
			if c.failAt == 1 {
				if !errors.Is(err, want) || w != nil || len(f.Data) != 0 {
					t.Fatalf("%v, %d bytes left", err, len(f.Data))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var first error
			whole := w.Size()
			for i := range 3 {
				_, err := w.WriteBatch(20, testdata.RandomBatch(rand.New(rand.NewPCG(1, 1)), s, int64(20*i), 20))
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
			if !errors.Is(first, want) || w.Close() != first || testdata.Err(w.WriteBatch(20, nil)) != first {
				t.Fatalf("first %v, then %v", first, w.Close())
			}
			if int64(len(f.Data)) != whole || w.Size() != whole || len(f.Cuts) != 1 || len(f.Writes) != c.failAt {
				t.Errorf("%d bytes left, %d are whole; cuts %v; %d writes", len(f.Data), whole, f.Cuts, len(f.Writes))
			}
			if w.Batches() != min(c.failAt-2, 3) || w.Rows() != int64(20*w.Batches()) {
				t.Errorf("%d batches with %d rows", w.Batches(), w.Rows())
			}
		})
	}
}

func TestAFailedTruncateIsTold(t *testing.T) {
	disk, gone := errors.New("input/output error"), errors.New("device is gone")
	s := testdata.EveryType()
	f := &testdata.Memory{FailAt: 2, Partial: 5, FailWith: disk, FailCut: gone}
	w, err := recording.NewWriter(f, s, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.WriteBatch(20, testdata.RandomBatch(rand.New(rand.NewPCG(1, 1)), s, 0, 20))
	if !errors.Is(err, disk) || !errors.Is(err, gone) || w.Close() != err || len(f.Cuts) != 1 {
		t.Errorf("%v, then %v; cuts %v", err, w.Close(), f.Cuts)
	}
}

func TestABatchThatDoesNotFitIsRefusedAndHarmsNothing(t *testing.T) {
	s := &stream.Stream{Name: "s", Columns: []stream.Column{{Name: "a", Type: stream.Uint16}, {Name: "b", Type: stream.Int32, RunEnd: true}, {Name: "c", Type: stream.Int8, Nullable: true}}}
	good := func() []recording.Vector {
		return []recording.Vector{{Data: make([]byte, 8)}, {Data: make([]byte, 16)}, {Data: make([]byte, 4), Valid: []byte{1, 0, 1, 1}}}
	}
	for name, c := range map[string]struct {
		damage func(v []recording.Vector) []recording.Vector
		say    string
	}{
		"a column too few":              {func(v []recording.Vector) []recording.Vector { return v[:2] }, "2 columns, the schema has 3"},
		"a value too few":               {func(v []recording.Vector) []recording.Vector { v[0].Data = v[0].Data[:6]; return v }, `"a": 6 bytes for 4 rows`},
		"another length":                {func(v []recording.Vector) []recording.Vector { v[0].Len = 3; return v }, `"a": 3 rows in a batch of 4`},
		"validity too short":            {func(v []recording.Vector) []recording.Vector { v[2].Valid = v[2].Valid[:3]; return v }, `"c": validity of 3 rows`},
		"nulls where there may be none": {func(v []recording.Vector) []recording.Vector { v[0].Valid = make([]byte, 4); return v }, `"a": nulls`},
		"run ends that stop early":      {func(v []recording.Vector) []recording.Vector { v[1].RunEnds = []int32{3}; return v }, `"b": run ends stop at 3`},
		"run ends that go back":         {func(v []recording.Vector) []recording.Vector { v[1].RunEnds = []int32{3, 3, 4}; return v }, `"b": run ends at 3 after 3`},
		"run ends beyond the batch":     {func(v []recording.Vector) []recording.Vector { v[1].RunEnds = []int32{5}; return v }, `"b": run ends at 5`},
		"a value that changes in a run": {func(v []recording.Vector) []recording.Vector { v[1].RunEnds, v[1].Data[8] = []int32{4}, 1; return v }, `"b": the value changes at row 2`},
	} {
		f := &testdata.Memory{}
		w, err := recording.NewWriter(f, s, recording.WriterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		before := len(f.Data)
		if _, err := w.WriteBatch(4, c.damage(good())); err == nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := w.WriteBatch(4, good()); err != nil || w.Batches() != 1 || len(f.Data) == before {
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
		f := &testdata.Memory{}
		if _, err := recording.NewWriter(f, &stream.Stream{Columns: columns}, recording.WriterOptions{}); err == nil || len(f.Writes) != 0 {
			t.Errorf("%s: %v, %d writes", name, err, len(f.Writes))
		}
	}
}

type discard struct{ n int64 }

func (d *discard) Write(p []byte) (int, error) { d.n += int64(len(p)); return len(p), nil }
func (d *discard) Truncate(int64) error        { return nil }

func BenchmarkWriter(b *testing.B) {
	const rows = 30024
	s := testdata.Neuropixels()
	columns := testdata.Neural(s, rows)
	size := 0
	for i := range columns {
		size += len(columns[i].Data)
	}
	for _, codec := range []recording.Codec{recording.None, recording.Zstd} {
		b.Run(fmt.Sprintf("columns=770/codec=%v", codec), func(b *testing.B) {
			f := &discard{}
			w, err := recording.NewWriter(f, s, recording.WriterOptions{Codec: codec})
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

// TestABlockIsWhereItsBatchIs: what WriteBatch returns is enough to follow a
// file that grows.
func TestABlockIsWhereItsBatchIs(t *testing.T) {
	s := &stream.Stream{Name: "x", Columns: []stream.Column{
		{Name: "A", Type: stream.Uint16, ByteWidth: 2}, {Name: "Clock", Type: stream.Uint64, ByteWidth: 8},
	}}
	for _, codec := range []recording.Codec{recording.None, recording.Zstd} {
		f := &testdata.Memory{}
		w, err := recording.NewWriter(f, s, recording.WriterOptions{Codec: codec})
		if err != nil {
			t.Fatal(err)
		}
		var blocks []recording.Block
		for _, rows := range []int{100, 0, 1, 37} {
			a, clock := make([]byte, 2*rows), make([]byte, 0, 8*rows)
			for i := range rows {
				clock = binary.LittleEndian.AppendUint64(clock, uint64(1000*len(blocks)+10*i))
			}
			before := w.Size()
			b, err := w.WriteBatch(rows, []recording.Vector{{Data: a}, {Data: clock}})
			if err != nil {
				t.Fatal(err)
			}
			if rows == 0 {
				if b != (recording.Block{}) {
					t.Errorf("no rows are %+v", b)
				}
				continue
			}
			first := uint64(1000 * len(blocks))
			want := recording.Block{Offset: before, Length: w.Size() - before, MetaLength: b.MetaLength, Rows: int64(rows), FirstClock: first, LastClock: first + 10*uint64(rows-1)}
			if b != want {
				t.Errorf("got %+v, want %+v", b, want)
			}
			blocks = append(blocks, b)
		}
		// Each block alone, after the schema, is a stream of its rows.
		for _, b := range blocks {
			alone := append(bytes.Clone(f.Data[:blocks[0].Offset]), f.Data[b.Offset:b.Offset+b.Length]...)
			r, err := recording.NewReader(bytes.NewReader(alone), int64(len(alone)))
			if err != nil {
				t.Fatal(err)
			}
			if info, err := r.Info(t.Context()); err != nil || info.Rows != b.Rows {
				t.Errorf("the block at %d has %+v, %v", b.Offset, info, err)
			}
		}
	}
}
