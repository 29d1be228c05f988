package array

import (
	"fmt"
	"math"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

func (b *builder) list(a *Array) error {
	last, err := b.offsets(a)
	if err != nil {
		return err
	}
	return b.children(a, last)
}

func (b *builder) listView(a *Array) error {
	width := offsetWidth(a.Field.Type.ID)
	for range 2 {
		p, err := b.next(int64(a.Len) * int64(width))
		if err != nil {
			return err
		}
		a.Buffers = append(a.Buffers, p)
	}
	var last int64
	for i := range a.Len {
		from, n := integer(a.Buffers[0], i, width), integer(a.Buffers[1], i, width)
		if from < 0 || n < 0 || from > math.MaxInt64-n {
			return b.bad("list %d has %d values from %d", i, n, from)
		}
		if last = max(last, from); n > 0 {
			last = max(last, from+n)
		}
	}
	return b.children(a, last)
}

// children builds the fields below a, each of at least n values.
func (b *builder) children(a *Array, n int64) error {
	for i := range a.Field.Children {
		f := &a.Field.Children[i]
		if have := b.Nodes[b.node].Length; have < n {
			return b.bad("%d values in %q where %d are needed", have, f.Name, n)
		}
		c, err := b.build(f)
		if err != nil {
			return err
		}
		a.Children = append(a.Children, c)
	}
	return nil
}

func (b *builder) union(a *Array) error {
	types, err := b.next(int64(a.Len))
	if err != nil {
		return err
	}
	a.Buffers = [][]byte{types}
	at := b.buffer - 1
	if a.Field.Type.Dense {
		offsets, err := b.next(4 * int64(a.Len))
		if err != nil {
			return err
		}
		a.Buffers = append(a.Buffers, offsets)
	}
	if err := b.children(a, 0); err != nil {
		return err
	}
	childOf := a.childTable()
	for i, id := range types {
		child := childOf[id]
		if child < 0 {
			return &Error{Buffer: at, Err: fmt.Errorf("value %d is of type %d", i, int8(id))}
		}
		row := int64(i)
		if a.Field.Type.Dense {
			row = integer(a.Buffers[1], i, 4)
		}
		if row < 0 || row >= int64(a.Children[child].Len) {
			return &Error{Buffer: at + len(a.Buffers) - 1, Err: fmt.Errorf("value %d is at %d of %d in %q", i, row, a.Children[child].Len, a.Field.Children[child].Name)}
		}
	}
	if !a.Field.Type.Dense {
		for k, c := range a.Children {
			if c.Len < a.Len {
				return b.bad("%d values in %q where %d are needed", c.Len, a.Field.Children[k].Name, a.Len)
			}
		}
	}
	return nil
}

// runs builds a run-end encoded column. The last run may end after the
// column: a writer may have cut the parent only.
func (b *builder) runs(a *Array, node arrowipc.FieldNode) error {
	if node.NullCount > 0 || a.Nulls > 0 {
		return b.bad("%d nulls among its run ends", node.NullCount)
	}
	at := b.buffer + 1
	if err := b.children(a, 0); err != nil {
		return err
	}
	ends := a.Children[0]
	if ends.Nulls != 0 || ends.Len != a.Children[1].Len {
		return &Error{Buffer: at, Err: fmt.Errorf("%d run ends, %d of them null, for %d values", ends.Len, ends.Nulls, a.Children[1].Len)}
	}
	if err := CheckRuns(ends.Buffers[0], a.endWidth(), ends.Len, a.Len); err != nil {
		return &Error{Buffer: at, Err: err}
	}
	return nil
}

// checkChildren makes sure that a field has the children of its type; those
// of a dictionary are checked with its values.
func checkChildren(f *arrowipc.Field) error {
	want := 0
	switch {
	case f.Dictionary != nil || f.Type.ID == arrowipc.Struct || f.Type.ID == arrowipc.Union:
		return nil
	case isList(f.Type.ID):
		want = 1
	case f.Type.ID == arrowipc.RunEndEncoded:
		want = 2
	}
	if len(f.Children) != want {
		return fmt.Errorf("%s with %d children", f.Type, len(f.Children))
	}
	switch f.Type.ID {
	case arrowipc.FixedSizeList:
		if f.Type.Size < 0 {
			return fmt.Errorf("lists of %d values", f.Type.Size)
		}
	case arrowipc.Map:
		if c := &f.Children[0]; c.Type.ID != arrowipc.Struct || c.Dictionary != nil || len(c.Children) != 2 {
			return fmt.Errorf("a map of %s", c.TypeString())
		}
	case arrowipc.RunEndEncoded:
		ends := &f.Children[0]
		if _, ok := ends.Type.FixedBits(); !ok || ends.Type.ID != arrowipc.Int || !ends.Type.Signed || ends.Type.BitWidth < 16 || ends.Type.BitWidth > 64 || ends.Dictionary != nil {
			return fmt.Errorf("run ends of %s", ends.TypeString())
		}
	}
	return nil
}

// CheckRuns makes sure that n run ends of width bytes rise and cover rows.
func CheckRuns(ends []byte, width, n, rows int) error {
	before := int64(0)
	for k := range n {
		end := integer(ends, k, width)
		if end <= before {
			return fmt.Errorf("run %d ends at %d, the one before at %d", k, end, before)
		}
		before = end
	}
	if before < int64(rows) {
		return fmt.Errorf("the runs end at %d of %d rows", before, rows)
	}
	return nil
}
