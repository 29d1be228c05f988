package recording

import (
	"encoding/binary"
	"io"
	"math"
	"unsafe"

	"github.com/oniscope/oniscope/shared/internal/array"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/messages"
	"github.com/oniscope/oniscope/shared/internal/vectors"
	"github.com/oniscope/oniscope/shared/stream"
)

// A File is what a recording is written to. Truncate cuts it to size bytes,
// and the next Write continues there.
type File interface {
	io.Writer
	Truncate(size int64) error
}

// A Batch is some columns of some successive rows.
type Batch struct {
	Index   int   // of the record batch in the file
	Start   int64 // row number of the first row
	Rows    int
	Columns []Vector // in the order they were asked for
	Numbers []int64  // of the rows, where an excerpt leaves some out; nil: they follow Start
}

// A Vector is the values of one column in a batch: of numbers, truth values,
// times and other values of one width in Data. Values of other types (text,
// nested, dictionary-encoded) are shown by Text, and go through package export.
//
// A run-end encoded column has both: Data with the value of every row, and
// RunEnds. Data of vectors from a Reader may share memory with other vectors
// of the batch; they stay valid as long as they are referenced.
type Vector struct {
	Column  int         // index in Stream.Columns
	Type    stream.Type // of the values
	Width   int         // bytes of a value in Data; needed for FixedBinary, 0 means Type.Width()
	Len     int         // rows
	Data    []byte      // Len values, little endian; bools one byte each, 0 or 1; values under nulls mean nothing
	Valid   []byte      // nil: all valid; else one byte a row, 1 valid, 0 null
	RunEnds []int32     // run-end encoded columns: where each run ends, the last at Len

	array *array.Array    // the decoded column where Type is Other; Data and RunEnds are nil then
	field *arrowipc.Field // of a Reader's vectors: how to show Data
}

func init() {
	vectors.Array = func(vector any) *array.Array { return vector.(*Vector).array }
	vectors.Schema = func(reader any) messages.Options { return reader.(*Reader).lend() }
}

// Number is what the values of a column can be read as.
type Number interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// Values returns v's values as numbers of the same width, without a copy where
// the alignment of the file permits. It returns nil if the widths differ; ask
// v.Type which T is meant. The host must be little endian, as all of ours are.
func Values[T Number](v *Vector) []T {
	var zero T
	width := int(unsafe.Sizeof(zero))
	if v.width() != width || len(v.Data) < v.Len*width {
		return nil
	}
	if v.Len == 0 {
		return []T{}
	}
	if uintptr(unsafe.Pointer(&v.Data[0]))%uintptr(width) == 0 {
		return unsafe.Slice((*T)(unsafe.Pointer(&v.Data[0])), v.Len)
	}
	out := make([]T, v.Len)
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&out[0])), v.Len*width), v.Data)
	return out
}

// Float64 returns the raw value of row i as a number: NaN for nulls and for
// values without a numeric meaning. 64-bit integers are rounded.
func (v *Vector) Float64(i int) float64 {
	if v.Valid != nil && v.Valid[i] == 0 {
		return math.NaN()
	}
	switch v.Type {
	case stream.Bool, stream.Uint8:
		return float64(v.Data[i])
	case stream.Int8:
		return float64(int8(v.Data[i]))
	case stream.Uint16:
		return float64(binary.LittleEndian.Uint16(v.Data[2*i:]))
	case stream.Int16:
		return float64(int16(binary.LittleEndian.Uint16(v.Data[2*i:])))
	case stream.Float16:
		return array.FloatFromHalf(binary.LittleEndian.Uint16(v.Data[2*i:]))
	case stream.Uint32:
		return float64(binary.LittleEndian.Uint32(v.Data[4*i:]))
	case stream.Int32:
		return float64(int32(binary.LittleEndian.Uint32(v.Data[4*i:])))
	case stream.Float32:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(v.Data[4*i:])))
	case stream.Uint64:
		return float64(binary.LittleEndian.Uint64(v.Data[8*i:]))
	case stream.Int64:
		return float64(int64(binary.LittleEndian.Uint64(v.Data[8*i:])))
	case stream.Float64:
		return math.Float64frombits(binary.LittleEndian.Uint64(v.Data[8*i:]))
	}
	return math.NaN()
}

// Text returns the value of a row for people: numbers as decimals, times as
// ISO 8601, bytes as hexadecimal digits, lists as [1, 2], structs as {a: 1}. It
// is not valid where there is no value.
func (v *Vector) Text(row int) (text string, valid bool) {
	if v.Valid != nil && v.Valid[row] == 0 {
		return "", false
	}
	if v.array != nil {
		return string(v.array.AppendText(nil, row)), true
	}
	t := v.dataType()
	width := v.width()
	return string(array.AppendFixed(nil, &t, v.Data[row*width:(row+1)*width])), true
}

// dataType is the Arrow type of Data.
func (v *Vector) dataType() arrowipc.DataType {
	if v.field != nil {
		if v.field.Type.ID == arrowipc.RunEndEncoded {
			return v.field.Children[1].Type
		}
		return v.field.Type
	}
	t, _ := typeFromColumn(&stream.Column{Type: v.Type, ByteWidth: v.width()})
	return t
}

// bytes is about what the values take in memory.
func (v *Vector) bytes() int {
	if v.array != nil {
		return int(v.array.Bytes())
	}
	return len(v.Data)
}

func (v *Vector) width() int {
	if v.Width > 0 {
		return v.Width
	}
	return v.Type.Width()
}
