//go:build !js

package export

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// numbers is a recording of every type of number, with and without nulls, in
// batches of any size.
func numbers(t *testing.T, r *rand.Rand, sizes ...int) []byte {
	t.Helper()
	s := &stream.Stream{Name: "numbers"}
	for typ := stream.Bool; typ <= stream.Float64; typ++ {
		if typ == stream.Float16 {
			continue
		}
		for _, nullable := range []bool{false, true} {
			s.Columns = append(s.Columns, stream.Column{Name: typ.String() + map[bool]string{true: "_null"}[nullable], Type: typ, ByteWidth: typ.Width(), Nullable: nullable})
		}
	}
	f := &memFile{}
	w, err := recording.NewWriter(f, s, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range sizes {
		columns := make([]recording.Vector, len(s.Columns))
		for i, c := range s.Columns {
			v := recording.Vector{Column: i, Type: c.Type, Len: n, Data: make([]byte, n*c.ByteWidth)}
			for k := range v.Data {
				v.Data[k] = byte(r.Uint32())
			}
			for k := range n {
				switch c.Type {
				case stream.Bool:
					v.Data[k] &= 1
				case stream.Float32:
					le.PutUint32(v.Data[4*k:], math.Float32bits(float32(r.NormFloat64())))
				case stream.Float64:
					le.PutUint64(v.Data[8*k:], math.Float64bits(r.NormFloat64()))
				}
			}
			if c.Nullable && r.IntN(4) > 0 {
				v.Valid = make([]byte, n)
				for k := range v.Valid {
					v.Valid[k] = byte(r.IntN(5) & 1)
				}
			}
			columns[i] = v
		}
		if _, err := w.WriteBatch(n, columns); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Bytes()
}

func TestPagesHoldEveryNumberInAnyBatches(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	for _, sizes := range [][]int{{1}, {100000}, {10, 20, 30, 40000, 1, 2, 3, 16384, 16383, 5}, {0, 7}, {}} {
		r := open(t, numbers(t, random, sizes...))
		j := jobOf(r, Selection{})
		stored, err := parquetColumns(j)
		if err != nil {
			t.Fatal(err)
		}
		schema := parquetSchema(j, stored)
		for _, codec := range []recording.Codec{recording.None, recording.Zstd} {
			var f bytes.Buffer
			p, err := newPageWriter(&f, schema, parquetProperties(schema, codec, 40000))
			if err != nil || p == nil {
				t.Fatal(p, err)
			}
			s := all(t, r)
			var want []arrow.RecordBatch
			for b, err := range pieces(r, Selection{Start: s.Start, End: s.End}) {
				if err != nil {
					t.Fatal(err)
				}
				if err := p.write(b); err != nil {
					t.Fatal(err)
				}
				want = append(want, expanded(t, r, b))
			}
			if err := p.close(); err != nil {
				t.Fatal(err)
			}
			got, pq := readParquet(t, f.Bytes())
			if got.NumRows() != s.End {
				t.Fatalf("batches %v: %d rows of %d", sizes, got.NumRows(), s.End)
			}
			if groups := pq.NumRowGroups(); s.End > 60000 && groups < 2 {
				t.Errorf("batches %v: %d row groups", sizes, groups)
			}
			table := array.NewTableFromRecords(schema, want)
			for c := range int(got.NumCols()) {
				if !array.ChunkedEqual(got.Column(c).Data(), table.Column(c).Data()) {
					t.Errorf("batches %v, %v: column %s differs", sizes, codec, schema.Field(c).Name)
				}
			}
		}
	}
}

func TestPagesTellBounds(t *testing.T) {
	s := &stream.Stream{Columns: []stream.Column{
		{Name: "unsigned", Type: stream.Uint16, ByteWidth: 2}, {Name: "signed", Type: stream.Int16, ByteWidth: 2},
		{Name: "wide", Type: stream.Uint64, ByteWidth: 8}, {Name: "real", Type: stream.Float64, ByteWidth: 8}, {Name: "none", Type: stream.Float64, ByteWidth: 8},
		{Name: "nulls", Type: stream.Int32, ByteWidth: 4, Nullable: true},
	}}
	f := &memFile{}
	w, err := recording.NewWriter(f, s, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	words := func(values ...uint64) (p []byte) {
		for _, v := range values {
			p = le.AppendUint64(p, v)
		}
		return p
	}
	_, err = w.WriteBatch(2, []recording.Vector{
		{Data: []byte{0xff, 0xff, 1, 0}}, {Data: []byte{0xff, 0xff, 1, 0}}, {Data: words(math.MaxUint64, 1)},
		{Data: words(math.Float64bits(0), math.Float64bits(2.5))}, {Data: words(math.Float64bits(math.NaN()), 0)},
		{Data: make([]byte, 8), Valid: []byte{0, 0}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := open(t, f.Bytes())
	var out bytes.Buffer
	if _, err := Parquet(ctx, &out, of(r, all(t, r)), nil, recording.None); err != nil {
		t.Fatal(err)
	}
	_, pq := readParquet(t, out.Bytes())
	group := pq.MetaData().RowGroup(0)
	stats := func(c int) metadata.TypedStatistics {
		chunk, err := group.ColumnChunk(c)
		if err != nil {
			t.Fatal(err)
		}
		got, err := chunk.Statistics()
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if s := stats(0).(*metadata.Int32Statistics); s.Min() != 1 || s.Max() != 65535 {
		t.Errorf("unsigned: %d to %d", s.Min(), s.Max())
	}
	if s := stats(1).(*metadata.Int32Statistics); s.Min() != -1 || s.Max() != 1 {
		t.Errorf("signed: %d to %d", s.Min(), s.Max())
	}
	if s := stats(2).(*metadata.Int64Statistics); s.Min() != 1 || uint64(s.Max()) != math.MaxUint64 {
		t.Errorf("wide: %d to %d", uint64(s.Min()), uint64(s.Max()))
	}
	if s := stats(3).(*metadata.Float64Statistics); !math.Signbit(s.Min()) || s.Min() != 0 || s.Max() != 2.5 {
		t.Errorf("real: %g to %g", s.Min(), s.Max())
	}
	if s := stats(4); s.HasMinMax() {
		t.Error("bounds of values of which one is NaN")
	}
	if s := stats(5); s.HasMinMax() || s.NullCount() != 2 {
		t.Errorf("nulls: %d", s.NullCount())
	}
}
