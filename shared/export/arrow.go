//go:build !js

package export

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	tree "github.com/oniscope/oniscope/shared/internal/array"
	"github.com/oniscope/oniscope/shared/internal/vectors"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// RecordBatch returns a batch of a reader as arrow-go's; a caller that goes over
// many uses Records, which makes the schema once.
func RecordBatch(r *recording.Reader, b *recording.Batch) (arrow.RecordBatch, error) {
	columns := make([]int, len(b.Columns))
	for i := range b.Columns {
		columns[i] = b.Columns[i].Column
	}
	ctx := context.Background()
	x, err := r.Select(ctx, recording.Selection{Rows: &recording.Range{}})
	if err == nil {
		x, err = x.With(columns)
	}
	if err != nil {
		return nil, err
	}
	j, err := newJob(ctx, nil, x, nil)
	if err != nil {
		return nil, err
	}
	schema, err := arrowSchema(j)
	if err != nil {
		return nil, err
	}
	return recordBatch(schema, b)
}

// Records returns the excerpt as arrow-go's record batches, with types, nulls,
// metadata and run ends as in the file. Columns share their memory with what was
// read; but truth values and validity are packed into bits, and run-end encoded
// values gathered. Where a batch is damaged it yields nil and a
// *recording.CorruptError, and goes on after it if asked to. Any other error is
// the last that it yields.
func Records(ctx context.Context, x *recording.Excerpt) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		j, err := newJob(ctx, nil, x, nil)
		if err != nil {
			yield(nil, err)
			return
		}
		schema, err := arrowSchema(j)
		if err != nil {
			yield(nil, err)
			return
		}
		done := errors.New("enough")
		j.corrupt = func(err error) error {
			if !yield(nil, err) {
				return done
			}
			return nil
		}
		err = j.each(func(b *recording.Batch) error {
			batch, err := recordBatch(schema, b)
			if err == nil && !yield(batch, nil) {
				err = done
			}
			return err
		})
		if err != nil && err != done {
			yield(nil, err)
		}
	}
}

// arrowSchema returns the schema of the columns as arrow-go reads it from a file
// that has them and no rows.
func arrowSchema(j *job) (schema *arrow.Schema, err error) {
	var empty emptyFile
	start, _ := j.x.Rows()
	if _, err := recording.Copy(j.ctx, &empty, j.x.Within(recording.Range{Start: start, End: start}), nil); err != nil {
		return nil, err
	}
	err = guarded(func() error {
		f, err := ipc.NewFileReader(bytes.NewReader(empty.Bytes()))
		if err != nil {
			return fmt.Errorf("export: schema: arrow-go: %w", err)
		}
		defer f.Close()
		schema = f.Schema()
		return nil
	})
	return schema, err
}

// guarded calls f, and makes an error of a panic: arrow-go panics on types that
// it does not know to the end.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = kindf("arrow-go: %v", p)
		}
	}()
	return f()
}

// An emptyFile is a recording.File in memory.
type emptyFile struct{ bytes.Buffer }

func (f *emptyFile) Truncate(size int64) error {
	f.Buffer.Truncate(int(size))
	return nil
}

func recordBatch(schema *arrow.Schema, b *recording.Batch) (batch arrow.RecordBatch, err error) {
	err = guarded(func() error {
		columns := make([]arrow.Array, len(b.Columns))
		for i := range b.Columns {
			data, err := columnData(schema.Field(i).Type, &b.Columns[i])
			if err != nil {
				return fmt.Errorf("column %q: %w", schema.Field(i).Name, err)
			}
			columns[i] = array.MakeFromData(data)
			data.Release()
		}
		batch = array.NewRecordBatch(schema, columns, int64(b.Rows))
		return nil
	})
	return batch, err
}

// columnData returns a column as arrow-go's array of that type. A run-end
// encoded column may be asked for by the type of its values, and is then
// written out.
func columnData(t arrow.DataType, v *recording.Vector) (*array.Data, error) {
	if e, ok := t.(arrow.ExtensionType); ok {
		return extended(e, func(storage arrow.DataType) (*array.Data, error) { return columnData(storage, v) })
	}
	if values := vectors.Array(v); values != nil {
		return treeData(t, values)
	}
	if t, ok := t.(*arrow.RunEndEncodedType); ok {
		return runEndData(t, v)
	}
	data := v.Data
	if v.Type == stream.Bool {
		data = packBits(v.Data[:v.Len])
	}
	return fixedData(t, v.Len, data, v.Valid)
}

// extended gives data in the storage of an extension type that arrow-go knows
// its name.
func extended(t arrow.ExtensionType, in func(storage arrow.DataType) (*array.Data, error)) (*array.Data, error) {
	data, err := in(t.StorageType())
	if err != nil {
		return nil, err
	}
	if dictionary, ok := data.Dictionary().(*array.Data); ok && dictionary != nil {
		return array.NewDataWithDictionary(t, data.Len(), data.Buffers(), data.NullN(), 0, dictionary), nil
	}
	return array.NewData(t, data.Len(), data.Buffers(), data.Children(), data.NullN(), 0), nil
}

// fixedData wraps values of fixed width; valid has a byte for each.
func fixedData(t arrow.DataType, n int, data, valid []byte) (*array.Data, error) {
	layout := t.Layout()
	if len(layout.Buffers) != 2 || t.ID() == arrow.DICTIONARY {
		return nil, kindf("type %s is not of fixed width", t)
	}
	var bits *memory.Buffer
	nulls := 0
	for _, b := range valid {
		nulls += 1 - int(b)
	}
	if nulls > 0 {
		bits = memory.NewBufferBytes(packBits(valid))
	}
	return array.NewData(t, n, []*memory.Buffer{bits, memory.NewBufferBytes(data)}, nil, nulls, 0), nil
}

// treeData wraps a decoded column of any other type, buffer by buffer.
func treeData(t arrow.DataType, a *tree.Array) (*array.Data, error) {
	if e, ok := t.(arrow.ExtensionType); ok {
		return extended(e, func(storage arrow.DataType) (*array.Data, error) { return treeData(storage, a) })
	}
	if d, ok := t.(*arrow.DictionaryType); ok {
		if a.Dictionary == nil {
			return nil, kindf("type %s without a dictionary", t)
		}
		values, err := treeData(d.ValueType, a.Dictionary)
		if err != nil {
			return nil, err
		}
		indices := array.NewDataWithDictionary(t, a.Len, treeBuffers(a), a.Nulls, 0, values)
		return indices, nil
	}
	var children []arrow.ArrayData
	if nested, ok := t.(arrow.NestedType); ok {
		fields := nested.Fields()
		if len(fields) != len(a.Children) {
			return nil, kindf("type %s with %d children", t, len(a.Children))
		}
		for i, child := range a.Children {
			data, err := treeData(fields[i].Type, child)
			if err != nil {
				return nil, err
			}
			children = append(children, data)
		}
	} else if len(a.Children) > 0 {
		return nil, kindf("type %s with %d children", t, len(a.Children))
	}
	return array.NewData(t, a.Len, treeBuffers(a), children, a.Nulls, 0), nil
}

// treeBuffers returns the validity and the other buffers.
func treeBuffers(a *tree.Array) []*memory.Buffer {
	buffers := make([]*memory.Buffer, 1+len(a.Buffers))
	if a.Validity != nil {
		buffers[0] = memory.NewBufferBytes(a.Validity)
	}
	for i, p := range a.Buffers {
		buffers[1+i] = memory.NewBufferBytes(p)
	}
	return buffers
}

// runEndData puts runs together again from the value of each row.
func runEndData(t *arrow.RunEndEncodedType, v *recording.Vector) (*array.Data, error) {
	n, width := len(v.RunEnds), 0
	if v.Len > 0 {
		width = len(v.Data) / v.Len
	}
	values := make([]byte, 0, n*width)
	var valid []byte
	for i, row := 0, 0; i < n; i++ {
		values = append(values, v.Data[row*width:(row+1)*width]...)
		if v.Valid != nil {
			valid = append(valid, v.Valid[row])
		}
		row = int(v.RunEnds[i])
	}
	if v.Type == stream.Bool {
		values = packBits(values)
	}
	var ends []byte
	switch t.RunEnds().ID() {
	case arrow.INT16:
		ends = runEnds[int16](v.RunEnds)
	case arrow.INT32:
		ends = runEnds[int32](v.RunEnds)
	default:
		ends = runEnds[int64](v.RunEnds)
	}
	endsData, err := fixedData(t.RunEnds(), n, ends, nil)
	if err != nil {
		return nil, err
	}
	valuesData, err := fixedData(t.Encoded(), n, values, valid)
	if err != nil {
		return nil, err
	}
	return array.NewData(t, v.Len, []*memory.Buffer{nil}, []arrow.ArrayData{endsData, valuesData}, 0, 0), nil
}

func runEnds[T int16 | int32 | int64](ends []int32) []byte {
	out := make([]T, len(ends))
	for i, end := range ends {
		out[i] = T(end)
	}
	return arrow.GetBytes(out)
}

// packBits packs bytes of 0 and 1 into bits, least significant first.
func packBits(in []byte) []byte {
	out := make([]byte, (len(in)+7)/8)
	for i, b := range in {
		out[i/8] |= (b & 1) << (i % 8)
	}
	return out
}
