//go:build !js

package recording_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
)

// passedOn is the stream of rows that are passed on, batch by batch.
func passedOn(t testing.TB, r *recording.Reader, start, end int64, columns []int, lend recording.Lender) []byte {
	t.Helper()
	_, _, schema := writeSlice(t, r, recording.SliceOptions{Start: start, End: start, Columns: columns, Format: recording.StreamFormat})
	mark := []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}
	out := bytes.NewBuffer(bytes.TrimSuffix(schema, mark))
	x, err := r.Select(t.Context(), recording.Selection{Rows: &recording.Range{Start: start, End: end}})
	if err == nil {
		x, err = x.With(columns)
	}
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.NumBatches() {
		from, to, err := r.BatchRange(i)
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Within(recording.Range{Start: from, End: to}).PassOn(t.Context(), out, lend); err != nil {
			t.Fatalf("rows %d to %d of %d to %d: %v", from, to, start, end, err)
		}
	}
	return append(out.Bytes(), mark...)
}

var passedSpans = [][2]int64{{0, 150}, {13, 120}, {67, 150}, {70, 71}, {16, 64}, {5, 5}}

// What is passed on is what a slice writes, whatever the types and the codec.
func TestEveryTypeIsPassedOn(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var fields []arrow.Field
	for _, f := range allTypes().Fields() {
		if r := testdata.Open(t, writeRecords(t, recording.FileFormat, []arrow.RecordBatch{randomRecord(arrow.NewSchema([]arrow.Field{f}, nil), 9, random)})); !errors.Is(onePassed(r), recording.ErrUnsupported) {
			fields = append(fields, f)
		}
	}
	if n := len(allTypes().Fields()) - len(fields); n != 3 {
		t.Errorf("%d types are not passed on, want those with dictionaries", n)
	}
	schema := arrow.NewSchema(fields, nil)
	records := []arrow.RecordBatch{randomRecord(schema, 67, random), randomRecord(schema, 83, random)}
	for name, options := range writings {
		r := testdata.Open(t, writeRecords(t, recording.FileFormat, records, options...))
		for _, span := range passedSpans {
			sameRecords(t, fmt.Sprint(name, span), records, readRecords(t, passedOn(t, r, span[0], span[1], nil, nil)), span[0], span[1])
		}
	}
}

func onePassed(r *recording.Reader) error {
	x, err := r.Select(context.Background(), recording.Selection{})
	if err != nil {
		return err
	}
	return x.PassOn(context.Background(), io.Discard, nil)
}

func TestOurOwnTypesArePassedOn(t *testing.T) {
	sources := map[string][]byte{}
	for name, codec := range testdata.EveryCodec {
		f, _ := testdata.WriteRandom(t, testdata.EveryType(), codec, 9, 60, 60, 30)
		sources["own "+name] = f.Data
	}
	for _, name := range []string{"bonsai/new_NeuropixelsV1", "bonsai/old_NeuropixelsV1_zstd", "csharp/cs_small"} {
		sources[name] = testdata.Foreign(t, name+".arrow")
	}
	for name, data := range sources {
		r := testdata.Open(t, data)
		rows := testdata.IndexAll(t, r)
		for _, span := range [][2]int64{{0, rows}, {7, rows - 3}, {61, 62}, {8, 56}} {
			for _, columns := range [][]int{nil, {len(r.Stream().Columns) - 1, 0}} {
				stream := passedOn(t, r, span[0], span[1], columns, nil)
				out := testdata.Open(t, stream)
				if got := testdata.IndexAll(t, out); got != span[1]-span[0] || out.State() != recording.Complete {
					t.Fatalf("%s %v: %d rows, %+v", name, span, got, out.Findings())
				}
				_, _, sliced := writeSlice(t, r, recording.SliceOptions{Start: span[0], End: span[1], Columns: columns, Format: recording.StreamFormat})
				if !bytes.Equal(stream, sliced) {
					t.Errorf("%s, rows %v, columns %v: %d bytes are others than the %d of a slice", name, span, columns, len(stream), len(sliced))
				}
			}
		}
	}
}

// What is lent is decoded once for all who want it, and the room for it is used again.
func TestABufferIsLentToAll(t *testing.T) {
	r := testdata.Open(t, testdata.BenchFile(recording.Zstd))
	want := passedOn(t, r, 0, testdata.BenchRows, nil, nil)
	kept, reads := map[int][]byte{}, 0
	lend := func(buffer int, read func([]byte) ([]byte, error), use func([]byte) error) error {
		content, ok := kept[buffer]
		if !ok {
			reads++
			var err error
			if content, err = read(nil); err != nil {
				return err
			}
			kept[buffer] = content
		}
		return use(content)
	}
	for range 3 {
		if !bytes.Equal(want, passedOn(t, r, 0, testdata.BenchRows, nil, lend)) {
			t.Error("what is lent is something else")
		}
	}
	if columns := len(r.Stream().Columns); reads != columns {
		t.Errorf("%d buffers were read of %d columns", reads, columns)
	}
	var room []byte
	reuse := func(_ int, read func([]byte) ([]byte, error), use func([]byte) error) (err error) {
		if room, err = read(room); err != nil {
			return err
		}
		return use(room)
	}
	x, err := r.Select(t.Context(), recording.Selection{Rows: &recording.Range{Start: 0, End: testdata.BenchRows}})
	if err != nil {
		t.Fatal(err)
	}
	pass := func() {
		if err := x.PassOn(t.Context(), io.Discard, reuse); err != nil {
			t.Fatal(err)
		}
	}
	pass()
	if bytes := testdata.Allocated(pass); bytes > 2<<20 {
		t.Errorf("to pass on a batch of %d MB takes %d kB", len(want)>>20, bytes>>10)
	}
}

// A damaged buffer is an error with its place, and so is a file that ends.
func TestWhatIsDamagedIsNotPassedOn(t *testing.T) {
	for name, codec := range testdata.EveryCodec {
		f, _ := testdata.WriteRandom(t, testdata.EveryType(), codec, 9, 60)
		r := testdata.Open(t, f.Data)
		x, err := r.Select(t.Context(), recording.Selection{})
		if err != nil {
			t.Fatal(err)
		}
		damaged := 0
		for at := r.BodyAt(0); at < int64(len(f.Data))-2000; at += 97 {
			f.Data[at] ^= 0x55
			var out bytes.Buffer
			switch corrupt := (*recording.CorruptError)(nil); {
			case errors.As(x.PassOn(t.Context(), &out, nil), &corrupt):
				if damaged++; corrupt.Offset > at || corrupt.Batch != 0 {
					t.Errorf("%s: byte %d: %+v", name, at, corrupt)
				}
			case err != nil:
				t.Errorf("%s: byte %d: %v", name, at, err)
			}
			f.Data[at] ^= 0x55
		}
		if compressed := codec != recording.None; compressed && damaged == 0 {
			t.Errorf("%s: nothing is found", name)
		}
	}
}
