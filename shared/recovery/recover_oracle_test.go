//go:build !js

package recovery_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/internal/testdata/oracle"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/stream"
)

// checkOracle reads a file with arrow-go and holds every value against ours.
func checkOracle(t *testing.T, file []byte) {
	t.Helper()
	o := oracle.Read(t, file)
	r := testdata.Open(t, file)
	batches := batchesOf(t, file)
	if len(o.Batches) != len(batches) {
		t.Fatalf("arrow-go reads %d batches, we %d", len(o.Batches), len(batches))
	}
	for i, b := range batches {
		for k := range b.Columns {
			c := r.Stream().Columns[b.Columns[k].Column]
			if c.Type == stream.FixedBinary {
				c.ByteWidth = b.Columns[k].Width
			}
			if want := oracle.VectorTexts(&c, &b.Columns[k]); !reflect.DeepEqual(o.Batches[i][b.Columns[k].Column], want) {
				t.Fatalf("batch %d column %q: arrow-go reads\n%v\nwe\n%v", i, c.Name, o.Batches[i][b.Columns[k].Column], want)
			}
		}
	}
}

func TestArrowGoReadsTheSameFromRecoveredFiles(t *testing.T) {
	n := 0
	for _, f := range testdata.BonsaiFiles {
		if f.Killed {
			out, _ := recoverBytes(t, testdata.Foreign(t, "bonsai/"+f.Name+".arrow"))
			checkOracle(t, out)
			n++
		}
	}
	for name, want := range killedCSharp {
		if want.err == nil {
			out, _ := recoverBytes(t, testdata.Foreign(t, "csharp/"+name+".arrow"))
			checkOracle(t, out)
			n++
		}
	}
	out, _ := recoverBytes(t, testdata.Foreign(t, "csharp/cs_empty.arrow"))
	checkOracle(t, out)
	for _, codec := range testdata.EveryCodec {
		f, _ := testdata.WriteRandom(t, testdata.EveryType(), codec, 41, 50, 50, 50, 9)
		blocks := dissect.Footer(t, f.Data).Batches
		for _, cut := range []int{len(f.Data) - 1, int(blocks[3].Offset) + 1, int(blocks[2].Offset) + 3000} {
			out, _ := recoverBytes(t, f.Data[:cut])
			checkOracle(t, out)
		}
		clear(f.Data[blocks[1].Offset : blocks[1].Offset+300])
		clear(f.Data[:64])
		out, report := recoverBytes(t, f.Data)
		if report.BatchesRecovered != 3 {
			t.Errorf("%+v", report)
		}
		checkOracle(t, out)
	}
	if n < 10 {
		t.Errorf("only %d killed files", n)
	}
}

// Files with text, lists, dictionaries and unions recover too, though we do
// not read such columns: bytes are copied.
func TestEveryTypeOfArrowGoRecovers(t *testing.T) {
	schema, columns := otherArrays()
	for _, options := range [][]ipc.Option{nil, {ipc.WithZstd()}} {
		file := oracle.Write(t, schema, columns, options...)
		want := readOracleStrings(t, file)
		out, report := recoverBytes(t, file)
		if !bytes.Equal(out, file) || len(report.Findings) != 0 {
			t.Fatalf("a complete file is changed: %+v", report)
		}
		blocks := dissect.Footer(t, file).Batches
		for _, cut := range []int64{int64(len(file)) - 5, blocks[1].Offset + 9, int64(len(file)) - 9} {
			out, report := recoverBytes(t, file[:cut])
			got := readOracleStrings(t, out)
			if len(got) != report.BatchesRecovered || !reflect.DeepEqual(got, want[:len(got)]) || len(got) == 0 {
				t.Errorf("%d of %d bytes: %d batches, %+v", cut, len(file), len(got), report)
			}
		}
		damaged := bytes.Clone(file)
		clear(damaged[blocks[0].Offset : blocks[0].Offset+64])
		out, report = recoverBytes(t, damaged)
		if got := readOracleStrings(t, out); len(got) != 1 || !reflect.DeepEqual(got[0], want[1]) {
			t.Errorf("%+v", report)
		}
	}
}

// Damage of offsets, indices and type codes is found.
func TestDamagedNestedColumnsAreNotIntact(t *testing.T) {
	schema, columns := otherArrays()
	file := oracle.Write(t, schema, columns)
	block := dissect.Footer(t, file).Batches[1]
	m := dissect.Message(t, file, block)
	spans, err := arrowipc.Columns(&dissect.Footer(t, file).Schema, m.Version, m.Batch, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		column, buffer int
		at             int64
		value          byte
	}{
		"offsets of text":        {0, 1, 4, 200},
		"offsets of a list":      {1, 1, 4, 200},
		"index of a dictionary":  {2, 1, 0, 100},
		"type code of a union":   {4, 0, 1, 77},
		"offset of a union":      {4, 1, 4, 100},
		"length of a view":       {5, 1, 3, 255},
		"size in a list view":    {6, 2, 0, 200},
		"offsets of a long text": {7, 1, 8, 200},
	} {
		damaged := bytes.Clone(file)
		b := m.Batch.Buffers[spans[c.column].Buffer+c.buffer]
		damaged[block.Offset+int64(block.MetaLength)+b.Offset+c.at] = c.value
		_, report := recoverBytes(t, damaged)
		if report.BatchesRecovered != 1 || len(report.Findings) != 1 || report.Findings[0].Batch != 1 || report.Findings[0].LostRows != 4 {
			t.Errorf("%s: %+v", name, report)
		}
	}
}

// otherArrays has columns of the types that we copy and do not read.
func otherArrays() (*arrow.Schema, []arrow.Array) {
	dictionary := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	union := arrow.DenseUnionOf([]arrow.Field{{Name: "i", Type: arrow.PrimitiveTypes.Int32}, {Name: "s", Type: arrow.BinaryTypes.String}}, []arrow.UnionTypeCode{3, 5})
	types := []struct{ name, typ, json any }{
		{"text", arrow.BinaryTypes.String, `["a", null, "ccc", ""]`},
		{"list", arrow.ListOf(arrow.PrimitiveTypes.Int16), `[[1, 2], null, [], [3]]`},
		{"label", dictionary, `["x", "y", "x", "x"]`},
		{"pair", arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int8, Nullable: true}, arrow.Field{Name: "b", Type: arrow.BinaryTypes.Binary, Nullable: true}), `[{"a": 1, "b": "QQ=="}, null, {"a": null, "b": null}, {"a": 4, "b": ""}]`},
		{"union", union, `[[3, 7], [5, "u"], [3, 8], [5, "v"]]`},
		{"view", arrow.BinaryTypes.StringView, `["short", "a text of more than twelve bytes", null, "another text of more than twelve"]`},
		{"list view", arrow.ListViewOf(arrow.PrimitiveTypes.Int8), `[[1], [2, 3], [], [4]]`},
		{"long text", arrow.BinaryTypes.LargeString, `["", "b", "cc", "ddd"]`},
		{"three", arrow.FixedSizeListOf(3, arrow.PrimitiveTypes.Uint8), `[[1, 2, 3], [4, 5, 6], null, [7, 8, 9]]`},
		{"map", arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int32), `[[{"key": "k", "value": 1}], [], [{"key": "l", "value": null}], []]`},
		{"nothing", arrow.Null, `[null, null, null, null]`},
		{"Tick", arrow.PrimitiveTypes.Uint64, `[10, 20, 30, 40]`},
	}
	var fields []arrow.Field
	var columns []arrow.Array
	for _, c := range types {
		a, _, err := array.FromJSON(memory.NewGoAllocator(), c.typ.(arrow.DataType), strings.NewReader(c.json.(string)))
		if err != nil {
			panic(err)
		}
		fields = append(fields, arrow.Field{Name: c.name.(string), Type: c.typ.(arrow.DataType), Nullable: true})
		columns = append(columns, a)
	}
	return arrow.NewSchema(fields, nil), columns
}

// readOracleStrings reads each batch as one text.
func readOracleStrings(t testing.TB, file []byte) []string {
	t.Helper()
	r, err := ipc.NewFileReader(bytes.NewReader(file))
	if err != nil {
		t.Fatalf("arrow-go: %v", err)
	}
	defer r.Close()
	var out []string
	for i := range r.NumRecords() {
		rec, err := r.RecordBatchAt(i)
		if err != nil {
			t.Fatalf("arrow-go: batch %d: %v", i, err)
		}
		text, err := rec.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(text))
	}
	return out
}
