package array

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// errTooLong is what Concat says where offsets or run ends would overflow.
var errTooLong = errors.New("too many values for the width of its offsets")

// Concat returns the rows of a followed by those of b, an array of the same
// field. What follows a's buffers in memory may be used: to extend one
// array twice, in different ways, is not possible.
//
// Indices of dictionaries inside are taken to mean b's dictionaries, which
// begin with a's values.
func Concat(a, b *Array) (*Array, error) {
	if a.Len > math.MaxInt32-b.Len {
		return nil, errTooLong
	}
	// What a has besides its rows would be between them and b's.
	a, b = a.trim(), b.trim()
	out := &Array{Field: a.Field, Len: a.Len + b.Len, Nulls: a.Nulls + b.Nulls, Dictionary: b.Dictionary}
	if a.Field.Type.ID == arrowipc.Null && a.Field.Dictionary == nil {
		return out, nil
	}
	if out.Nulls > 0 {
		out.Validity = appendBits(orOnes(a.Validity, a.Len), a.Len, orOnes(b.Validity, b.Len), b.Len)
	}
	if width, ok := fixedBits(a.Field); ok {
		if width == 1 {
			out.Buffers = [][]byte{appendBits(a.Buffers[0], a.Len, b.Buffers[0], b.Len)}
		} else {
			out.Buffers = [][]byte{append(a.Buffers[0], b.Buffers[0]...)}
		}
		return out, nil
	}
	var err error
	switch a.Field.Type.ID {
	case arrowipc.Binary, arrowipc.Utf8, arrowipc.LargeBinary, arrowipc.LargeUtf8:
		if err = out.joinOffsets(a, b); err == nil {
			out.Buffers = append(out.Buffers, append(a.Buffers[1], b.Buffers[1]...))
		}
	case arrowipc.BinaryView, arrowipc.Utf8View:
		out.joinViews(a, b)
	case arrowipc.List, arrowipc.LargeList, arrowipc.Map:
		if err = out.joinOffsets(a, b); err == nil {
			err = out.joinChildren(a, b)
		}
	case arrowipc.ListView, arrowipc.LargeListView:
		width := offsetWidth(a.Field.Type.ID)
		var starts []byte
		if starts, err = shifted(a.Buffers[0], b.Buffers[0], int64(a.Children[0].Len), width); err == nil {
			out.Buffers = [][]byte{starts, append(a.Buffers[1], b.Buffers[1]...)}
			err = out.joinChildren(a, b)
		}
	case arrowipc.FixedSizeList, arrowipc.Struct:
		err = out.joinChildren(a, b)
	case arrowipc.Union:
		out.joinUnion(a, b)
		err = out.joinChildren(a, b)
	case arrowipc.RunEndEncoded:
		var ends []byte
		if ends, err = shifted(a.Children[0].Buffers[0], b.Children[0].Buffers[0], int64(a.Len), a.endWidth()); err == nil {
			var values *Array
			values, err = Concat(a.Children[1], b.Children[1])
			out.Children = []*Array{{Field: a.Children[0].Field, Len: len(ends) / a.endWidth(), Buffers: [][]byte{ends}}, values}
		}
	default:
		err = fmt.Errorf("columns of %s cannot be joined", a.Field.Type)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// trim returns the array with its first offset at 0 and children that end
// where it does.
func (a *Array) trim() *Array {
	if a.trimmed() {
		return a
	}
	return a.Slice(0, a.Len)
}

func (a *Array) trimmed() bool {
	if _, ok := fixedBits(a.Field); ok {
		return true
	}
	switch a.Field.Type.ID {
	case arrowipc.Binary, arrowipc.Utf8, arrowipc.LargeBinary, arrowipc.LargeUtf8:
		return a.offset(0) == 0 && a.offset(a.Len) == int64(len(a.Buffers[1]))
	case arrowipc.List, arrowipc.LargeList, arrowipc.Map:
		return a.offset(0) == 0 && a.offset(a.Len) == int64(a.Children[0].Len)
	case arrowipc.FixedSizeList:
		return a.Children[0].Len == a.Len*int(a.Field.Type.Size)
	case arrowipc.Struct:
		return !slices.ContainsFunc(a.Children, func(c *Array) bool { return c.Len != a.Len })
	case arrowipc.Union:
		return a.Field.Type.Dense || !slices.ContainsFunc(a.Children, func(c *Array) bool { return c.Len != a.Len })
	case arrowipc.RunEndEncoded:
		n := a.Children[0].Len
		return n == 0 || integer(a.Children[0].Buffers[0], n-1, a.endWidth()) == int64(a.Len)
	}
	return true
}

func (a *Array) joinChildren(x, y *Array) error {
	for k := range x.Children {
		c, err := Concat(x.Children[k], y.Children[k])
		if err != nil {
			return err
		}
		a.Children = append(a.Children, c)
	}
	return nil
}

// joinOffsets appends y's offsets but the first to x's.
func (a *Array) joinOffsets(x, y *Array) error {
	width := offsetWidth(x.Field.Type.ID)
	offsets, err := shifted(x.Buffers[0][:(x.Len+1)*width], y.Buffers[0][width:(y.Len+1)*width], x.offset(x.Len), width)
	a.Buffers = [][]byte{offsets}
	return err
}

func (a *Array) joinViews(x, y *Array) {
	before := len(x.Buffers) - 1
	views := x.Buffers[0]
	for i := range y.Len {
		view := y.Buffers[0][16*i : 16*i+16]
		views = append(views, view...)
		if int(int32(binary.LittleEndian.Uint32(view))) > inlineView {
			buffer, _ := viewTarget(view)
			binary.LittleEndian.PutUint32(views[len(views)-8:], uint32(buffer+before))
		}
	}
	a.Buffers = append([][]byte{views}, x.Buffers[1:]...)
	a.Buffers = append(a.Buffers, y.Buffers[1:]...)
}

func (a *Array) joinUnion(x, y *Array) {
	a.Buffers = [][]byte{append(x.Buffers[0], y.Buffers[0]...)}
	if !x.Field.Type.Dense {
		return
	}
	offsets, childOf := x.Buffers[1], y.childTable()
	for i, id := range y.Buffers[0] {
		offsets = appendInteger(offsets, integer(y.Buffers[1], i, 4)+int64(x.Children[childOf[id]].Len), 4)
	}
	a.Buffers = append(a.Buffers, offsets)
}

// shifted appends the integers of more, each with by added, to dst.
func shifted(dst, more []byte, by int64, width int) ([]byte, error) {
	most := int64(math.MaxInt64)
	if width < 8 {
		most = 1<<(8*width-1) - 1
	}
	for i := range len(more) / width {
		x := integer(more, i, width)
		if x > most-by {
			return nil, errTooLong
		}
		dst = appendInteger(dst, x+by, width)
	}
	return dst, nil
}

// orOnes returns a validity, or one of n valid rows where there is none.
func orOnes(p []byte, n int) []byte {
	if p != nil {
		return p
	}
	p = make([]byte, (n+7)/8)
	for i := range p {
		p[i] = 0xFF
	}
	return p
}

// appendBits appends m bits of q to n bits of p. The last byte of p is copied
// with the first that is added: it may be shared.
func appendBits(p []byte, n int, q []byte, m int) []byte {
	p = clip(p[:(n+7)/8])
	if n&7 == 0 {
		return append(p, q[:(m+7)/8]...)
	}
	out := slices.Clone(p)
	out[len(out)-1] &= 1<<(n&7) - 1
	for i := range (m + 7) / 8 {
		out[len(out)-1] |= q[i] << (n & 7)
		out = append(out, q[i]>>(8-n&7))
	}
	return out[:(n+m+7)/8]
}

// Take returns some rows, in rising order, as an array of their own.
func (a *Array) Take(rows []int) (*Array, error) {
	out := a.Slice(0, 0)
	for len(rows) > 0 {
		n := 1 // rows that follow each other
		for n < len(rows) && rows[n] == rows[0]+n {
			n++
		}
		part := a.Slice(rows[0], rows[0]+n)
		rows = rows[n:]
		if out.Len == 0 {
			out = part
			continue
		}
		var err error
		if out, err = Concat(out, part); err != nil {
			return nil, err
		}
	}
	return out, nil
}
