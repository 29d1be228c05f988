package body

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/stream"
)

// Align is the multiple at which every buffer, and with it every batch, begins
// in a file of ours. Source: Arrow columnar format, "Buffer Alignment and
// Padding", which recommends 64.
const Align = 64

// A Layout is what a field's type means for its buffers; it is zero for
// columns that are arrays.
type Layout struct {
	Bits    int // of one value in the file
	Width   int // bytes of one value in memory
	RunEnd  bool
	RunBits int // of one run end
}

func layoutOf(f *arrowipc.Field) (l Layout, ok bool) {
	if f.Type.ID == arrowipc.RunEndEncoded {
		if len(f.Children) != 2 || f.Dictionary != nil || f.Children[0].Type.ID != arrowipc.Int || !f.Children[0].Type.Signed {
			return l, false
		}
		ends, ok := layoutOf(&f.Children[0])
		if !ok || ends.Bits < 16 || ends.Bits > 64 {
			return l, false
		}
		l, ok = layoutOf(&f.Children[1])
		l.RunEnd, l.RunBits = true, ends.Bits
		return l, ok && f.Children[1].Type.ID != arrowipc.RunEndEncoded
	}
	bits, ok := f.Type.FixedBits()
	if !ok || f.Dictionary != nil || len(f.Children) != 0 {
		return l, false
	}
	return Layout{Bits: bits, Width: (bits + 7) / 8}, true
}

// LayoutOf is layoutOf for a reader: typ is the type of the values in
// memory, Other if the column cannot be read.
//
// A plain column has one node and the buffers validity, values. A run-end
// encoded one has the nodes parent, run ends, values and the buffers validity
// and values of the run ends, validity and values of the values.
func LayoutOf(f *arrowipc.Field) (l Layout, typ stream.Type) {
	l, ok := layoutOf(f)
	if !ok || l.Width == 0 {
		return Layout{}, stream.Other
	}
	if l.RunEnd {
		return l, storageType(f.Children[1].Type)
	}
	return l, storageType(f.Type)
}

func storageType(t arrowipc.DataType) stream.Type {
	width, ok := t.FixedBits()
	if !ok {
		return stream.Other
	}
	if width > 64 {
		return stream.FixedBinary
	}
	log := stream.Type(bits.Len(uint(width / 16))) // 0 to 3 for 8 to 64 bits
	switch t.ID {
	case arrowipc.Bool:
		return stream.Bool
	case arrowipc.Int:
		if t.Signed {
			return stream.Int8 + log
		}
		return stream.Uint8 + log
	case arrowipc.FloatingPoint:
		return stream.Float16 + log - 1
	case arrowipc.Date, arrowipc.Time, arrowipc.Timestamp, arrowipc.Duration:
		return stream.Int8 + log
	case arrowipc.Interval:
		if t.Unit == 0 {
			return stream.Int32
		}
	}
	return stream.FixedBinary
}

// Describe fills in a column of a stream from its field.
func Describe(c *stream.Column, f *arrowipc.Field) {
	l, typ := LayoutOf(f)
	*c = stream.Column{Name: f.Name, Type: typ, ArrowType: f.TypeString(), ByteWidth: l.Width, Nullable: f.Nullable, RunEnd: l.RunEnd}
	var few [8]stream.KeyValue
	c.SetMetadata(appendKeyValues(few[:0], f.Metadata))
}

func StreamKeyValues(list []arrowipc.KeyValue) []stream.KeyValue {
	return appendKeyValues(nil, list)
}

func appendKeyValues(dst []stream.KeyValue, list []arrowipc.KeyValue) []stream.KeyValue {
	for _, e := range list {
		dst = append(dst, stream.KeyValue{Key: e.Key, Value: e.Value})
	}
	return dst
}

// RunEndAt returns the end of run k, in rows of the batch.
func RunEndAt(raw []byte, runBits, k int) int64 {
	switch runBits {
	case 16:
		return int64(int16(binary.LittleEndian.Uint16(raw[2*k:])))
	case 32:
		return int64(int32(binary.LittleEndian.Uint32(raw[4*k:])))
	}
	return int64(binary.LittleEndian.Uint64(raw[8*k:]))
}

// TickField returns the index of the plain 64-bit column of a clock, or -1.
func TickField(s *arrowipc.Schema, name string) int {
	for i := range s.Fields {
		f := &s.Fields[i]
		if f.Name == name && f.Type.ID == arrowipc.Int && f.Type.BitWidth == 64 && f.Dictionary == nil && len(f.Children) == 0 {
			return i
		}
	}
	return -1
}

// ClockField returns the column that says when rows were: Clock, or without any clock
// the only column of timestamps; -1 if there is none.
func ClockField(s *arrowipc.Schema) int {
	if i := TickField(s, "Clock"); i >= 0 || TickField(s, "HubClock") >= 0 {
		return i
	}
	only := -1
	for i := range s.Fields {
		switch {
		case s.Fields[i].Name == "Clock" && s.Fields[i].Type.ID == arrowipc.RunEndEncoded:
			return -1 // it is that one, which is not followed
		case !IsTime(&s.Fields[i]):
		case only >= 0:
			return -1
		default:
			only = i
		}
	}
	return only
}

// IsTime reports whether a column is one of timestamps.
func IsTime(f *arrowipc.Field) bool {
	return f.Type.ID == arrowipc.Timestamp && f.Dictionary == nil && len(f.Children) == 0
}

// TimeHz is how many ticks of a timestamp are a second; 0 of other columns.
func TimeHz(f *arrowipc.Field) uint64 {
	if !IsTime(f) || f.Type.Unit < 0 || f.Type.Unit > 3 {
		return 0
	}
	return [4]uint64{1, 1e3, 1e6, 1e9}[f.Type.Unit]
}

// AppendTicks appends the 64-bit values of data.
func AppendTicks(to []uint64, data []byte) []uint64 {
	for ; len(data) >= 8; data = data[8:] {
		to = append(to, binary.LittleEndian.Uint64(data))
	}
	return to
}

// Grown returns p with length n; its contents are undefined.
func Grown(p []byte, n int64) []byte {
	return slices.Grow(p[:0], int(n))[:n]
}

func AllZero(p []byte) bool { return zerosFrom(p, 0) == int64(len(p)) }

// writtenByUs reports whether a file's metadata say that we wrote it.
func writtenByUs(s *arrowipc.Schema) bool {
	return slices.ContainsFunc(s.Metadata, func(e arrowipc.KeyValue) bool { return e.Key == "oniscope.version" })
}
