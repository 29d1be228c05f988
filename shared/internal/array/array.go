// Package array holds decoded columns of every Arrow type as trees of buffers:
// made from a batch's nodes and buffers with all of them checked, shown as
// text, cut by rows, joined, and laid out again for a batch.
//
// Nothing here reads files or decompresses. What Build has accepted can be
// used without further checks: no offset, index, type or run end points
// outside.
//
// Source: the Arrow columnar format, "Physical Memory Layout".
package array

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"sort"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// An Array is the values of one field. Nothing changes it once it is made, and
// its buffers are not to be written to: they may be part of a file.
//
// Buffers are those of the field's type in the order of the format, without
// the validity: offsets and data, views and the data that they point to, offsets and
// sizes, types and offsets, or the values. A field with a dictionary has its
// indices there, and the values in Dictionary.
type Array struct {
	Field      *arrowipc.Field
	Len        int
	Nulls      int    // by the validity; all rows of a null column
	Validity   []byte // one bit a row, least significant first; nil: all valid
	Buffers    [][]byte
	Children   []*Array // a child may be longer than its parent needs
	Dictionary *Array   // its Field has no Dictionary
}

// IsNull reports whether row i has no value: by the validity, or because what
// it refers to (a run, a dictionary's value, a union's child) has none.
func (a *Array) IsNull(i int) bool {
	if a.Validity != nil && !bit(a.Validity, i) {
		return true
	}
	if a.Field.Dictionary != nil {
		return a.Dictionary == nil || a.Dictionary.IsNull(int(a.index(i)))
	}
	switch a.Field.Type.ID {
	case arrowipc.Null:
		return true
	case arrowipc.RunEndEncoded:
		return a.Children[1].IsNull(a.run(i))
	case arrowipc.Union:
		child, at := a.member(i)
		return child.IsNull(at)
	}
	return false
}

// Walk visits the field nodes, buffers and view counts of the array as they
// stand in a batch of metadata version V5.
func (a *Array) Walk(node func(arrowipc.FieldNode), buffer func([]byte), views func(int64)) {
	node(arrowipc.FieldNode{Length: int64(a.Len), NullCount: int64(a.Nulls)})
	if hasValidity(a.Field, arrowipc.V5) {
		if a.Nulls == 0 {
			buffer(nil)
		} else {
			buffer(a.Validity)
		}
	}
	for _, p := range a.Buffers {
		buffer(p)
	}
	if isView(a.Field) {
		views(int64(len(a.Buffers) - 1))
	}
	for _, c := range a.Children {
		c.Walk(node, buffer, views)
	}
}

// NullUnions reports whether there are nulls in the validity of a union, which
// metadata of version V5 do not have.
func (a *Array) NullUnions() bool {
	if a.Field.Dictionary == nil && a.Field.Type.ID == arrowipc.Union && a.Nulls > 0 {
		return true
	}
	return slices.ContainsFunc(a.Children, (*Array).NullUnions)
}

// Bytes returns the size of all buffers, without those of dictionaries.
func (a *Array) Bytes() int64 {
	n := int64(len(a.Validity))
	for _, p := range a.Buffers {
		n += int64(len(p))
	}
	for _, c := range a.Children {
		n += c.Bytes()
	}
	return n
}

// hasValidity reports whether a field has a validity buffer in a batch of the
// metadata version. Source: Arrow columnar format, "Buffer Listing for Each
// Layout".
func hasValidity(f *arrowipc.Field, version int16) bool {
	if f.Dictionary != nil {
		return true
	}
	switch f.Type.ID {
	case arrowipc.Null:
		return false
	case arrowipc.Union, arrowipc.RunEndEncoded:
		return version < arrowipc.V5
	}
	return true
}

func isView(f *arrowipc.Field) bool {
	return f.Dictionary == nil && (f.Type.ID == arrowipc.BinaryView || f.Type.ID == arrowipc.Utf8View)
}

// isList reports whether a row of the type is some rows of its only child.
func isList(t arrowipc.TypeID) bool {
	switch t {
	case arrowipc.List, arrowipc.LargeList, arrowipc.Map, arrowipc.ListView, arrowipc.LargeListView, arrowipc.FixedSizeList:
		return true
	}
	return false
}

// isLarge reports whether offsets have 64 bits.
func isLarge(t arrowipc.TypeID) bool {
	switch t {
	case arrowipc.LargeBinary, arrowipc.LargeUtf8, arrowipc.LargeList, arrowipc.LargeListView:
		return true
	}
	return false
}

func offsetWidth(t arrowipc.TypeID) int {
	if isLarge(t) {
		return 8
	}
	return 4
}

// fixedBits is the bits of one value of a field with values of one width, its
// dictionary's indices included.
func fixedBits(f *arrowipc.Field) (int, bool) {
	if f.Dictionary != nil {
		bits, ok := f.Dictionary.Index.FixedBits()
		return bits, ok && bits <= 64
	}
	return f.Type.FixedBits()
}

func bit(p []byte, i int) bool { return p[i>>3]>>(i&7)&1 != 0 }

// integer reads signed integer i of so many bytes.
func integer(p []byte, i, width int) int64 {
	p = p[i*width:]
	switch width {
	case 1:
		return int64(int8(p[0]))
	case 2:
		return int64(int16(binary.LittleEndian.Uint16(p)))
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(p)))
	}
	return int64(binary.LittleEndian.Uint64(p))
}

func appendInteger(dst []byte, x int64, width int) []byte {
	switch width {
	case 1:
		return append(dst, byte(x))
	case 2:
		return binary.LittleEndian.AppendUint16(dst, uint16(x))
	case 4:
		return binary.LittleEndian.AppendUint32(dst, uint32(x))
	}
	return binary.LittleEndian.AppendUint64(dst, uint64(x))
}

// index is the dictionary index of row i, which is valid.
func (a *Array) index(i int) int64 {
	t := a.Field.Dictionary.Index
	x := integer(a.Buffers[0], i, int(t.BitWidth/8))
	if !t.Signed && t.BitWidth < 64 {
		x &= 1<<t.BitWidth - 1
	}
	return x
}

// offset is offset i of a column of variable width.
func (a *Array) offset(i int) int64 {
	return integer(a.Buffers[0], i, offsetWidth(a.Field.Type.ID))
}

// extent is where the values of row i of a list of any kind lie in its child.
func (a *Array) extent(i int) (from, to int) {
	switch a.Field.Type.ID {
	case arrowipc.FixedSizeList:
		n := int(a.Field.Type.Size)
		return i * n, (i + 1) * n
	case arrowipc.ListView, arrowipc.LargeListView:
		from = int(a.offset(i))
		return from, from + int(integer(a.Buffers[1], i, offsetWidth(a.Field.Type.ID)))
	}
	return int(a.offset(i)), int(a.offset(i + 1))
}

// run is the run that row i lies in.
func (a *Array) run(i int) int {
	ends, width := a.Children[0].Buffers[0], a.endWidth()
	return sort.Search(a.Children[0].Len, func(k int) bool { return integer(ends, k, width) > int64(i) })
}

func (a *Array) endWidth() int { return int(a.Children[0].Field.Type.BitWidth / 8) }

// member is the child that holds row i of a union, and where.
func (a *Array) member(i int) (child *Array, at int) {
	k := childOfType(&a.Field.Type, len(a.Children), a.Buffers[0][i])
	if a.Field.Type.Dense {
		return a.Children[k], int(integer(a.Buffers[1], i, 4))
	}
	return a.Children[k], i
}

// childOfType returns the child for a type of a union's value, or -1.
func childOfType(t *arrowipc.DataType, children int, id byte) int {
	k := int(int8(id))
	if t.TypeIDs != nil {
		k = -1
		for i, x := range t.TypeIDs {
			if x == int32(int8(id)) {
				k = i
				break
			}
		}
	}
	if k >= children {
		return -1
	}
	return k
}

// value is the bytes of row i of text or binary values.
func (a *Array) value(i int) []byte {
	if !isView(a.Field) {
		return a.Buffers[1][a.offset(i):a.offset(i+1)]
	}
	view := a.Buffers[0][16*i : 16*i+16]
	n := int(int32(binary.LittleEndian.Uint32(view)))
	if n <= inlineView {
		return view[4 : 4+n]
	}
	buffer, at := viewTarget(view)
	return a.Buffers[1+buffer][at : at+n]
}

// inlineView is the most bytes that are in a view itself. Source: Arrow
// columnar format, "Variable-size Binary View Layout".
const inlineView = 12

// viewTarget is where a long value lies: in which of the data buffers, and
// from which byte on.
func viewTarget(view []byte) (buffer, at int) {
	return int(int32(binary.LittleEndian.Uint32(view[8:]))), int(int32(binary.LittleEndian.Uint32(view[12:])))
}

// countNulls counts the zeros in the first n bits.
func countNulls(p []byte, n int) int {
	if p == nil {
		return 0
	}
	ones := 0
	for i := range n / 8 {
		ones += bits.OnesCount8(p[i])
	}
	if rest := n % 8; rest > 0 {
		ones += bits.OnesCount8(p[n/8] & (1<<rest - 1))
	}
	return n - ones
}
