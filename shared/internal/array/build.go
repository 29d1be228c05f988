package array

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// A Source gives the nodes and buffers of one column of a batch.
type Source struct {
	Version  int16                // of the message: unions had a validity in V4
	Nodes    []arrowipc.FieldNode // of the column, depth first
	Variadic []int64              // the counts of its view columns

	// Buffer returns buffer i of the column, decompressed: need bytes of it,
	// or all if need is Whole. A buffer that may be left out holds nothing
	// then, and Buffer returns nil.
	Buffer func(i int, need int64, optional bool) ([]byte, error)

	// Dictionary returns the values of the dictionary of a field, nil if there are none
	// yet. Of the array only Len is used.
	Dictionary func(f *arrowipc.Field) (*Array, error)
}

// Whole asks for all that a buffer holds.
const Whole = -1

// An Error is damage found in the values of a buffer.
type Error struct {
	Buffer int // index in the Source
	Err    error
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Build makes the array of a field and checks it: validity against null
// counts, offsets, views, run ends, types of unions and dictionary indices
// against what they point at.
//
// It returns an *Error, or the error of the source. The nodes and buffers are
// those that arrowipc.Columns assigned to the column.
func Build(f *arrowipc.Field, s *Source) (*Array, error) {
	b := builder{Source: s}
	return b.build(f)
}

type builder struct {
	*Source
	node, buffer, view int
}

// bad is damage in the buffer taken last.
func (b *builder) bad(format string, args ...any) error {
	return &Error{Buffer: max(0, b.buffer-1), Err: fmt.Errorf(format, args...)}
}

// next takes the next buffer.
func (b *builder) next(need int64) ([]byte, error) {
	p, err := b.Buffer(b.buffer, need, false)
	b.buffer++
	return clip(p), err
}

func (b *builder) build(f *arrowipc.Field) (*Array, error) {
	node := b.Nodes[b.node]
	b.node++
	if node.Length > math.MaxInt32 {
		return nil, b.bad("%q claims %d values", f.Name, node.Length)
	}
	if err := checkChildren(f); err != nil {
		return nil, b.bad("%w", err)
	}
	a := &Array{Field: f, Len: int(node.Length)}
	if hasValidity(f, b.Version) {
		if err := b.validity(a, node); err != nil {
			return nil, err
		}
	}
	if width, ok := fixedBits(f); ok {
		p, err := b.next((node.Length*int64(width) + 7) / 8)
		if err != nil {
			return nil, err
		}
		a.Buffers = [][]byte{p}
		if f.Dictionary != nil {
			return a, b.indices(a)
		}
		return a, nil
	}
	if f.Dictionary != nil {
		return nil, b.bad("dictionary indices of %s", f.Dictionary.Index)
	}
	var err error
	switch f.Type.ID {
	case arrowipc.Null:
		a.Nulls = a.Len
	case arrowipc.Binary, arrowipc.Utf8, arrowipc.LargeBinary, arrowipc.LargeUtf8:
		err = b.text(a)
	case arrowipc.BinaryView, arrowipc.Utf8View:
		err = b.views(a)
	case arrowipc.List, arrowipc.LargeList, arrowipc.Map:
		err = b.list(a)
	case arrowipc.ListView, arrowipc.LargeListView:
		err = b.listView(a)
	case arrowipc.FixedSizeList:
		err = b.children(a, int64(f.Type.Size)*int64(a.Len))
	case arrowipc.Struct:
		err = b.children(a, int64(a.Len))
	case arrowipc.Union:
		err = b.union(a)
	case arrowipc.RunEndEncoded:
		err = b.runs(a, node)
	default:
		err = b.bad("a column of %s", f.Type)
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

// validity takes the validity buffer and compares it with the null count.
func (b *builder) validity(a *Array, node arrowipc.FieldNode) error {
	p, err := b.Buffer(b.buffer, (node.Length+7)/8, true)
	b.buffer++
	if err != nil {
		return err
	}
	if len(p) == 0 {
		if node.NullCount > 0 {
			return b.bad("%d nulls, but no validity bits", node.NullCount)
		}
		return nil
	}
	nulls := countNulls(p, a.Len)
	if node.NullCount != arrowipc.UnknownNulls && node.NullCount != int64(nulls) {
		return b.bad("%d nulls by the header, %d by the validity", node.NullCount, nulls)
	}
	if nulls > 0 {
		a.Nulls, a.Validity = nulls, p
	}
	return nil
}

// indices checks the indices of a dictionary-encoded column. What is under
// a null means nothing.
func (b *builder) indices(a *Array) error {
	t := a.Field.Dictionary.Index
	if t.ID != arrowipc.Int {
		return b.bad("dictionary indices of %s", t)
	}
	at := b.buffer - 1
	values, err := b.Dictionary(a.Field)
	if err != nil {
		return err
	}
	if values == nil {
		if a.Nulls < a.Len {
			return b.bad("its dictionary is missing")
		}
		return nil
	}
	a.Dictionary = values
	for i := range a.Len {
		if a.Validity != nil && !bit(a.Validity, i) {
			continue
		}
		if x := a.index(i); x < 0 || x >= int64(values.Len) {
			return &Error{Buffer: at, Err: fmt.Errorf("value %d has index %d in a dictionary of %d", i, x, values.Len)}
		}
	}
	return nil
}

// offsets takes n+1 rising offsets and returns the last. Without values there
// may be none, or those of other values, and none is looked at.
func (b *builder) offsets(a *Array) (last int64, err error) {
	width := offsetWidth(a.Field.Type.ID)
	need := int64(a.Len+1) * int64(width)
	if a.Len == 0 {
		need = 0
	}
	p, err := b.Buffer(b.buffer, need, a.Len == 0)
	b.buffer++
	if err != nil {
		return 0, err
	}
	if a.Len == 0 {
		p = make([]byte, width)
	}
	a.Buffers = [][]byte{p}
	for i := range a.Len + 1 {
		x := integer(p, i, width)
		if x < last {
			return 0, b.bad("offset %d after %d", x, last)
		}
		last = x
	}
	return last, nil
}

func (b *builder) text(a *Array) error {
	last, err := b.offsets(a)
	if err != nil {
		return err
	}
	data, err := b.next(last)
	a.Buffers = append(a.Buffers, data)
	return err
}

// views takes the 16 bytes of each value; those of more than 12 bytes point
// into one of the column's data buffers.
func (b *builder) views(a *Array) error {
	count := int(b.Variadic[b.view])
	b.view++
	at := b.buffer
	p, err := b.next(16 * int64(a.Len))
	if err != nil {
		return err
	}
	a.Buffers = append(make([][]byte, 0, 1+count), p)
	for range count {
		data, err := b.next(Whole)
		if err != nil {
			return err
		}
		a.Buffers = append(a.Buffers, data)
	}
	for i := range a.Len {
		if a.Validity != nil && !bit(a.Validity, i) {
			continue // what is under a null means nothing
		}
		view := p[16*i : 16*i+16]
		n := int(int32(binary.LittleEndian.Uint32(view)))
		buffer, from := viewTarget(view)
		switch {
		case n < 0:
			err = fmt.Errorf("value %d has %d bytes", i, n)
		case n > inlineView && (buffer < 0 || buffer >= count):
			err = fmt.Errorf("value %d lies in buffer %d of %d", i, buffer, count)
		case n > inlineView && (from < 0 || from > len(a.Buffers[1+buffer])-n):
			err = fmt.Errorf("value %d has %d bytes from %d of %d", i, n, from, len(a.Buffers[1+buffer]))
		}
		if err != nil {
			return &Error{Buffer: at, Err: err}
		}
	}
	return nil
}
