package arrowipc

import (
	"bytes"
	"fmt"
	"slices"
)

func schema(t table) *Schema {
	s := &Schema{BigEndian: t.i16(0, 0) != 0, Fields: fields(t, 1, 0), Metadata: keyValues(t, 2)}
	first, n := t.vec(3, 8)
	for i := range n {
		s.Features = append(s.Features, t.b.i64(first+int64(i)*8))
	}
	t.insist(1)
	return s
}

// written are the bytes that a schema was read from: places in a flatbuffer count
// from where they are, so that the same bytes elsewhere are the same schema.
type written struct {
	bytes []byte // nil: not known
	table int64  // where its table lies in them
	at    int64  // where that is in its flatbuffer
	align int64  // the largest alignment of what lies in them
	count int    // of the fields and the metadata that it has
}

// watchedSchema is schema, and from which bytes it was read.
func watchedSchema(t table) (*Schema, written) {
	b := t.b
	left := b.fields
	b.from, b.to, b.most = int64(len(b.data)), 0, 1
	s := schema(b.table(t.pos))
	if b.err != nil {
		return s, written{}
	}
	return s, written{b.data[b.from:b.to], t.pos - b.from, t.pos, b.most, left - b.fields}
}

// same reports whether the schema at t is written in the same bytes.
func (w *written) same(t table) bool {
	from := t.pos - w.table
	to := from + int64(len(w.bytes))
	return w.bytes != nil && t.b.fields >= w.count && (t.pos-w.at)%w.align == 0 &&
		from >= 0 && to <= int64(len(t.b.data)) && bytes.Equal(w.bytes, t.b.data[from:to])
}

func keyValues(t table, slot int) []KeyValue {
	first, n := t.vec(slot, 4)
	if n == 0 {
		return nil
	}
	if t.b.fields -= n; t.b.fields < 0 {
		t.b.fail()
		return nil
	}
	list := t.b.room(n)
	for i := range list {
		e := t.b.table(t.b.indirect(first + int64(i)*4))
		list[i] = KeyValue{e.str(0), e.str(1)}
		e.insist(0)
		e.insist(1)
	}
	return list
}

// room returns an empty list of n. Those of hundreds of columns are parts of a few.
func (b *buf) room(n int) []KeyValue {
	const few, many = 4, 128
	if b.lists++; b.lists <= few {
		return make([]KeyValue, n)
	}
	if n > len(b.keyValues) {
		b.keyValues = make([]KeyValue, max(n, min(many, b.fields)))
	}
	list := b.keyValues[:n:n]
	b.keyValues = b.keyValues[n:]
	return list
}

func fields(t table, slot, depth int) []Field {
	first, n := t.vec(slot, 4)
	if n == 0 {
		return nil
	}
	if t.b.fields -= n; t.b.fields < 0 || depth > maxDepth {
		t.b.fail()
		return nil
	}
	list := make([]Field, n)
	for i := range list {
		e, f := t.b.table(t.b.indirect(first+int64(i)*4)), &list[i]
		f.Name, f.Nullable, f.Metadata, f.Children = e.str(0), e.u8(1, 0) != 0, keyValues(e, 6), fields(e, 5, depth+1)
		typ, _ := e.sub(3)
		dataType(&f.Type, TypeID(e.u8(2, 0)), typ)
		if d, ok := e.sub(4); ok {
			f.Dictionary = &Dictionary{ID: d.i64(0, 0), Index: DataType{ID: Int, BitWidth: 32, Signed: true}, Ordered: d.u8(2, 0) != 0}
			_ = d.i16(3, 0) // the kind, of which there is one
			if index, ok := d.sub(1); ok {
				dataType(&f.Dictionary.Index, Int, index)
			}
		}
		if t.b.err != nil {
			return nil
		}
	}
	return list
}

// dataType reads the table of type id into d; absent slots have the defaults
// of Schema.fbs.
func dataType(d *DataType, id TypeID, t table) {
	d.ID = id
	switch id {
	case Int:
		d.BitWidth, d.Signed = t.i32(0, 0), t.u8(1, 0) != 0
	case FloatingPoint:
		d.Unit = t.i16(0, 0)
	case Decimal:
		d.Precision, d.Scale, d.BitWidth = t.i32(0, 0), t.i32(1, 0), t.i32(2, 128)
	case Date:
		d.Unit = t.i16(0, 1)
	case Time:
		d.Unit, d.BitWidth = t.i16(0, 1), t.i32(1, 32)
	case Timestamp:
		d.Unit, d.Timezone = t.i16(0, 0), t.str(1)
	case Duration:
		d.Unit = t.i16(0, 1)
	case Interval:
		d.Unit = t.i16(0, 0)
	case FixedSizeBinary, FixedSizeList:
		d.Size = t.i32(0, 0)
	case Map:
		d.Sorted = t.u8(0, 0) != 0
	case Union:
		d.Dense = t.i16(0, 0) == 1
		first, n := t.vec(1, 4)
		if t.b.fields -= n; t.b.fields < 0 {
			t.b.fail()
			return
		}
		for i := range n {
			d.TypeIDs = append(d.TypeIDs, t.b.i32(first+int64(i)*4))
		}
	}
}

// A Span is the part of a batch's nodes and buffers that belongs to one
// top-level column: nodes [Node, NodeEnd), buffers [Buffer, BufferEnd), counts
// of views [View, ViewEnd).
type Span struct{ Node, NodeEnd, Buffer, BufferEnd, View, ViewEnd int }

// Columns assigns the nodes and buffers of a batch to the schema's columns.
//
// version is the message's: unions and run ends had a validity buffer in V4. last is the
// result for another batch of this schema, or nil: it is returned again where it
// fits, which is nearly always, so that all batches share one. It returns an
// error that wraps ErrMessage if the batch does not have exactly the nodes and
// buffers that the schema asks for, or a column's row count is not the
// batch's.
func Columns(s *Schema, version int16, r *RecordBatch, last []Span) ([]Span, error) {
	spans, shared := last, len(last) == len(s.Fields)
	if !shared {
		spans = make([]Span, len(s.Fields))
	}
	walk := layout{version: version, variadic: r.VariadicCounts}
	for i := range s.Fields {
		span := Span{Node: walk.nodes, Buffer: walk.buffers, View: len(r.VariadicCounts) - len(walk.variadic)}
		if err := walk.add(&s.Fields[i]); err != nil {
			return nil, err
		}
		span.NodeEnd, span.BufferEnd, span.ViewEnd = walk.nodes, walk.buffers, len(r.VariadicCounts)-len(walk.variadic)
		if shared && spans[i] != span {
			spans, shared = slices.Clone(spans), false
		}
		if !shared {
			spans[i] = span
		}
	}
	if walk.nodes != len(r.Nodes) || walk.buffers != len(r.Buffers) {
		return nil, fmt.Errorf("%w: %d field nodes and %d buffers, the schema asks for %d and %d", ErrMessage, len(r.Nodes), len(r.Buffers), walk.nodes, walk.buffers)
	}
	for i := range spans {
		if n := r.Nodes[spans[i].Node].Length; n != r.Length {
			return nil, fmt.Errorf("%w: column %q has %d rows in a batch of %d", ErrMessage, s.Fields[i].Name, n, r.Length)
		}
	}
	return spans, nil
}

// layout counts nodes and buffers depth first.
type layout struct {
	version        int16
	variadic       []int64
	nodes, buffers int
}

func (w *layout) add(f *Field) error {
	w.nodes++
	if f.Dictionary != nil {
		w.buffers += 2 // validity and indices; the values are elsewhere
		return nil
	}
	switch f.Type.ID {
	case Null:
	case RunEndEncoded:
		if w.version < V5 {
			w.buffers++
		}
	case FixedSizeList, Struct:
		w.buffers++
	case Binary, Utf8, LargeBinary, LargeUtf8, ListView, LargeListView:
		w.buffers += 3
	case Union:
		w.buffers++
		if f.Type.Dense {
			w.buffers++
		}
		if w.version < V5 {
			w.buffers++
		}
	case BinaryView, Utf8View:
		if len(w.variadic) == 0 || w.variadic[0] < 0 || w.variadic[0] > 1<<30 {
			return fmt.Errorf("%w: no buffer count for the view column %q", ErrMessage, f.Name)
		}
		w.buffers += 2 + int(w.variadic[0])
		w.variadic = w.variadic[1:]
	case List, LargeList, Map, Int, FloatingPoint, Bool, Decimal, Date, Time, Timestamp, Interval, FixedSizeBinary, Duration:
		w.buffers += 2
	default:
		return fmt.Errorf("%w: column %q is of %s", ErrMessage, f.Name, f.Type)
	}
	for i := range f.Children {
		if err := w.add(&f.Children[i]); err != nil {
			return err
		}
	}
	return nil
}
