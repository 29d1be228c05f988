package recording

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// data decodes the next buffer into memory of the given slot, valid until the
// slot is used again: need bytes of it. With optional, a buffer that holds
// nothing gives nil.
//
// What a buffer claims to hold is believed only as far as need, which the
// field nodes justify, rounded up to 64: the run ends of Apache.Arrow for .NET
// are padded so.
func (b *batchCheck) data(slot int, need int64, optional bool) ([]byte, error) {
	s := b.m.Batch.Buffers[b.buffer]
	b.buffer++
	at := b.m.bodyAt() + s.Offset
	out := &b.c.bufs[slot]
	if b.rc.verifier != nil { // before the buffer: reads go forward
		if err := b.rc.verifier.paddingBefore(b, b.buffer-1); err != nil {
			return nil, err
		}
	}
	if b.m.Batch.Codec == arrowipc.Uncompressed {
		if s.Length < need {
			return nil, notIntact("a buffer of %d bytes where %d are needed", s.Length, need)
		}
		if slot == 2 { // values are looked at before anything else is read
			return b.rc.view(need, at, out)
		}
		*out = grown(*out, need)
		return *out, b.rc.readAt(*out, at)
	}
	if s.Length == 0 {
		if need > 0 {
			return nil, notIntact("an empty buffer where %d bytes are needed", need)
		}
		return nil, nil
	}
	if s.Length < 8 {
		return nil, notIntact("a compressed buffer of %d bytes", s.Length)
	}
	b.c.raw = grown(b.c.raw, s.Length)
	if err := b.rc.readAt(b.c.raw, at); err != nil {
		return nil, err
	}
	size, frame := int64(binary.LittleEndian.Uint64(b.c.raw)), b.c.raw[8:]
	switch {
	case size == 0 && optional:
		return nil, nil
	case size == -1:
		if int64(len(frame)) < need {
			return nil, notIntact("a buffer of %d bytes where %d are needed", len(frame), need)
		}
		return frame[:need], nil
	case size < need || size > (need+63)/64*64 || size > maxContent(b.m.Batch.Codec, int64(len(frame))):
		return nil, notIntact("a compressed buffer that claims %d bytes where %d are needed", size, need)
	case size == 0:
		return nil, nil
	}
	*out = grown(*out, size)
	decoded, err := b.c.decode(b.m.Batch.Codec, frame, (*out)[:0:size], size)
	if err != nil {
		return nil, notIntact("%w", err)
	}
	return decoded[:need], b.rc.work(size)
}

// grown returns p with length n; its contents are undefined.
func grown(p []byte, n int64) []byte {
	return slices.Grow(p[:0], int(n))[:n]
}

// nested checks the fields that are neither of fixed width nor run ends, after
// their validity.
func (b *batchCheck) nested(f *arrowipc.Field, n int64) error {
	switch f.Type.ID {
	case arrowipc.Binary, arrowipc.Utf8, arrowipc.LargeBinary, arrowipc.LargeUtf8:
		last, err := b.offsets(n, f.Type.ID == arrowipc.LargeBinary || f.Type.ID == arrowipc.LargeUtf8)
		if err != nil {
			return err
		}
		_, err = b.data(2, last, false)
		return err
	case arrowipc.List, arrowipc.Map, arrowipc.LargeList:
		last, err := b.offsets(n, f.Type.ID == arrowipc.LargeList)
		if err != nil {
			return err
		}
		return b.children(f, last)
	case arrowipc.ListView, arrowipc.LargeListView:
		width := int64(4)
		if f.Type.ID == arrowipc.LargeListView {
			width = 8
		}
		starts, err := b.data(1, n*width, false)
		if err != nil {
			return err
		}
		sizes, err := b.data(2, n*width, false)
		if err != nil {
			return err
		}
		last := int64(0)
		for i := range n {
			start, size := signed(starts, i, width), signed(sizes, i, width)
			if start < 0 || size < 0 || start > math.MaxInt64-size {
				return notIntact("list %d has %d values from %d", i, size, start)
			}
			if size > 0 {
				last = max(last, start+size)
			}
		}
		return b.children(f, last)
	case arrowipc.Struct:
		return b.children(f, n)
	case arrowipc.FixedSizeList:
		if f.Type.Size < 0 {
			return notIntact("lists of %d values", f.Type.Size)
		}
		return b.children(f, n*int64(f.Type.Size))
	case arrowipc.BinaryView, arrowipc.Utf8View:
		return b.views(n)
	}
	return notIntact("a column of %s", f.Type)
}

// children checks the fields below f, each of at least n values.
func (b *batchCheck) children(f *arrowipc.Field, n int64) error {
	for i := range f.Children {
		if have := b.m.Batch.Nodes[b.node].Length; have < n {
			return notIntact("%d values in %q where %d are needed", have, f.Children[i].Name, n)
		}
		if err := b.field(&f.Children[i]); err != nil {
			return err
		}
	}
	return nil
}

// offsets checks n+1 offsets and returns the last.
func (b *batchCheck) offsets(n int64, large bool) (int64, error) {
	width := int64(4)
	if large {
		width = 8
	}
	if n == 0 && b.m.Batch.Buffers[b.buffer].Length == 0 {
		b.buffer++
		return 0, nil // allowed: no values, no offsets
	}
	p, err := b.data(1, (n+1)*width, false)
	if err != nil {
		return 0, err
	}
	last := int64(0)
	for i := range n + 1 {
		offset := signed(p, i, width)
		if offset < last {
			return 0, notIntact("offset %d after %d", offset, last)
		}
		last = offset
	}
	return last, nil
}

// views checks the 16-byte views of text or binary values: those of more than
// 12 bytes point into one of the column's buffers.
func (b *batchCheck) views(n int64) error {
	count := b.m.Batch.VariadicCounts[b.variadic]
	b.variadic++
	p, err := b.data(1, 16*n, false)
	if err != nil {
		return err
	}
	need := make([]int64, count)
	for i := range n {
		v := p[16*i:]
		length := int64(int32(binary.LittleEndian.Uint32(v)))
		if length <= 12 {
			if length < 0 {
				return notIntact("a value of %d bytes", length)
			}
			continue
		}
		buffer, offset := int64(int32(binary.LittleEndian.Uint32(v[8:]))), int64(int32(binary.LittleEndian.Uint32(v[12:])))
		if buffer < 0 || buffer >= count || offset < 0 {
			return notIntact("a value in buffer %d of %d at %d", buffer, count, offset)
		}
		need[buffer] = max(need[buffer], offset+length)
	}
	for _, bytes := range need {
		// Views may leave out what a buffer holds besides, so that only
		// plain buffers can be checked without decoding more than that.
		if b.m.Batch.Codec != arrowipc.Uncompressed {
			if err := b.claimed(bytes); err != nil {
				return err
			}
			continue
		}
		if _, err := b.data(2, bytes, false); err != nil {
			return err
		}
	}
	return nil
}

// claimed decodes a compressed buffer of at least need bytes.
func (b *batchCheck) claimed(need int64) error {
	s := b.m.Batch.Buffers[b.buffer]
	if s.Length >= 8 {
		var prefix [8]byte
		if err := b.rc.readAt(prefix[:], b.m.bodyAt()+s.Offset); err != nil {
			return err
		}
		if size := int64(binary.LittleEndian.Uint64(prefix[:])); size > need && size <= maxContent(b.m.Batch.Codec, s.Length) {
			need = size
		}
	}
	_, err := b.data(2, need, true)
	return err
}

// union checks the type of every value, and of dense unions where it is.
func (b *batchCheck) union(f *arrowipc.Field, n int64) error {
	if b.m.Version < arrowipc.V5 {
		b.buffer++ // a validity buffer, which nothing uses
	}
	types, err := b.data(0, n, false)
	if err != nil {
		return err
	}
	var offsets []byte
	if f.Type.Dense {
		if offsets, err = b.data(1, 4*n, false); err != nil {
			return err
		}
	}
	need := make([]int64, len(f.Children))
	for i := range n {
		child := int(int8(types[i]))
		if f.Type.TypeIDs != nil {
			child = slices.Index(f.Type.TypeIDs, int32(int8(types[i])))
		}
		if child < 0 || child >= len(need) {
			return notIntact("value %d is of type %d", i, int8(types[i]))
		}
		at := i
		if offsets != nil {
			if at = signed(offsets, i, 4); at < 0 {
				return notIntact("value %d is at %d", i, at)
			}
		}
		need[child] = max(need[child], at+1)
	}
	for i := range f.Children {
		if have := b.m.Batch.Nodes[b.node].Length; have < need[i] {
			return notIntact("%d values in %q where %d are needed", have, f.Children[i].Name, need[i])
		}
		if err := b.field(&f.Children[i]); err != nil {
			return err
		}
	}
	return nil
}

// indices checks the indices of a dictionary-encoded column.
func (b *batchCheck) indices(f *arrowipc.Field, node arrowipc.FieldNode) error {
	b.unknown = true
	size, ok := b.rc.dictionaries[f.Dictionary.ID]
	if !ok && node.NullCount < node.Length {
		return notIntact("its dictionary is missing")
	}
	width, ok := f.Dictionary.Index.FixedBits()
	if !ok || f.Dictionary.Index.ID != arrowipc.Int {
		return notIntact("dictionary indices of %s", f.Dictionary.Index)
	}
	if err := b.validity(node); err != nil {
		return err
	}
	bytes := int64(width / 8)
	p, err := b.data(2, node.Length*bytes, false)
	if err != nil {
		return err
	}
	if node.NullCount > 0 {
		return nil // what stands under a null means nothing
	}
	for i := range node.Length {
		if index := signed(p, i, bytes); index < 0 || index >= size {
			return notIntact("value %d has index %d in a dictionary of %d", i, index, size)
		}
	}
	return nil
}
