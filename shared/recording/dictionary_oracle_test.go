//go:build !js

package recording_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/recording"
)

// dictionaryRecord is a batch of one dictionary-encoded column.
func dictionaryRecord(words []string, indices ...int8) arrow.RecordBatch {
	typ := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	values, index := array.NewStringBuilder(memory.DefaultAllocator), array.NewInt8Builder(memory.DefaultAllocator)
	values.AppendValues(words, nil)
	index.AppendValues(indices, nil)
	a := array.NewDictionaryArray(typ, index.NewArray(), values.NewArray())
	schema := arrow.NewSchema([]arrow.Field{{Name: "word", Type: typ}}, nil)
	return array.NewRecordBatch(schema, []arrow.Array{a}, int64(len(indices)))
}

// words are the values of a batch's only column, as we and as arrow-go read it.
func words(t *testing.T, r *recording.Reader, i int) (list []string) {
	t.Helper()
	b, err := r.ReadBatch(i, nil)
	if err != nil {
		t.Fatal(err)
	}
	for row := range b.Rows {
		text, _ := b.Columns[0].Text(row)
		list = append(list, text)
	}
	return list
}

func oracleWords(rec arrow.RecordBatch) (list []string) {
	a := rec.Column(0).(*array.Dictionary)
	for row := range a.Len() {
		list = append(list, a.Dictionary().(*array.String).Value(a.GetValueIndex(row)))
	}
	return list
}

func TestDictionariesThatGrowAndChange(t *testing.T) {
	grows := []arrow.RecordBatch{
		dictionaryRecord([]string{"a", "b"}, 0, 1), dictionaryRecord([]string{"a", "b", "c"}, 2, 0),
		dictionaryRecord([]string{"a", "b", "c"}, 1), dictionaryRecord([]string{"a", "b", "c", "d"}, 3, 2),
	}
	changes := append(grows[:2:2], dictionaryRecord([]string{"x", "y"}, 1, 0), dictionaryRecord([]string{"x", "y", "z"}, 2))
	deltas := ipc.WithDictionaryDeltas(true)
	for name, c := range map[string]struct {
		data    []byte
		records []arrow.RecordBatch
		changes bool
	}{
		"deltas in a stream":             {writeRecords(t, recording.StreamFormat, grows, deltas), grows, false},
		"compressed deltas in a stream":  {writeRecords(t, recording.StreamFormat, grows, deltas, ipc.WithLZ4()), grows, false},
		"a stream that repeats and adds": {writeRecords(t, recording.StreamFormat, grows), grows, false},
		"a stream that changes":          {writeRecords(t, recording.StreamFormat, changes, deltas), changes, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := testdata.Open(t, c.data)
			// Backwards and forwards: what is kept from before must not show.
			for _, i := range []int{3, 0, 2, 1, 0, 3, 1, 2} {
				if got, want := words(t, r, i), oracleWords(c.records[i]); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("batch %d: %q, want %q", i, got, want)
				}
			}
			rows := testdata.IndexAll(t, r)
			for _, codec := range []recording.Codec{recording.Keep, recording.Zstd} {
				for start := range rows {
					for end := start; end <= rows; end++ {
						for _, format := range []recording.Format{recording.FileFormat, recording.StreamFormat} {
							f := &testdata.Memory{}
							_, err := r.WriteSlice(f, recording.SliceOptions{Start: start, End: end, Codec: codec, Format: format})
							if c.changes && format == recording.FileFormat && start < 4 && end > 4 {
								if !errors.Is(err, recording.ErrUnsupported) || !strings.Contains(err.Error(), "write a stream") {
									t.Fatalf("rows %d to %d: %v", start, end, err)
								}
								continue
							}
							if err != nil {
								t.Fatal(err)
							}
							if start == end {
								continue
							}
							var want, got, ours []string
							for _, rec := range c.records {
								want = append(want, oracleWords(rec)...)
							}
							for _, rec := range readRecords(t, f.Data) {
								got = append(got, oracleWords(rec)...)
							}
							out := testdata.Open(t, f.Data)
							for i := range out.NumBatches() {
								ours = append(ours, words(t, out, i)...)
							}
							if want = want[start:end]; fmt.Sprint(got) != fmt.Sprint(want) || fmt.Sprint(ours) != fmt.Sprint(want) {
								t.Fatalf("rows %d to %d, %v, format %d: %q and %q, want %q", start, end, codec, format, ours, got, want)
							}
						}
					}
				}
			}
		})
	}
}

// No byte of a dictionary is read for columns that have none.
func TestADictionaryIsReadOnlyWhereItIsNeeded(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	data := writeRecords(t, recording.FileFormat, []arrow.RecordBatch{randomRecord(allTypes(), 20, random)})
	r := testdata.Open(t, data)
	for c, column := range r.Stream().Columns {
		before := r.BytesRead()
		if _, err := r.ReadBatch(0, []int{c}); err != nil {
			t.Fatal(err)
		}
		h, err := r.HeaderOf(0)
		if err != nil {
			t.Fatal(err)
		}
		var holds int64
		for _, b := range h.Batch.Buffers[h.Spans[c].Buffer:h.Spans[c].BufferEnd] {
			holds += b.Length
		}
		after := r.BytesRead()
		if needs := strings.Contains(column.ArrowType, "dictionary"); !needs && (after.Body-before.Body > holds*105/100 || after.Metadata != before.Metadata) {
			t.Errorf("column %s: %d bytes read of %d", column.Name, after.Body-before.Body, holds)
		}
	}
}
