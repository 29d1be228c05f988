package recording_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/recording"
)

// arrow-go writes no file whose dictionaries grow; others do.
func TestDeltasInAFileCountForAllItsBatches(t *testing.T) {
	c := fixed(intType(8, false), 3, []byte{0, 2, 1})
	c.field = arrowipc.Field{Type: typ(arrowipc.Utf8), Dictionary: &arrowipc.Dictionary{ID: 5, Index: intType(8, false)}}
	data := c.file(t, dictionaryBatch{id: 5, column: textColumn("a")}, dictionaryBatch{id: 5, delta: true, column: textColumn("b", "c")})
	r := testdata.Open(t, data)
	for name, format := range map[string]recording.Format{"file": recording.FileFormat, "stream": recording.StreamFormat} {
		out, _, _ := writeSlice(t, r, recording.SliceOptions{End: 3, Codec: recording.Keep, Format: format})
		for i, want := range []string{"a", "c", "b"} {
			for _, from := range []*recording.Reader{r, out} {
				b, err := from.ReadBatch(0, nil)
				if err != nil {
					t.Fatal(err)
				}
				if got, _ := b.Columns[0].Text(i); got != want {
					t.Errorf("%s: row %d is %s, want %s", name, i, got, want)
				}
			}
		}
		if n := out.Dictionaries(); (n == 1) != (format == recording.FileFormat) {
			t.Errorf("%s: %d dictionaries", name, n)
		}
	}
}

// A dictionary of lists of words from another dictionary.
func TestDictionariesInsideOfDictionaries(t *testing.T) {
	word := arrowipc.Field{Name: "a", Type: typ(arrowipc.Utf8), Dictionary: &arrowipc.Dictionary{ID: 6, Index: intType(8, true)}}
	c := fixed(intType(8, true), 3, []byte{1, 0, 1})
	c.field = arrowipc.Field{Type: typ(arrowipc.List), Children: []arrowipc.Field{word}, Dictionary: &arrowipc.Dictionary{ID: 5, Index: intType(8, true)}}
	inner := fixed(intType(8, true), 3, []byte{1, 0, 1})
	inner.field = word
	data := c.file(t,
		dictionaryBatch{id: 6, column: textColumn("x", "y")},
		dictionaryBatch{id: 5, column: nested(typ(arrowipc.List), 2, [][]byte{nil, le(4, 0, 1, 3)}, inner)})
	r := testdata.Open(t, data)
	out, _, _ := writeSlice(t, r, recording.SliceOptions{Start: 1, End: 3, Codec: recording.LZ4})
	for from, want := range map[*recording.Reader][]string{r: {`["x", "y"]`, `["y"]`, `["x", "y"]`}, out: {`["y"]`, `["x", "y"]`}} {
		b, err := from.ReadBatch(0, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if got, _ := b.Columns[0].Text(i); got != want[i] {
				t.Errorf("row %d is %s, want %s", i, got, want[i])
			}
		}
	}
}

// A stream's dictionary that grows may have grown where messages are missing.
func TestADictionaryBehindMissingMessagesIsNotGuessed(t *testing.T) {
	c := fixed(intType(8, false), 1, []byte{0})
	c.field = arrowipc.Field{Name: "c", Type: typ(arrowipc.Utf8), Nullable: true, Dictionary: &arrowipc.Dictionary{ID: 5, Index: intType(8, false)}}
	f := &testdata.Memory{}
	w, err := recording.NewSchemaWriter(f, arrowipc.Schema{Fields: []arrowipc.Field{c.field}}, recording.WriterOptions{Format: recording.StreamFormat})
	if err != nil {
		t.Fatal(err)
	}
	var ends []int64
	for k := range 3 {
		d := textColumn(string(rune('a' + k)))
		if err := w.WriteStoredDictionary(5, k > 0, &recording.Stored{Rows: 1, Nodes: d.nodes, Buffers: d.buffers}); err != nil {
			t.Fatal(err)
		}
		if err := w.WriteStored(&recording.Stored{Rows: 1, Nodes: c.nodes, Buffers: [][]byte{nil, {byte(k)}}}); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, w.Size())
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	clear(f.Data[ends[0] : ends[0]+64]) // the first delta
	r := testdata.Open(t, f.Data)
	if r.NumBatches() != 3 || r.State() != recording.Damaged {
		t.Fatalf("%d batches, %s", r.NumBatches(), r.State())
	}
	for i := range 3 {
		b, err := r.ReadBatch(i, nil)
		if i > 0 {
			if !errors.Is(err, recording.ErrDamaged) || !strings.Contains(err.Error(), "may be missing") {
				t.Errorf("batch %d: %v", i, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := b.Columns[0].Text(0); got != "a" {
			t.Errorf("the first batch has %s", got)
		}
	}
}

// A dictionary that is damaged takes the batches that need it, and only in the
// columns that do.
func TestADamagedDictionaryIsReported(t *testing.T) {
	word := fixed(intType(8, false), 2, []byte{0, 1})
	fields := []arrowipc.Field{
		{Name: "word", Type: typ(arrowipc.Utf8), Nullable: true, Dictionary: &arrowipc.Dictionary{ID: 5, Index: intType(8, false)}},
		{Name: "number", Type: intType(16, true)},
	}
	values := textColumn("spike", "burst")
	for _, format := range []recording.Format{recording.FileFormat, recording.StreamFormat} {
		f := &testdata.Memory{}
		w, err := recording.NewSchemaWriter(f, arrowipc.Schema{Fields: fields}, recording.WriterOptions{Format: format})
		if err != nil {
			t.Fatal(err)
		}
		d := &recording.Stored{Rows: 2, Nodes: values.nodes, Buffers: [][]byte{nil, le(4, 0, 9, 3), values.buffers[2]}}
		b := &recording.Stored{Rows: 2, Nodes: append(word.nodes, arrowipc.FieldNode{Length: 2}), Buffers: append(word.buffers, nil, le(2, 7, 8))}
		if err := errors.Join(w.WriteStoredDictionary(5, false, d), w.WriteStored(b), w.WriteStored(b), w.Close()); err != nil {
			t.Fatal(err)
		}
		for _, out := range []recording.Format{recording.FileFormat, recording.StreamFormat} {
			r := testdata.Open(t, f.Data)
			report, err := r.WriteSlice(&testdata.Memory{}, recording.SliceOptions{Start: 0, End: 4, Codec: recording.Keep, Format: out})
			if err != nil || report.Rows != 0 || report.LostRows != 4 || len(report.Findings) != 2 || !strings.Contains(report.Findings[0].Reason, `"word"`) {
				t.Errorf("all columns: %v, %+v", err, report)
			}
			r = testdata.Open(t, f.Data)
			if report, err = r.WriteSlice(&testdata.Memory{}, recording.SliceOptions{Start: 0, End: 4, Columns: []int{1}, Codec: recording.Keep, Format: out}); err != nil || report.Rows != 4 || r.State() != recording.Complete {
				t.Errorf("the numbers: %v, %+v, %s", err, report, r.State())
			}
		}
	}
}
