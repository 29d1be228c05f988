package recording_test

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/recording"
)

// le gives little-endian integers of so many bytes.
func le(width int, values ...int64) []byte {
	var p []byte
	for _, x := range values {
		p = append(p, binary.LittleEndian.AppendUint64(nil, uint64(x))[:width]...)
	}
	return p
}

func typ(id arrowipc.TypeID) arrowipc.DataType { return arrowipc.DataType{ID: id} }

func intType(bits int32, signed bool) arrowipc.DataType {
	return arrowipc.DataType{ID: arrowipc.Int, BitWidth: bits, Signed: signed}
}

// column is a handmade column: nodes and buffers as they would stand in a
// batch.
type column struct {
	field   arrowipc.Field
	nodes   []arrowipc.FieldNode
	buffers [][]byte
	views   []int64
	rows    int64
	version int16 // 0: V5
}

// file puts the column into a file of one batch; dictionaries go before it.
func (c column) file(t testing.TB, dictionaries ...dictionaryBatch) []byte {
	t.Helper()
	c.field.Name, c.field.Nullable = "c", true
	f := &testdata.Memory{}
	w, err := recording.NewSchemaWriter(f, arrowipc.Schema{Fields: []arrowipc.Field{c.field}}, recording.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dictionaries {
		s := &recording.Stored{Rows: d.rows, Nodes: d.nodes, Buffers: d.buffers, Variadic: d.views}
		if err := w.WriteStoredDictionary(d.id, d.delta, s); err != nil {
			t.Fatal(err)
		}
	}
	s := &recording.Stored{Rows: c.rows, Nodes: c.nodes, Buffers: c.buffers, Variadic: c.views}
	if err := errors.Join(w.WriteStored(s), w.Close()); err != nil {
		t.Fatal(err)
	}
	if c.version != 0 {
		b := dissect.Block(t, f.Data, 0)
		setVersion(f.Data, b.Offset, uint16(c.version))
	}
	return f.Data
}

type dictionaryBatch struct {
	id    int64
	delta bool
	column
}

// fixed is a column of values of one width.
func fixed(t arrowipc.DataType, n int64, data []byte) column {
	return column{field: arrowipc.Field{Type: t}, nodes: []arrowipc.FieldNode{{Length: n}}, buffers: [][]byte{nil, data}, rows: n}
}

// texts is a column of text.
func textColumn(values ...string) column {
	offsets, data := []int64{0}, ""
	for _, v := range values {
		data += v
		offsets = append(offsets, int64(len(data)))
	}
	n := int64(len(values))
	return column{field: arrowipc.Field{Type: typ(arrowipc.Utf8)}, nodes: []arrowipc.FieldNode{{Length: n}}, buffers: [][]byte{nil, le(4, offsets...), []byte(data)}, rows: n}
}

// nested is a column of n rows over children.
func nested(t arrowipc.DataType, n int64, buffers [][]byte, children ...column) column {
	c := column{field: arrowipc.Field{Type: t}, nodes: []arrowipc.FieldNode{{Length: n}}, buffers: buffers, rows: n}
	for i, child := range children {
		child.field.Name = string(rune('a' + i))
		c.field.Children = append(c.field.Children, child.field)
		c.nodes, c.buffers, c.views = append(c.nodes, child.nodes...), append(c.buffers, child.buffers...), append(c.views, child.views...)
	}
	return c
}

// withNulls gives a column a validity: bit i of bits is row i.
func (c column) withNulls(bits byte) column {
	c.nodes = append([]arrowipc.FieldNode{}, c.nodes...)
	c.buffers = append([][]byte{}, c.buffers...)
	for i := range c.rows {
		c.nodes[0].NullCount += int64(1 - bits>>i&1)
	}
	c.buffers[0] = []byte{bits}
	return c
}

func timeType(id arrowipc.TypeID, unit int16, bits int32, zone string) arrowipc.DataType {
	return arrowipc.DataType{ID: id, Unit: unit, BitWidth: bits, Timezone: zone}
}
