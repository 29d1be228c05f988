package array

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// Slice returns rows [from, to), which lie in the array, as an array of their
// own: offsets and run ends begin anew, and values that no row uses are left
// out as far as that takes no search. Buffers are shared where nothing moves.
func (a *Array) Slice(from, to int) *Array {
	if from == 0 && to == a.Len && a.tight() {
		return a
	}
	out := &Array{Field: a.Field, Len: to - from, Dictionary: a.Dictionary}
	if a.Validity != nil {
		p := sliceBits(a.Validity, from, to)
		if out.Nulls = countNulls(p, out.Len); out.Nulls > 0 {
			out.Validity = p
		}
	}
	if width, ok := fixedBits(a.Field); ok {
		out.Buffers = [][]byte{sliceValues(a.Buffers[0], from, to, width)}
		return out
	}
	switch a.Field.Type.ID {
	case arrowipc.Null:
		out.Nulls = out.Len
	case arrowipc.Binary, arrowipc.Utf8, arrowipc.LargeBinary, arrowipc.LargeUtf8:
		first, last := a.offset(from), a.offset(to)
		out.Buffers = [][]byte{a.rebase(from, to), clip(a.Buffers[1][first:last])}
	case arrowipc.BinaryView, arrowipc.Utf8View:
		out.Buffers = a.sliceViews(from, to)
	case arrowipc.List, arrowipc.LargeList, arrowipc.Map:
		out.Buffers = [][]byte{a.rebase(from, to)}
		out.Children = []*Array{a.Children[0].Slice(int(a.offset(from)), int(a.offset(to)))}
	case arrowipc.ListView, arrowipc.LargeListView:
		a.sliceListView(out, from, to)
	case arrowipc.FixedSizeList:
		size := int(a.Field.Type.Size)
		out.Children = []*Array{a.Children[0].Slice(from*size, to*size)}
	case arrowipc.Struct:
		for _, c := range a.Children {
			out.Children = append(out.Children, c.Slice(from, to))
		}
	case arrowipc.Union:
		a.sliceUnion(out, from, to)
	case arrowipc.RunEndEncoded:
		a.sliceRuns(out, from, to)
	}
	return out
}

// tight reports whether an array surely holds nothing besides its rows. Only
// values of one width are looked at: all others may be checked by cutting.
func (a *Array) tight() bool {
	_, ok := fixedBits(a.Field)
	return ok || a.Field.Type.ID == arrowipc.Null
}

// clip keeps an append from writing after the part of a buffer.
func clip(p []byte) []byte { return p[:len(p):len(p)] }

func sliceValues(p []byte, from, to, width int) []byte {
	if width == 1 {
		return sliceBits(p, from, to)
	}
	return clip(p[from*(width/8) : to*(width/8)])
}

// sliceBits returns bits [from, to) so that the first is bit 0.
func sliceBits(p []byte, from, to int) []byte {
	n := (to - from + 7) / 8
	shift := from & 7
	p = p[from>>3:]
	if shift == 0 {
		return clip(p[:n])
	}
	out := make([]byte, n)
	for i := range out {
		out[i] = p[i] >> shift
		if i+1 < len(p) {
			out[i] |= p[i+1] << (8 - shift)
		}
	}
	return out
}

// rebase returns the offsets of rows [from, to), the first of them 0.
func (a *Array) rebase(from, to int) []byte {
	width := offsetWidth(a.Field.Type.ID)
	first := a.offset(from)
	if first == 0 {
		return clip(a.Buffers[0][from*width : (to+1)*width])
	}
	out := make([]byte, 0, (to-from+1)*width)
	for i := from; i <= to; i++ {
		out = appendInteger(out, a.offset(i)-first, width)
	}
	return out
}

// sliceViews cuts views. Their data are gathered into one buffer where that
// leaves out half of them; views may share data, so it may also be more.
func (a *Array) sliceViews(from, to int) [][]byte {
	views := clip(a.Buffers[0][16*from : 16*to])
	var all, used int64
	for _, p := range a.Buffers[1:] {
		all += int64(len(p))
	}
	long := func(i int) []byte {
		if a.Validity != nil && !bit(a.Validity, i) {
			return nil
		}
		if p := a.value(i); len(p) > inlineView {
			return p
		}
		return nil
	}
	for i := from; i < to; i++ {
		used += int64(len(long(i)))
	}
	if all == 0 || used > all/2 || used > math.MaxInt32 {
		return append([][]byte{views}, a.Buffers[1:]...)
	}
	if used == 0 {
		return [][]byte{views}
	}
	views = slices.Clone(views)
	data := make([]byte, 0, used)
	for i := from; i < to; i++ {
		p := long(i)
		if p == nil {
			continue
		}
		view := views[16*(i-from):]
		binary.LittleEndian.PutUint32(view[8:], 0)
		binary.LittleEndian.PutUint32(view[12:], uint32(len(data)))
		data = append(data, p...)
	}
	return [][]byte{views, data}
}

// sliceListView keeps of the child what lies between the first and the last
// value in use.
func (a *Array) sliceListView(out *Array, from, to int) {
	width := offsetWidth(a.Field.Type.ID)
	low, high := math.MaxInt, 0
	for i := from; i < to; i++ {
		if first, last := a.extent(i); last > first {
			low, high = min(low, first), max(high, last)
		}
	}
	low = min(low, high)
	starts := make([]byte, 0, out.Len*width)
	for i := from; i < to; i++ {
		first, last := a.extent(i)
		if last == first {
			first = low
		}
		starts = appendInteger(starts, int64(first-low), width)
	}
	out.Buffers = [][]byte{starts, clip(a.Buffers[1][from*width : to*width])}
	out.Children = []*Array{a.Children[0].Slice(low, high)}
}

func (a *Array) sliceUnion(out *Array, from, to int) {
	out.Buffers = [][]byte{clip(a.Buffers[0][from:to])}
	if !a.Field.Type.Dense {
		for _, c := range a.Children {
			out.Children = append(out.Children, c.Slice(from, to))
		}
		return
	}
	type part struct{ low, high int }
	parts := make([]part, len(a.Children))
	for k := range parts {
		parts[k].low = math.MaxInt
	}
	childOf := a.childTable()
	for i := from; i < to; i++ {
		p, at := &parts[childOf[a.Buffers[0][i]]], int(integer(a.Buffers[1], i, 4))
		p.low, p.high = min(p.low, at), max(p.high, at+1)
	}
	for k, c := range a.Children {
		p := &parts[k]
		p.low = min(p.low, p.high)
		out.Children = append(out.Children, c.Slice(p.low, p.high))
	}
	offsets := make([]byte, 0, 4*out.Len)
	for i := from; i < to; i++ {
		low := parts[childOf[a.Buffers[0][i]]].low
		offsets = appendInteger(offsets, integer(a.Buffers[1], i, 4)-int64(low), 4)
	}
	out.Buffers = append(out.Buffers, offsets)
}

// childTable maps the types of a union's values to its children.
func (a *Array) childTable() (childOf [256]int) {
	for id := range childOf {
		childOf[id] = childOfType(&a.Field.Type, len(a.Children), byte(id))
	}
	return childOf
}

func (a *Array) sliceRuns(out *Array, from, to int) {
	first, last := 0, 0
	ends, width := a.Children[0].Buffers[0], a.endWidth()
	var cut []byte
	if to > from {
		first, last = a.run(from), a.run(to-1)+1
		cut = make([]byte, 0, (last-first)*width)
		for k := first; k < last; k++ {
			cut = appendInteger(cut, min(integer(ends, k, width), int64(to))-int64(from), width)
		}
	}
	out.Children = []*Array{
		{Field: a.Children[0].Field, Len: last - first, Buffers: [][]byte{cut}},
		a.Children[1].Slice(first, last),
	}
}
