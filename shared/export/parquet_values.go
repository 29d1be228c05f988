//go:build !js

package export

import (
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/oniscope/oniscope/shared/recording"
)

// bounds are the statistics of all pages together.
func (c *pageColumn) bounds(signed bool) metadata.EncodedStatistics {
	all := metadata.EncodedStatistics{HasNullCount: true, Signed: signed}
	known := true
	for _, page := range c.pages {
		s := page.Statistics()
		all.NullCount += s.NullCount
		if int64(page.NumValues()) == s.NullCount {
			continue
		}
		known = known && s.HasMin
		if !known {
			continue
		}
		if !all.HasMin || c.less(s.Min, all.Min) {
			all.HasMin, all.Min = true, s.Min
		}
		if !all.HasMax || c.less(all.Max, s.Max) {
			all.HasMax, all.Max = true, s.Max
		}
	}
	if !known {
		all.HasMin, all.HasMax = false, false
	}
	return all
}

// A pageKind is how values of a type are encoded and compared.
type pageKind struct {
	// encode appends values, among which are no nulls, and returns the smallest and
	// the largest of them in plain encoding; nil if there are no bounds.
	encode func(to []byte, v *recording.Vector) (out, low, high []byte, encoding parquet.Encoding)
	less   func(a, b []byte) bool
}

// pageKinds are those of the types that a pageWriter takes.
var pageKinds = map[arrow.Type]pageKind{
	arrow.INT8: wholeKind[int32, int8](), arrow.INT16: wholeKind[int32, int16](), arrow.INT32: wholeKind[int32, int32](), arrow.INT64: wholeKind[int64, int64](),
	arrow.UINT8: wholeKind[int32, uint8](), arrow.UINT16: wholeKind[int32, uint16](), arrow.UINT32: wholeKind[int32, uint32](), arrow.UINT64: wholeKind[int64, uint64](),
	arrow.FLOAT32: fractionKind[float32](), arrow.FLOAT64: fractionKind[float64](),
	arrow.BOOL: {encodeBool, func(a, b []byte) bool { return a[0] < b[0] }},
}

func wholeKind[D int32 | int64, T whole]() pageKind {
	return pageKind{encodeWhole[D, T], func(a, b []byte) bool { return T(plainValue[D](a)) < T(plainValue[D](b)) }}
}

func fractionKind[T float32 | float64]() pageKind {
	return pageKind{encodeFraction[T], func(a, b []byte) bool { return plainValue[T](a) < plainValue[T](b) }}
}

func plainBytes[D int32 | int64 | float32 | float64](x D) []byte { return arrow.GetBytes([]D{x}) }

func plainValue[D int32 | int64 | float32 | float64](p []byte) D { return arrow.GetData[D](p)[0] }

func encodeWhole[D int32 | int64, T whole](to []byte, v *recording.Vector) (out, low, high []byte, encoding parquet.Encoding) {
	values := recording.Values[T](v)
	encoding = parquet.Encodings.DeltaBinaryPacked
	out = appendDelta[D](slices.Grow(to, len(v.Data)/2+512), values)
	if len(values) == 0 {
		return out, nil, nil, encoding
	}
	least, most := values[0], values[0]
	for _, x := range values {
		least, most = min(least, x), max(most, x)
	}
	return out, plainBytes(D(least)), plainBytes(D(most)), encoding
}

// encodeFraction returns no bounds if a value is NaN. A zero bound gets the
// sign that includes both zeros: -0 below, +0 above. Source: parquet.thrift,
// "ColumnOrder".
func encodeFraction[T float32 | float64](to []byte, v *recording.Vector) (out, low, high []byte, encoding parquet.Encoding) {
	values := recording.Values[T](v)
	out, encoding = append(to, v.Data...), parquet.Encodings.Plain
	least, most := T(math.Inf(1)), T(math.Inf(-1))
	for _, x := range values {
		if x != x {
			return out, nil, nil, encoding
		}
		least, most = min(least, x), max(most, x)
	}
	if len(values) == 0 {
		return out, nil, nil, encoding
	}
	if least == 0 {
		least = T(math.Copysign(0, -1))
	}
	return out, plainBytes(least), plainBytes(most + 0), encoding
}

func encodeBool(to []byte, v *recording.Vector) (out, low, high []byte, encoding parquet.Encoding) {
	out, encoding = append(to, packBits(v.Data[:v.Len])...), parquet.Encodings.Plain
	if v.Len == 0 {
		return out, nil, nil, encoding
	}
	return out, []byte{slices.Min(v.Data[:v.Len])}, []byte{slices.Max(v.Data[:v.Len])}, encoding
}
