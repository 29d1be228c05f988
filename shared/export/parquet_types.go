//go:build !js

package export

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	tree "github.com/oniscope/oniscope/shared/internal/array"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/vectors"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/stream"
)

// How types become Parquet's. Parquet has fewer than Arrow, so values are
// written out (dictionaries, runs, views) and stored as pyarrow stores them:
// durations as integers, dates in days, seconds as milliseconds, short decimals
// as longer ones. The schema of the recording is kept under the key ARROW:schema,
// by which readers of Arrow make of it what it was.
//
// Source: pyarrow 26, what it gives back of a table that it wrote; Parquet
// format, LogicalTypes.md.

// maxFlatBytes is what the values of one column may take in a batch when they
// are written out.
const maxFlatBytes = 1 << 31

// A parquetColumn is one column on its way into a Parquet file.
type parquetColumn struct {
	field *arrowipc.Field // of the recording
	flat  *arrowipc.Field // as its values are written out
	typ   arrow.DataType
}

// parquetColumns decides how the columns of a job are stored. The error names the
// column that Parquet has no type for.
func parquetColumns(j *job) ([]parquetColumn, error) {
	schema := vectors.Schema(j.r).Schema
	list := make([]parquetColumn, len(j.columns))
	for i, index := range j.x.Indices() {
		c := &list[i]
		c.field = &schema.Fields[index]
		c.flat = tree.FlatField(c.field)
		var why string
		if c.typ, why = parquetType(c.flat); why != "" {
			return nil, kindf("column %q is of type %s: Parquet has no %s; leave it out, or choose arrow", j.columns[i].Name, c.field.TypeString(), why)
		}
	}
	return list, nil
}

// parquetType returns the type that the values of a flat field are given to
// arrow-go in; why says what of it Parquet has not.
func parquetType(f *arrowipc.Field) (t arrow.DataType, why string) {
	switch f.Type.ID {
	case arrowipc.Null:
		return arrow.Null, ""
	case arrowipc.Bool:
		return arrow.FixedWidthTypes.Boolean, ""
	case arrowipc.Int:
		if t := wholeType(&f.Type); t != nil {
			return t, ""
		}
	case arrowipc.FloatingPoint:
		return []arrow.DataType{arrow.FixedWidthTypes.Float16, arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64}[min(max(f.Type.Unit, 0), 2)], ""
	case arrowipc.Utf8:
		return arrow.BinaryTypes.String, ""
	case arrowipc.Binary:
		return arrow.BinaryTypes.Binary, ""
	case arrowipc.FixedSizeBinary:
		if f.Type.Size > 0 {
			return &arrow.FixedSizeBinaryType{ByteWidth: int(f.Type.Size)}, ""
		}
		return nil, "values of no bytes"
	case arrowipc.Decimal:
		if f.Type.Scale < 0 || f.Type.Scale > f.Type.Precision {
			return nil, fmt.Sprintf("decimals of %d digits with scale %d", f.Type.Precision, f.Type.Scale)
		}
		if f.Type.BitWidth == 256 {
			return &arrow.Decimal256Type{Precision: f.Type.Precision, Scale: f.Type.Scale}, ""
		}
		return &arrow.Decimal128Type{Precision: f.Type.Precision, Scale: f.Type.Scale}, ""
	case arrowipc.Date:
		return arrow.FixedWidthTypes.Date32, ""
	case arrowipc.Time:
		if f.Type.BitWidth == 32 {
			return arrow.FixedWidthTypes.Time32ms, ""
		}
		return &arrow.Time64Type{Unit: arrowUnit(f.Type.Unit)}, ""
	case arrowipc.Timestamp:
		return &arrow.TimestampType{Unit: max(arrow.Millisecond, arrowUnit(f.Type.Unit)), TimeZone: f.Type.Timezone}, ""
	case arrowipc.Duration:
		return arrow.PrimitiveTypes.Int64, ""
	case arrowipc.List, arrowipc.Map, arrowipc.Struct:
		return nestedType(f)
	case arrowipc.Union:
		return nil, "unions"
	case arrowipc.Interval:
		return nil, "intervals"
	}
	return nil, f.Type.String()
}

func nestedType(f *arrowipc.Field) (arrow.DataType, string) {
	var fields []arrow.Field
	for i := range f.Children {
		t, why := parquetType(&f.Children[i])
		if why != "" {
			return nil, why
		}
		fields = append(fields, arrow.Field{Name: f.Children[i].Name, Type: t, Nullable: true})
	}
	switch f.Type.ID {
	case arrowipc.List:
		return arrow.ListOfField(fields[0]), ""
	case arrowipc.Map:
		entries := fields[0].Type.(*arrow.StructType)
		m := arrow.MapOf(entries.Field(0).Type, entries.Field(1).Type)
		m.KeysSorted = f.Type.Sorted
		return m, ""
	}
	if len(fields) == 0 {
		return nil, "structs without fields"
	}
	return arrow.StructOf(fields...), ""
}

func wholeType(t *arrowipc.DataType) arrow.DataType {
	types := map[int32][2]arrow.DataType{8: {arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Int8}, 16: {arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Int16},
		32: {arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Int32}, 64: {arrow.PrimitiveTypes.Uint64, arrow.PrimitiveTypes.Int64}}
	if t.Signed {
		return types[t.BitWidth][1]
	}
	return types[t.BitWidth][0]
}

func arrowUnit(unit int16) arrow.TimeUnit {
	return []arrow.TimeUnit{arrow.Second, arrow.Millisecond, arrow.Microsecond, arrow.Nanosecond}[min(max(unit, 0), 3)]
}

// parquetSchema is the schema that arrow-go writes: names are those of the
// columns, for Parquet knows a column by its name alone. A file may have nulls
// where its schema says that there are none.
func parquetSchema(j *job, columns []parquetColumn) *arrow.Schema {
	fields := make([]arrow.Field, len(columns))
	for i := range columns {
		fields[i] = arrow.Field{Name: j.columns[i].Name, Type: columns[i].typ, Nullable: true, Metadata: arrowMetadata(columns[i].field.Metadata)}
	}
	told := vectors.Schema(j.r).Schema
	metadata := append(slices.Clone(told.Metadata), arrowipc.KeyValue{Key: "ARROW:schema", Value: toldSchema(j, columns)})
	m := arrowMetadata(metadata)
	return arrow.NewSchema(fields, &m)
}

func arrowMetadata(list []arrowipc.KeyValue) arrow.Metadata {
	keys, values := make([]string, len(list)), make([]string, len(list))
	for i, e := range list {
		keys[i], values[i] = e.Key, e.Value
	}
	return arrow.NewMetadata(keys, values)
}

// toldSchema is the recording's own schema as a message of Arrow, in base64. Runs
// are not in it, for pyarrow takes a schema with them for none.
func toldSchema(j *job, columns []parquetColumn) string {
	told := *vectors.Schema(j.r).Schema
	told.Fields = make([]arrowipc.Field, len(columns))
	for i := range columns {
		told.Fields[i] = withoutRuns(columns[i].field)
		told.Fields[i].Name = j.columns[i].Name
	}
	return base64.StdEncoding.EncodeToString(arrowipc.AppendSchema(nil, 0, 8, &told))
}

func withoutRuns(f *arrowipc.Field) arrowipc.Field {
	if f.Dictionary == nil && f.Type.ID == arrowipc.RunEndEncoded && len(f.Children) == 2 {
		values := withoutRuns(&f.Children[1])
		values.Name, values.Nullable, values.Metadata = f.Name, true, f.Metadata
		return values
	}
	out := *f
	out.Children = nil
	for i := range f.Children {
		out.Children = append(out.Children, withoutRuns(&f.Children[i]))
	}
	return out
}

// parquetData returns the values of a column as arrow-go's array.
func (c *parquetColumn) data(v *recording.Vector) (*array.Data, error) {
	if values := vectors.Array(v); values != nil {
		flat, err := values.Flat(c.flat, maxFlatBytes)
		if err != nil {
			return nil, kindf("column %q: %v", c.field.Name, err)
		}
		return parquetArray(c.typ, flat)
	}
	data := v.Data
	if v.Type == stream.Bool {
		data = packBits(v.Data[:v.Len])
	}
	flat := &tree.Array{Field: c.flat, Len: v.Len, Buffers: [][]byte{data}}
	for _, b := range v.Valid {
		flat.Nulls += 1 - int(b)
	}
	if flat.Nulls > 0 {
		flat.Validity = packBits(v.Valid)
	}
	return parquetArray(c.typ, flat)
}

// parquetArray wraps a flat array, converted where Parquet has it otherwise.
func parquetArray(t arrow.DataType, a *tree.Array) (*array.Data, error) {
	if a.Field.Type.ID == arrowipc.Null {
		return array.NewData(t, a.Len, []*memory.Buffer{nil}, nil, a.Len, 0), nil
	}
	if _, ok := a.Field.Type.FixedBits(); ok {
		data, err := parquetValues(a)
		if err != nil {
			return nil, err
		}
		return array.NewData(t, a.Len, []*memory.Buffer{treeBuffers(a)[0], memory.NewBufferBytes(data)}, nil, a.Nulls, 0), nil
	}
	var children []arrow.ArrayData
	if nested, ok := t.(arrow.NestedType); ok {
		fields := nested.Fields()
		for i, c := range a.Children {
			child, err := parquetArray(fields[i].Type, c)
			if err != nil {
				return nil, err
			}
			children = append(children, child)
		}
	}
	return array.NewData(t, a.Len, treeBuffers(a), children, a.Nulls, 0), nil
}

// parquetValues are the values of a flat array of fixed width as Parquet has
// them.
func parquetValues(a *tree.Array) ([]byte, error) {
	t, p := &a.Field.Type, a.Buffers[0]
	le := binary.LittleEndian
	switch {
	case t.ID == arrowipc.Date && t.Unit == 1: // milliseconds
		const day = 24 * 60 * 60 * 1000
		out := make([]byte, 0, 4*a.Len)
		for i := range a.Len {
			ms := int64(le.Uint64(p[8*i:]))
			days := ms / day
			if ms%day < 0 {
				days--
			}
			if days != int64(int32(days)) && !a.IsNull(i) {
				return nil, kindf("column %q: the date of row %d is too far away for Parquet", a.Field.Name, i)
			}
			out = le.AppendUint32(out, uint32(days))
		}
		return out, nil
	case t.ID == arrowipc.Time && t.BitWidth == 32 && t.Unit == 0: // seconds
		out := make([]byte, 0, 4*a.Len)
		for i := range a.Len {
			out = le.AppendUint32(out, uint32(int32(le.Uint32(p[4*i:]))*1000))
		}
		return out, nil
	case t.ID == arrowipc.Timestamp && t.Unit == 0:
		out := make([]byte, 0, 8*a.Len)
		for i := range a.Len {
			s := int64(le.Uint64(p[8*i:]))
			if (s > math.MaxInt64/1000 || s < math.MinInt64/1000) && !a.IsNull(i) {
				return nil, kindf("column %q: Parquet has no seconds, and the time of row %d has too many milliseconds", a.Field.Name, i)
			}
			out = le.AppendUint64(out, uint64(s*1000))
		}
		return out, nil
	case t.ID == arrowipc.Decimal && t.BitWidth < 128:
		return widened(p, int(t.BitWidth/8), a.Len), nil
	}
	return p, nil
}

// widened makes integers of width bytes some of 16.
func widened(p []byte, width, n int) []byte {
	out := make([]byte, 16*n)
	for i := range n {
		copy(out[16*i:], p[width*i:width*(i+1)])
		if p[width*(i+1)-1]&0x80 != 0 {
			for k := width; k < 16; k++ {
				out[16*i+k] = 0xFF
			}
		}
	}
	return out
}
