package recording_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/recording"
)

func TestEveryTypeIsShownAsText(t *testing.T) {
	i32 := func(values ...int64) column {
		return fixed(intType(32, true), int64(len(values)), le(4, values...))
	}
	decimal := func(bits, scale int32) arrowipc.DataType {
		return arrowipc.DataType{ID: arrowipc.Decimal, BitWidth: bits, Precision: 9, Scale: scale}
	}
	const long = "more than twelve bytes"
	view := func(n int64, rest ...byte) []byte { return append(le(4, n), rest...) }
	for name, c := range map[string]struct {
		column
		want []string // "null" is a null
	}{
		"truth values":     {fixed(typ(arrowipc.Bool), 3, []byte{5}), []string{"true", "false", "true"}},
		"small integers":   {fixed(intType(8, true), 2, le(1, -128, 127)), []string{"-128", "127"}},
		"unsigned":         {fixed(intType(64, false), 1, le(8, -1)), []string{"18446744073709551615"}},
		"with nulls":       {i32(1, 2, 3).withNulls(5), []string{"1", "null", "3"}},
		"half floats":      {fixed(arrowipc.DataType{ID: arrowipc.FloatingPoint}, 3, le(2, 0x3C00, 0x3555, 0x7C00)), []string{"1", "0.33325195", "inf"}},
		"single floats":    {fixed(arrowipc.DataType{ID: arrowipc.FloatingPoint, Unit: 1}, 2, le(4, int64(math.Float32bits(0.1)), int64(math.Float32bits(1e30)))), []string{"0.1", "1e+30"}},
		"double floats":    {fixed(arrowipc.DataType{ID: arrowipc.FloatingPoint, Unit: 2}, 1, le(8, int64(math.Float64bits(0.1)))), []string{"0.1"}},
		"decimals":         {fixed(decimal(128, 2), 3, append(le(8, 12345, 0, -5, -1), le(8, 0, 0)...)), []string{"123.45", "-0.05", "0.00"}},
		"whole decimals":   {fixed(decimal(32, -3), 2, le(4, 12, 0)), []string{"12000", "0"}},
		"absurd scales":    {fixed(decimal(64, math.MaxInt32), 1, le(8, 7)), []string{"7e-2147483647"}},
		"wide decimals":    {fixed(decimal(256, 0), 1, le(8, -1, -1, -1, -1)), []string{"-1"}},
		"dates":            {fixed(timeType(arrowipc.Date, 0, 0, ""), 3, le(4, 0, -1, math.MaxInt32)), []string{"1970-01-01", "1969-12-31", "2147483647d"}},
		"dates in ms":      {fixed(timeType(arrowipc.Date, 1, 0, ""), 2, le(8, 86400000, 86400001)), []string{"1970-01-02", "1970-01-02T00:00:00.001"}},
		"times":            {fixed(timeType(arrowipc.Time, 1, 32, ""), 2, le(4, 3723004, -1)), []string{"01:02:03.004", "-0.001s"}},
		"timestamps":       {fixed(timeType(arrowipc.Timestamp, 2, 0, ""), 3, le(8, 1_700_000_000_123_456, -1, math.MinInt64)), []string{"2023-11-14T22:13:20.123456", "1969-12-31T23:59:59.999999", "-9223372036854.775808s"}},
		"zoned timestamps": {fixed(timeType(arrowipc.Timestamp, 0, 0, "Europe/Paris"), 1, le(8, 0)), []string{"1970-01-01T00:00:00Z"}},
		"durations":        {fixed(timeType(arrowipc.Duration, 1, 0, ""), 2, le(8, 1500, -1)), []string{"1.500s", "-0.001s"}},
		"months":           {fixed(timeType(arrowipc.Interval, 0, 0, ""), 2, le(4, 14, 0)), []string{"P14M", "P0M"}},
		"days and ms":      {fixed(timeType(arrowipc.Interval, 1, 0, ""), 2, le(4, 3, 500, 0, 0)), []string{"P3DT0.500S", "P0D"}},
		"months to ns":     {fixed(timeType(arrowipc.Interval, 2, 0, ""), 1, append(le(4, 1, 2), le(8, 3)...)), []string{"P1M2DT0.000000003S"}},
		"fixed bytes":      {fixed(arrowipc.DataType{ID: arrowipc.FixedSizeBinary, Size: 2}, 2, []byte{1, 0xFF, 0, 0xA}), []string{"01ff", "000a"}},
		"no bytes":         {fixed(arrowipc.DataType{ID: arrowipc.FixedSizeBinary}, 2, nil), []string{"", ""}},
		"text":             {textColumn("spike", "", `"quoted"`).withNulls(5), []string{"spike", "null", `"quoted"`}},
		"large bytes":      {column{field: arrowipc.Field{Type: typ(arrowipc.LargeBinary)}, nodes: []arrowipc.FieldNode{{Length: 1}}, buffers: [][]byte{nil, le(8, 1, 3), []byte("abc")}, rows: 1}, []string{"6263"}},
		"no offsets":       {column{field: arrowipc.Field{Type: typ(arrowipc.Utf8)}, nodes: []arrowipc.FieldNode{{}}, buffers: [][]byte{nil, nil, nil}}, nil},
		"views": {column{field: arrowipc.Field{Type: typ(arrowipc.Utf8View)}, nodes: []arrowipc.FieldNode{{Length: 2}},
			buffers: [][]byte{nil, append(append(view(5), "short\x00\x00\x00\x00\x00\x00\x00"...), append(append(view(int64(len(long))), "more"...), le(4, 0, 1)...)...), []byte("-" + long)}, views: []int64{1}, rows: 2}, []string{"short", long}},
		"nulls":         {column{field: arrowipc.Field{Type: typ(arrowipc.Null)}, nodes: []arrowipc.FieldNode{{Length: 2, NullCount: 2}}, rows: 2}, []string{"null", "null"}},
		"lists":         {nested(typ(arrowipc.List), 3, [][]byte{nil, le(4, 0, 2, 2, 3)}, i32(1, 2, 3)), []string{"[1, 2]", "[]", "[3]"}},
		"lists of text": {nested(typ(arrowipc.LargeList), 1, [][]byte{nil, le(8, 0, 2)}, textColumn("a", `b"`)), []string{`["a", "b\""]`}},
		"lists of nulls": {nested(typ(arrowipc.List), 1, [][]byte{nil, le(4, 0, 2)}, i32(1, 2).withNulls(1)),
			[]string{"[1, null]"}},
		"fixed lists": {nested(arrowipc.DataType{ID: arrowipc.FixedSizeList, Size: 2}, 2, [][]byte{nil}, i32(1, 2, 3, 4)), []string{"[1, 2]", "[3, 4]"}},
		"list views":  {nested(typ(arrowipc.ListView), 2, [][]byte{nil, le(4, 1, 0), le(4, 2, 2)}, i32(1, 2, 3)), []string{"[2, 3]", "[1, 2]"}},
		"structs":     {nested(typ(arrowipc.Struct), 2, [][]byte{nil}, i32(1, 2), textColumn("x", "y")), []string{`{a: 1, b: "x"}`, `{a: 2, b: "y"}`}},
		"empty rows":  {nested(typ(arrowipc.Struct), 2, [][]byte{nil}), []string{"{}", "{}"}},
		"maps": {nested(typ(arrowipc.Map), 2, [][]byte{nil, le(4, 0, 1, 2)}, nested(typ(arrowipc.Struct), 2, [][]byte{nil}, textColumn("k", "l"), i32(1, 2))),
			[]string{`{"k": 1}`, `{"l": 2}`}},
		"dense unions": {nested(arrowipc.DataType{ID: arrowipc.Union, Dense: true, TypeIDs: []int32{3, 9}}, 3, [][]byte{{9, 3, 9}, le(4, 0, 0, 1)}, i32(7), textColumn("u", "v")),
			[]string{"u", "7", "v"}},
		"sparse unions": {nested(typ(arrowipc.Union), 2, [][]byte{{0, 1}}, i32(7, 8), textColumn("u", "v")), []string{"7", "v"}},
		"runs of text":  {nested(typ(arrowipc.RunEndEncoded), 3, nil, i32(2, 9), textColumn("u", "v")), []string{"u", "u", "v"}},
		"old unions": {func() column {
			c := nested(typ(arrowipc.Union), 2, [][]byte{{1}, {0, 1}}, i32(7, 8), textColumn("u", "v"))
			c.nodes[0].NullCount, c.version = 1, arrowipc.V4
			return c
		}(), []string{"7", "null"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := testdata.Open(t, c.file(t))
			b, err := r.ReadBatch(0, nil)
			if err != nil {
				t.Fatal(err)
			}
			if b.Rows != len(c.want) {
				t.Fatalf("%d rows", b.Rows)
			}
			for i, want := range c.want {
				got, valid := b.Columns[0].Text(i)
				if !valid {
					got = "null"
				}
				if got != want {
					t.Errorf("row %d of %s is %s, want %s", i, r.Stream().Columns[0].ArrowType, got, want)
				}
			}
		})
	}
}

// Two lists of one element each, nested 40 times, each pointing at all below:
// the text of one row would have 2^40 values.
func TestTextThatHasNoEndIsCut(t *testing.T) {
	c := fixed(intType(8, true), 1, []byte{1})
	for range 40 {
		c = nested(typ(arrowipc.ListView), 2, [][]byte{nil, le(4, 0, 0), le(4, c.rows, c.rows)}, c)
	}
	b, err := testdata.Open(t, c.file(t)).ReadBatch(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := b.Columns[0].Text(0); len(text) > 17<<20 || !strings.Contains(text, "...") {
		t.Errorf("%d bytes", len(text))
	}
}

func TestNestedColumnsThatDoNotHold(t *testing.T) {
	i32 := fixed(intType(32, true), 3, le(4, 1, 2, 3))
	text := textColumn("a", "b", "c")
	view := func(n, buffer, offset int64) column {
		return column{field: arrowipc.Field{Type: typ(arrowipc.BinaryView)}, nodes: []arrowipc.FieldNode{{Length: 1}},
			buffers: [][]byte{nil, le(4, n, 0, buffer, offset), []byte("0123456789abcdef")}, views: []int64{1}, rows: 1}
	}
	union := func(types []byte, offsets ...int64) column {
		return nested(arrowipc.DataType{ID: arrowipc.Union, Dense: true}, int64(len(types)), [][]byte{types, le(4, offsets...)}, i32, text)
	}
	indices := func(values ...int64) column {
		c := fixed(intType(8, true), int64(len(values)), le(1, values...))
		c.field = arrowipc.Field{Type: typ(arrowipc.Utf8), Dictionary: &arrowipc.Dictionary{ID: 5, Index: intType(8, true)}}
		return c
	}
	words := []dictionaryBatch{{id: 5, column: textColumn("x", "y")}}
	inside := fixed(intType(8, true), 1, le(1, 0))
	inside.field = arrowipc.Field{Type: typ(arrowipc.List), Dictionary: &arrowipc.Dictionary{ID: 5, Index: intType(8, true)},
		Children: []arrowipc.Field{{Type: typ(arrowipc.Utf8), Dictionary: &arrowipc.Dictionary{ID: 5, Index: intType(8, true)}}}}
	for name, c := range map[string]struct {
		column
		dictionaries []dictionaryBatch
		word         string
	}{
		"offsets that fall":             {column: nested(typ(arrowipc.List), 2, [][]byte{nil, le(4, 0, 2, 1)}, i32), word: "offset 1 after 2"},
		"negative offsets":              {column: nested(typ(arrowipc.List), 1, [][]byte{nil, le(4, -1, 2)}, i32), word: "offset -1"},
		"lists beyond their values":     {column: nested(typ(arrowipc.List), 1, [][]byte{nil, le(4, 0, 4)}, i32), word: "3 values"},
		"text beyond its bytes":         {column: column{field: text.field, nodes: text.nodes, buffers: [][]byte{nil, le(4, 0, 1, 2, 9), []byte("abc")}, rows: 3}, word: "3 bytes where 9"},
		"too few offsets":               {column: column{field: text.field, nodes: text.nodes, buffers: [][]byte{nil, le(4, 0, 1), []byte("abc")}, rows: 3}, word: "8 bytes where 16"},
		"views beyond list values":      {column: nested(typ(arrowipc.ListView), 1, [][]byte{nil, le(4, 2), le(4, 2)}, i32), word: "3 values"},
		"negative sizes":                {column: nested(typ(arrowipc.ListView), 1, [][]byte{nil, le(4, 2), le(4, -2)}, i32), word: "-2 values"},
		"sizes without end":             {column: nested(typ(arrowipc.LargeListView), 1, [][]byte{nil, le(8, math.MaxInt64), le(8, math.MaxInt64)}, i32), word: "values from"},
		"fixed lists beyond":            {column: nested(arrowipc.DataType{ID: arrowipc.FixedSizeList, Size: 4}, 1, [][]byte{nil}, i32), word: "where 4 are needed"},
		"fixed lists of negative size":  {column: nested(arrowipc.DataType{ID: arrowipc.FixedSizeList, Size: -1}, 3, [][]byte{nil}, i32), word: "-1 values"},
		"fixed lists without end":       {column: nested(arrowipc.DataType{ID: arrowipc.FixedSizeList, Size: math.MaxInt32}, math.MaxInt32, [][]byte{nil}, i32), word: ""},
		"structs with short children":   {column: nested(typ(arrowipc.Struct), 4, [][]byte{nil}, i32), word: "3 values"},
		"lists without a child":         {column: nested(typ(arrowipc.List), 1, [][]byte{nil, le(4, 0, 0)}), word: "0 children"},
		"numbers with children":         {column: nested(intType(32, true), 1, [][]byte{nil, le(4, 0)}, i32), word: "1 children"},
		"maps of numbers":               {column: nested(typ(arrowipc.Map), 1, [][]byte{nil, le(4, 0, 1)}, i32), word: "a map of int32"},
		"a view of negative length":     {column: view(-1, 0, 0), word: "-1 bytes"},
		"a view of a buffer too many":   {column: view(13, 1, 0), word: "buffer 1 of 1"},
		"a view of a negative buffer":   {column: view(13, -1, 0), word: "buffer -1"},
		"a view beyond its buffer":      {column: view(13, 0, 4), word: "from 4 of 16"},
		"a union of no type":            {column: union([]byte{2}, 0), word: "type 2"},
		"a union of a negative type":    {column: union([]byte{0xFF}, 0), word: "type -1"},
		"a union beyond its child":      {column: union([]byte{1}, 3), word: "3 of 3"},
		"a union at a negative place":   {column: union([]byte{1}, -1), word: "-1 of 3"},
		"a sparse union that is short":  {column: nested(typ(arrowipc.Union), 4, [][]byte{{0, 0, 0, 1}}, i32, text), word: "of 3"},
		"run ends that fall":            {column: nested(typ(arrowipc.RunEndEncoded), 3, nil, fixed(intType(32, true), 2, le(4, 3, 2)), textColumn("a", "b")), word: "run 1 ends at 2"},
		"runs that do not reach":        {column: nested(typ(arrowipc.RunEndEncoded), 4, nil, i32, text), word: "end at 3 of 4"},
		"run ends of another number":    {column: nested(typ(arrowipc.RunEndEncoded), 2, nil, fixed(intType(32, true), 2, le(4, 1, 2)), text), word: "2 run ends"},
		"run ends of text":              {column: nested(typ(arrowipc.RunEndEncoded), 3, nil, text, text), word: "run ends of utf8"},
		"rows without bytes, many":      {column: nested(typ(arrowipc.Struct), 1<<30, [][]byte{nil}), word: "too much for one read"},
		"an index too large":            {column: indices(0, 2), dictionaries: words, word: "index 2 in a dictionary of 2"},
		"a negative index":              {column: indices(-1), dictionaries: words, word: "index -1"},
		"no dictionary":                 {column: indices(0), word: "dictionary is missing"},
		"a delta of nothing":            {column: indices(0), dictionaries: []dictionaryBatch{{id: 5, delta: true, column: text}}, word: "did not begin"},
		"a dictionary of another shape": {column: indices(0), dictionaries: []dictionaryBatch{{id: 5, column: i32}}, word: "dictionary is missing"},
		"a dictionary inside of itself": {column: inside, dictionaries: []dictionaryBatch{{id: 5, column: nested(typ(arrowipc.List), 1, [][]byte{nil, le(4, 0, 1)}, inside)}}, word: "dictionary"},
	} {
		t.Run(name, func(t *testing.T) {
			r := testdata.Open(t, c.file(t, c.dictionaries...))
			var err error
			if n := testdata.Allocated(func() { _, err = r.ReadBatch(0, nil) }); n > 16<<20 {
				t.Errorf("%d bytes allocated", n)
			}
			var corrupt *recording.CorruptError
			if err == nil || !strings.Contains(err.Error(), c.word) || !errors.As(err, &corrupt) && !errors.Is(err, recording.ErrTooLarge) {
				t.Fatalf("%v, want %q", err, c.word)
			}
			// Recovery sees the same. It does not know what is too much.
			if corrupt != nil {
				if !keepsNothing(c.file(t, c.dictionaries...)) {
					t.Error("recovery keeps something")
				}
			}
		})
	}
}

// What is not understood is a column's own matter.
func TestADamagedColumnLeavesTheOthersReadable(t *testing.T) {
	c := nested(typ(arrowipc.Struct), 3, [][]byte{nil}, textColumn("a", "b", "c"))
	c.buffers[2] = le(4, 0, 2, 1, 3)
	f := &testdata.Memory{}
	schema := arrowipc.Schema{Fields: []arrowipc.Field{{Name: "bad", Type: c.field.Type, Children: c.field.Children}, {Name: "good", Type: intType(16, true)}}}
	w, err := recording.NewSchemaWriter(f, schema, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s := &recording.Stored{Rows: 3, Nodes: append(c.nodes, arrowipc.FieldNode{Length: 3}), Buffers: append(c.buffers, nil, le(2, 4, 5, 6))}
	if err := errors.Join(w.WriteStored(s), w.Close()); err != nil {
		t.Fatal(err)
	}
	r := testdata.Open(t, f.Data)
	if _, err := r.ReadBatch(0, []int{0}); !errors.Is(err, recording.ErrDamaged) || !strings.Contains(err.Error(), `column "bad"`) {
		t.Errorf("%v", err)
	}
	b, err := r.ReadBatch(0, []int{1})
	if err != nil || fmt.Sprint(recording.Values[int16](&b.Columns[0])) != "[4 5 6]" {
		t.Errorf("%v, %v", b, err)
	}
}
