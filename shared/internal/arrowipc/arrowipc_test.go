package arrowipc

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// manyTypes has every type and every parameter that the framing knows.
func manyTypes() *Schema {
	plain := func(name string, t DataType) Field { return Field{Name: name, Type: t} }
	u16 := DataType{ID: Int, BitWidth: 16}
	return &Schema{
		Metadata: []KeyValue{{"stream", "probe"}, {"empty", ""}},
		Features: []int64{1},
		Fields: []Field{
			plain("u16", u16),
			{Name: "i64", Nullable: true, Type: DataType{ID: Int, BitWidth: 64, Signed: true}, Metadata: []KeyValue{{"unit", "µV"}}},
			plain("half", DataType{ID: FloatingPoint}),
			plain("f64", DataType{ID: FloatingPoint, Unit: 2}),
			plain("bool", DataType{ID: Bool}),
			plain("decimal", DataType{ID: Decimal, Precision: 20, Scale: 3, BitWidth: 256}),
			plain("day", DataType{ID: Date}),
			plain("date64", DataType{ID: Date, Unit: 1}),
			plain("time", DataType{ID: Time, Unit: 3, BitWidth: 64}),
			plain("stamp", DataType{ID: Timestamp, Unit: 2, Timezone: "UTC"}),
			plain("lapse", DataType{ID: Duration, Unit: 3}),
			plain("months", DataType{ID: Interval, Unit: 2}),
			plain("raw", DataType{ID: FixedSizeBinary, Size: 7}),
			plain("text", DataType{ID: Utf8}),
			{Name: "ree", Type: DataType{ID: RunEndEncoded}, Children: []Field{plain("run_ends", DataType{ID: Int, BitWidth: 32, Signed: true}), plain("values", u16)}},
			{Name: "list", Type: DataType{ID: List}, Children: []Field{plain("item", DataType{ID: Utf8View})}},
			{Name: "map", Type: DataType{ID: Map, Sorted: true}, Children: []Field{{Name: "entries", Type: DataType{ID: Struct}, Children: []Field{plain("k", DataType{ID: Utf8}), plain("v", u16)}}}},
			{Name: "union", Type: DataType{ID: Union, Dense: true, TypeIDs: []int32{5, 9}}, Children: []Field{plain("a", u16), plain("b", DataType{ID: Null})}},
			{Name: "label", Type: DataType{ID: Utf8}, Dictionary: &Dictionary{ID: 7, Index: DataType{ID: Int, BitWidth: 8, Signed: true}, Ordered: true}},
		},
	}
}

// metadata cuts the prefix off a framed message.
func metadata(t testing.TB, framed []byte) []byte {
	t.Helper()
	prefix, length, err := ParsePrefix(framed)
	if err != nil || prefix != 8 || prefix+int(length) != len(framed) {
		t.Fatalf("prefix %d, metadata %d of %d bytes, %v", prefix, length, len(framed), err)
	}
	return framed[prefix:]
}

func TestSchemaComesBackAsWritten(t *testing.T) {
	want := manyTypes()
	framed := AppendSchema(nil, 8, 64, want)
	if (8+len(framed))%64 != 0 {
		t.Errorf("the message ends at %d, not at a multiple of 64", 8+len(framed))
	}
	m, err := ParseMessage(metadata(t, framed))
	if err != nil {
		t.Fatal(err)
	}
	if m.Version != V5 || m.Header != SchemaHeader || !reflect.DeepEqual(m.Schema, want) {
		t.Errorf("got %+v\nwant %+v", m.Schema, want)
	}
}

func TestRecordBatchComesBackAsWritten(t *testing.T) {
	want := &RecordBatch{Length: 3, Nodes: []FieldNode{{3, 1}, {3, 0}}, Buffers: []Buffer{{0, 1}, {64, 6}, {128, 0}, {128, 24}}, Codec: Zstd, VariadicCounts: []int64{2}}
	kv := []KeyValue{{"k", "v"}}
	m, err := ParseMessage(metadata(t, AppendRecordBatch(nil, 0, 8, want, 192, kv)))
	if err != nil {
		t.Fatal(err)
	}
	m.Batch.BuffersAt = 0
	if !reflect.DeepEqual(m.Batch, want) || m.BodyLength != 192 || !reflect.DeepEqual(m.Metadata, kv) {
		t.Errorf("got %+v, body %d, %v", m.Batch, m.BodyLength, m.Metadata)
	}
	if end := m.Batch.DataEnd(); end != 152 {
		t.Errorf("data end at %d, want 152", end)
	}
}

func TestFooterComesBackAsWritten(t *testing.T) {
	want := &Footer{Version: V5, Schema: *manyTypes(), Dictionaries: []Block{}, Batches: []Block{{8, 200, 1 << 40}, {1 << 41, 208, 64}}, Metadata: []KeyValue{{"a", "b"}}}
	file := AppendFooter(nil, want)
	got, err := ParseFooter(file[:len(file)-TrailerLength], nil)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
}

func TestColumnsGiveEachFieldItsNodesAndBuffers(t *testing.T) {
	s := manyTypes()
	r := &RecordBatch{VariadicCounts: []int64{3}}
	walk := layout{version: V5, variadic: r.VariadicCounts}
	for i := range s.Fields {
		if err := walk.add(&s.Fields[i]); err != nil {
			t.Fatal(err)
		}
	}
	r.Nodes, r.Buffers = make([]FieldNode, walk.nodes), make([]Buffer, walk.buffers)
	spans, err := Columns(s, V5, r, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][2]int{"u16": {1, 2}, "text": {1, 3}, "ree": {3, 4}, "list": {2, 7}, "map": {4, 8}, "union": {3, 4}, "label": {1, 2}}
	for i, f := range s.Fields {
		got := [2]int{spans[i].NodeEnd - spans[i].Node, spans[i].BufferEnd - spans[i].Buffer}
		if w, ok := want[f.Name]; ok && got != w {
			t.Errorf("%s has %v nodes and buffers, want %v", f.Name, got, w)
		}
	}
	for name, damage := range map[string]func(){
		"a node too many":              func() { r.Nodes = append(r.Nodes, FieldNode{}) },
		"a buffer too few":             func() { r.Buffers = r.Buffers[1:] },
		"no variadic count":            func() { r.VariadicCounts = nil },
		"a variadic count of billions": func() { r.VariadicCounts = []int64{1 << 40} },
		"a column of other length":     func() { r.Nodes[0].Length = 1 },
	} {
		keep := *r
		keep.Nodes = append([]FieldNode(nil), r.Nodes...)
		damage()
		if _, err := Columns(s, V5, r, nil); !errors.Is(err, ErrMessage) {
			t.Errorf("%s: %v", name, err)
		}
		*r = keep
	}
}

// What another batch had may be returned again only where it is right.
func TestColumnsGiveTheSameBesideThoseOfAnotherBatch(t *testing.T) {
	s := manyTypes()
	batch := func(version int16, variadic int64) *RecordBatch {
		r := &RecordBatch{VariadicCounts: []int64{variadic}}
		walk := layout{version: version, variadic: r.VariadicCounts}
		for i := range s.Fields {
			if err := walk.add(&s.Fields[i]); err != nil {
				t.Fatal(err)
			}
		}
		r.Nodes, r.Buffers = make([]FieldNode, walk.nodes), make([]Buffer, walk.buffers)
		return r
	}
	cases := []struct {
		version  int16
		variadic int64
	}{{V5, 0}, {V5, 3}, {V4, 3}, {V4, 1}}
	for _, before := range cases {
		last, err := Columns(s, before.version, batch(before.version, before.variadic), nil)
		if err != nil {
			t.Fatal(err)
		}
		kept := slices.Clone(last)
		for _, c := range cases {
			r := batch(c.version, c.variadic)
			want, err := Columns(s, c.version, r, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Columns(s, c.version, r, last)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%v with %v: got %v, %v, want %v", c, before, got, err, want)
			}
			if !slices.Equal(last, kept) {
				t.Fatalf("%v changed the columns of %v", c, before)
			}
		}
	}
}

func TestTypeStringsAreThoseOfArrow(t *testing.T) {
	want := "uint16 int64 float16 float64 bool decimal256(20, 3) date32 date64 time64[ns] timestamp[us, UTC] duration[ns] month_day_nano_interval " +
		"fixed_size_binary[7] utf8 run_end_encoded<int32, uint16> list<utf8_view> map<struct<k: utf8, v: uint16>> dense_union<a: uint16, b: null> dictionary<int8, utf8>"
	var got []string
	s := manyTypes()
	for i := range s.Fields {
		got = append(got, s.Fields[i].TypeString())
	}
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
}

func TestPrefixes(t *testing.T) {
	for name, c := range map[string]struct {
		in     []byte
		prefix int
		length int32
		ok     bool
	}{
		"marker and length":          {[]byte{255, 255, 255, 255, 16, 0, 0, 0}, 8, 16, true},
		"end of stream":              {[]byte{255, 255, 255, 255, 0, 0, 0, 0}, 8, 0, true},
		"legacy length":              {[]byte{16, 1, 0, 0, 9, 9, 9, 9}, 4, 272, true},
		"marker without its length":  {[]byte{255, 255, 255, 255}, 0, 0, false},
		"negative length":            {[]byte{255, 255, 255, 255, 0, 0, 0, 128}, 0, 0, false},
		"nothing":                    {nil, 0, 0, false},
		"negative length, no marker": {[]byte{0, 0, 0, 128}, 0, 0, false},
	} {
		prefix, length, err := ParsePrefix(c.in)
		if prefix != c.prefix || length != c.length || (err == nil) != c.ok {
			t.Errorf("%s: %d, %d, %v", name, prefix, length, err)
		}
	}
}

// Random damage makes tables that are their own children and strings that
// many fields share; all of it must end in an error of the right kind.
func TestDamagedMetadataGiveErrorsOfOneKind(t *testing.T) {
	framed := metadata(t, AppendSchema(nil, 0, 8, manyTypes()))
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		damaged := append([]byte(nil), framed...)
		for range 1 + r.IntN(4) {
			damaged[r.IntN(len(damaged))] = byte(r.Uint32())
		}
		m, err := ParseMessage(damaged)
		if err == nil && m.Schema != nil {
			for i := range m.Schema.Fields {
				m.Schema.Fields[i].TypeString()
				m.Schema.Fields[i].Type.FixedBits()
			}
		}
		if err != nil && !errors.Is(err, ErrMessage) {
			t.Fatalf("error without a kind: %v", err)
		}
		if (m == nil) != (err != nil) {
			t.Fatalf("message %v with error %v", m, err)
		}
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add(AppendSchema(nil, 0, 8, manyTypes())[8:])
	f.Add(AppendRecordBatch(nil, 0, 8, &RecordBatch{Length: 1, Nodes: []FieldNode{{1, 0}}, Buffers: []Buffer{{0, 0}, {0, 8}}, Codec: LZ4Frame}, 8, nil)[8:])
	f.Fuzz(func(t *testing.T, p []byte) {
		m, err := ParseMessage(p)
		if err != nil {
			if !errors.Is(err, ErrMessage) {
				t.Fatalf("error without a kind: %v", err)
			}
			return
		}
		if m.Schema == nil {
			return
		}
		again, err := ParseMessage(AppendSchema(nil, 0, 8, m.Schema)[8:])
		if err != nil || len(again.Schema.Fields) != len(m.Schema.Fields) {
			t.Fatalf("what parses must be written and parsed again: %v", err)
		}
	})
}

func FuzzParseFooter(f *testing.F) {
	file := AppendFooter(nil, &Footer{Version: V5, Schema: *manyTypes(), Batches: []Block{{8, 200, 1 << 40}}})
	f.Add(file[:len(file)-TrailerLength])
	front, err := ParseMessage(metadata(f, AppendSchema(nil, 0, 8, manyTypes())))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		alone, err := ParseFooter(p, nil)
		if err != nil && !errors.Is(err, ErrFooter) {
			t.Fatalf("error without a kind: %v", err)
		}
		if known, knownErr := ParseFooter(p, front); (err == nil) != (knownErr == nil) || !reflect.DeepEqual(alone, known) {
			t.Fatalf("alone %+v, %v\nwith a known schema %+v, %v", alone, err, known, knownErr)
		}
	})
}
