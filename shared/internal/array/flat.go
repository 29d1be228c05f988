package array

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// FlatField is the field of a flattened array: what is encoded by a dictionary or
// by runs as its values, views and text with long offsets as text or bytes, lists
// of any kind as lists. Anything may be null.
func FlatField(f *arrowipc.Field) *arrowipc.Field {
	out := &arrowipc.Field{Name: f.Name, Nullable: true, Type: f.Type, Metadata: f.Metadata}
	if f.Dictionary == nil && f.Type.ID == arrowipc.RunEndEncoded && len(f.Children) == 2 {
		values := FlatField(&f.Children[1])
		values.Name, values.Metadata = f.Name, f.Metadata
		return values
	}
	switch f.Type.ID {
	case arrowipc.Utf8View, arrowipc.LargeUtf8:
		out.Type = arrowipc.DataType{ID: arrowipc.Utf8}
	case arrowipc.BinaryView, arrowipc.LargeBinary:
		out.Type = arrowipc.DataType{ID: arrowipc.Binary}
	case arrowipc.LargeList, arrowipc.ListView, arrowipc.LargeListView, arrowipc.FixedSizeList:
		out.Type = arrowipc.DataType{ID: arrowipc.List}
	}
	for i := range f.Children {
		out.Children = append(out.Children, *FlatField(&f.Children[i]))
	}
	return out
}

// Flat returns the values of an array in the layout of a field that FlatField
// made of its own: dictionaries and runs written out, values of text and lists
// one after the other. limit is how many bytes and values of lists it may take:
// views and lists may point at the same values any number of times.
func (a *Array) Flat(f *arrowipc.Field, limit int64) (*Array, error) {
	rows := make([]int32, a.Len)
	for i := range rows {
		rows[i] = int32(i)
	}
	g := gatherer{left: limit}
	return g.gather(a, rows, f)
}

type gatherer struct{ left int64 }

// take counts what is made.
func (g *gatherer) take(n int64) error {
	if g.left -= n; g.left < 0 || n > math.MaxInt32 {
		return fmt.Errorf("too much for one batch when written out: %w", errTooLong)
	}
	return nil
}

// gather returns some rows of an array; -1 is a null.
func (g *gatherer) gather(a *Array, rows []int32, f *arrowipc.Field) (*Array, error) {
	at := make([]int32, len(rows)) // what is encoded: where the value is
	nulls := 0
	for i, r := range rows {
		if at[i] = r; r >= 0 && a.Validity != nil && !bit(a.Validity, int(r)) {
			at[i] = -1
		}
		if at[i] < 0 {
			nulls++
		}
	}
	if a.Field.Dictionary != nil {
		for i, r := range at {
			if r >= 0 {
				at[i] = int32(a.index(int(r)))
			}
		}
		if a.Dictionary == nil { // all rows are null
			values := *a.Field
			values.Dictionary = nil
			return g.gather(empty(&values), at, f)
		}
		return g.gather(a.Dictionary, at, f)
	}
	if a.Field.Type.ID == arrowipc.RunEndEncoded {
		for i, r := range at {
			if r >= 0 {
				at[i] = int32(a.run(int(r)))
			}
		}
		return g.gather(a.Children[1], at, f)
	}
	out := &Array{Field: f, Len: len(rows), Nulls: nulls}
	if a.Field.Type.ID == arrowipc.Null {
		out.Nulls = len(rows)
		return out, nil
	}
	if err := g.take(int64(len(rows))); err != nil {
		return nil, err
	}
	if nulls > 0 {
		out.Validity = make([]byte, (len(rows)+7)/8)
		for i, r := range at {
			if r >= 0 {
				out.Validity[i/8] |= 1 << (i % 8)
			}
		}
	}
	if width, ok := a.Field.Type.FixedBits(); ok {
		out.Buffers = [][]byte{gatherFixed(a.Buffers[0], at, width)}
		return out, g.take(int64(len(out.Buffers[0])))
	}
	switch {
	case isList(a.Field.Type.ID):
		ends := make([]byte, 4, 4*(len(at)+1))
		var inner []int32
		for _, r := range at {
			if r >= 0 {
				from, to := a.extent(int(r))
				if err := g.take(int64(to - from)); err != nil {
					return nil, err
				}
				for k := from; k < to; k++ {
					inner = append(inner, int32(k))
				}
			}
			ends = binary.LittleEndian.AppendUint32(ends, uint32(len(inner)))
		}
		out.Buffers = [][]byte{ends}
		child, err := g.gather(a.Children[0], inner, &f.Children[0])
		out.Children = []*Array{child}
		return out, err
	case a.Field.Type.ID == arrowipc.Struct:
		for k, c := range a.Children {
			child, err := g.gather(c, at, &f.Children[k])
			if err != nil {
				return nil, err
			}
			out.Children = append(out.Children, child)
		}
		return out, nil
	case a.Field.Type.ID == arrowipc.Union:
		return nil, fmt.Errorf("a %s is not written out", a.Field.Type)
	}
	ends, data := make([]byte, 4, 4*(len(at)+1)), []byte(nil)
	for _, r := range at {
		if r >= 0 {
			value := a.value(int(r))
			if err := g.take(int64(len(value))); err != nil || len(data) > math.MaxInt32-len(value) {
				return nil, fmt.Errorf("too much for one batch when written out: %w", errTooLong)
			}
			data = append(data, value...)
		}
		ends = binary.LittleEndian.AppendUint32(ends, uint32(len(data)))
	}
	out.Buffers = [][]byte{ends, data}
	return out, nil
}

func gatherFixed(p []byte, at []int32, width int) []byte {
	if width == 1 {
		out := make([]byte, (len(at)+7)/8)
		for i, r := range at {
			if r >= 0 && bit(p, int(r)) {
				out[i/8] |= 1 << (i % 8)
			}
		}
		return out
	}
	w := width / 8
	out := make([]byte, len(at)*w)
	for i, r := range at {
		if r >= 0 {
			copy(out[i*w:(i+1)*w], p[int(r)*w:])
		}
	}
	return out
}

// empty is an array of no rows.
func empty(f *arrowipc.Field) *Array {
	a := &Array{Field: f, Buffers: [][]byte{make([]byte, 8), nil}}
	for i := range f.Children {
		a.Children = append(a.Children, empty(&f.Children[i]))
	}
	return a
}
