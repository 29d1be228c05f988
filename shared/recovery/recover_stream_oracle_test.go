//go:build !js

package recovery_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/recovery"
)

// wordStream writes an Arrow stream with a dictionary column: each batch has
// the words given, in a dictionary that grows (deltas) or is another one.
func wordStream(t *testing.T, deltas bool, batches ...[]string) []byte {
	t.Helper()
	typ := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	schema := arrow.NewSchema([]arrow.Field{{Name: "word", Type: typ}, {Name: "Clock", Type: arrow.PrimitiveTypes.Uint64}}, nil)
	var out bytes.Buffer
	w := ipc.NewWriter(&out, ipc.WithSchema(schema), ipc.WithDictionaryDeltas(deltas))
	b := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	defer b.Release()
	var before []string
	for i, words := range batches {
		dictionary := b.Field(0).(*array.BinaryDictionaryBuilder)
		if deltas { // the same dictionary, longer
			dictionary.Release()
			b = array.NewRecordBuilder(memory.NewGoAllocator(), schema)
			dictionary = b.Field(0).(*array.BinaryDictionaryBuilder)
			values := array.NewStringBuilder(memory.NewGoAllocator())
			values.AppendValues(before, nil)
			if err := dictionary.InsertStringDictValues(values.NewStringArray()); err != nil {
				t.Fatal(err)
			}
		}
		for k, word := range words {
			if err := dictionary.AppendString(word); err != nil {
				t.Fatal(err)
			}
			b.Field(1).(*array.Uint64Builder).Append(uint64(1000*i + k))
			if !contains(before, word) {
				before = append(before, word)
			}
		}
		rec := b.NewRecordBatch()
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
		rec.Release()
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// streamTexts reads an Arrow stream with arrow-go, each batch as one text.
func streamTexts(t *testing.T, data []byte) (out []string) {
	t.Helper()
	r, err := ipc.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	for r.Next() {
		text, err := r.RecordBatch().MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(text))
	}
	if err := r.Err(); err != nil && err != io.EOF {
		t.Fatal(err)
	}
	return out
}

func TestStreamsWithDictionariesRecover(t *testing.T) {
	words := [][]string{{"a", "b", "a"}, {"b", "c"}, {"d", "a", "c", "d"}}
	grows := wordStream(t, true, words...)
	want := streamTexts(t, grows)
	if len(want) != 3 {
		t.Fatalf("%d batches written", len(want))
	}
	out, report := recoverBytes(t, grows)
	if got := readOracleStrings(t, out); !reflect.DeepEqual(got, want) || report.Outcome != recovery.Lossless {
		t.Errorf("a file of a stream with growing dictionaries: %v, want %v, %+v", got, want, report)
	}

	other := wordStream(t, false, words...)
	want = streamTexts(t, other)
	_, err := recovery.Examine(context.Background(), bytes.NewReader(other), int64(len(other)), nil)
	if !errors.Is(err, recovery.ErrReplaced) {
		t.Errorf("a dictionary that is replaced in a file: %v", err)
	}
	for _, cut := range []int{0, 3, 100} {
		input := other[:len(other)-cut]
		p, err := recovery.Examine(context.Background(), bytes.NewReader(input), int64(len(input)), &recovery.Options{Stream: true})
		if err != nil {
			t.Fatal(err)
		}
		got := streamTexts(t, materialize(t, p, input))
		if len(got) != p.Report.BatchesRecovered || fmt.Sprint(got) != fmt.Sprint(want[:len(got)]) || len(got) < 2 {
			t.Errorf("%d bytes cut off: %v, want %v", cut, got, want)
		}
	}
}

// Where part of a dictionary is lost, its later values are no use: no batch
// shows other words than it had.
func TestBatchesWhoseDictionaryIsLostAreLost(t *testing.T) {
	for _, deltas := range []bool{true, false} {
		stream := wordStream(t, deltas, []string{"a", "b", "a"}, []string{"b", "c"}, []string{"d", "a", "c", "d"})
		want := streamTexts(t, stream)
		places := scanAll(t, stream)
		if len(places) != 7 {
			t.Fatalf("messages at %v", places)
		}
		for _, at := range places[1:] {
			damaged := bytes.Clone(stream)
			clear(damaged[at : at+8])
			p, err := recovery.Examine(context.Background(), bytes.NewReader(damaged), int64(len(damaged)), &recovery.Options{Stream: true})
			if err != nil {
				continue // nothing is left
			}
			out := materialize(t, p, damaged)
			if err := p.Verify(bytes.NewReader(damaged)); err != nil {
				t.Fatalf("message at %d lost: %v", at, err)
			}
			next := 0
			for _, text := range streamTexts(t, out) {
				for next < len(want) && want[next] != text {
					next++
				}
				if next++; next > len(want) {
					t.Errorf("deltas %v, message at %d lost: %s was never written: %+v", deltas, at, text, p.Report)
				}
			}
		}
	}
}

// scanAll returns where messages begin that parse, wherever they lie.
func scanAll(t testing.TB, file []byte) (places []int64) {
	t.Helper()
	for at := range int64(len(file)) {
		m, err := messages.NewHeaders(&messages.Source{Size: int64(len(file)), ReadAt: func(p []byte, off int64) error { copy(p, file[off:]); return nil }}).At(at)
		if err != nil {
			t.Fatal(err)
		}
		if m != nil && m.Prefix == 8 && m.Header <= arrowipc.RecordBatchHeader {
			places = append(places, at)
		}
	}
	return places
}
