package recording

import (
	"github.com/oniscope/oniscope/shared/decimate"
	"github.com/oniscope/oniscope/shared/stream"
)

// MinMax widens an envelope by the raw values of a column, rows edges[b] up to
// edges[b+1] into bin b, as decimate.MinMax does. Nulls are passed over; a
// column without a numeric meaning changes nothing.
func MinMax(envelope []float32, v *Vector, edges []int) {
	switch v.Type {
	case stream.Int8:
		decimate.MinMax(envelope, Values[int8](v), v.Valid, edges)
	case stream.Int16:
		decimate.MinMax(envelope, Values[int16](v), v.Valid, edges)
	case stream.Int32:
		decimate.MinMax(envelope, Values[int32](v), v.Valid, edges)
	case stream.Int64:
		decimate.MinMax(envelope, Values[int64](v), v.Valid, edges)
	case stream.Bool, stream.Uint8:
		decimate.MinMax(envelope, v.Data, v.Valid, edges)
	case stream.Uint16:
		decimate.MinMax(envelope, Values[uint16](v), v.Valid, edges)
	case stream.Uint32:
		decimate.MinMax(envelope, Values[uint32](v), v.Valid, edges)
	case stream.Uint64:
		decimate.MinMax(envelope, Values[uint64](v), v.Valid, edges)
	case stream.Float32:
		decimate.MinMax(envelope, Values[float32](v), v.Valid, edges)
	case stream.Float64:
		decimate.MinMax(envelope, Values[float64](v), v.Valid, edges)
	default: // float16
		values := make([]float32, v.Len)
		for i := range values {
			values[i] = float32(v.Float64(i))
		}
		decimate.MinMax(envelope, values, v.Valid, edges)
	}
}

// Sum adds the raw values of a column to bins, rows edges[b] up to edges[b+1] to
// bin b, as decimate.Sum does. Nulls are passed over. All but 16-bit integers are
// summed as float64, which keeps the code of the page's engine small.
func Sum(bins []decimate.Bin, v *Vector, edges []int) {
	switch v.Type {
	case stream.Int16:
		decimate.Sum(bins, Values[int16](v), v.Valid, edges)
	case stream.Uint16:
		decimate.Sum(bins, Values[uint16](v), v.Valid, edges)
	default: // float32 and int32 are the same as float64
		values := make([]float64, v.Len)
		for i := range values {
			values[i] = v.Float64(i)
		}
		decimate.Sum(bins, values, v.Valid, edges)
	}
}
