package body

import (
	"encoding/binary"
	"errors"
	"io"
	"math/bits"
	"slices"
	"sort"

	"github.com/oniscope/oniscope/shared/internal/array"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/messages"
)

// A Checker decides whether a batch is intact: it decodes one column after
// the other into the same memory. Its zero value is ready.
type Checker struct {
	Decompressor
	Window
	Words func(id, at int64) (size int64, ok bool, err error) // how many values a dictionary has; nil: none
	// Look is given the values of each top-level column of fixed width: one a
	// row, or with ends one a run; valid are the validity bits, nil if there are
	// none. A large column is given in pieces. All is valid until it returns; nil: nobody asks.
	Look   func(m *messages.Message, column int, node arrowipc.FieldNode, data, valid []byte, ends []int64)
	Sample bool     // the ticks of Clock are wanted
	raw    []byte   // a buffer as it is in the file
	bufs   [][]byte // decoded, by slot
	ends   []int64
	parts  []zeroPart

	headers  *messages.Headers
	inPieces func(b *batchCheck, f *arrowipc.Field, bits int, node arrowipc.FieldNode) error // of large columns; nil: they are checked at once
}

// Message reads the header of a message; nil if none begins at at.
func (c *Checker) Message(at int64) (*messages.Message, error) {
	if c.headers == nil {
		c.headers = messages.NewHeaders(&messages.Source{Size: c.Size, ReadAt: c.Fill})
	}
	return c.headers.At(at)
}

// A clockSpan is the first and last tick of a batch.
type ClockSpan struct {
	First, Last uint64
	OK          bool
}

// Checked is what a batch showed while it was checked; rows are those of the
// batch.
type Checked struct {
	Rows               int64
	Clock              ClockSpan
	ClockTicks         []uint64   // of the column Clock, where they are wanted
	ClockInPieces      bool       // they are too many; see Checker.Ticks
	ClockValid         []byte     // of the same: a byte for each row, 0 where it is null; nil: none is
	ZeroFrom, ZeroRows int64      // the longest run of rows that are 0 in all columns
	Zeros              []Zeros    // of a plain record batch, where a block of the disk may be lost
	ZeroColumns        []int      // of the same: columns of which a whole buffer is 0
	StoredAt, Stored   int64      // buffers stored as they are in a compressed body, though we write none so, and where the first is
	Improper           []Improper // columns with values that are none of their type
	Fixes              []Fix      // bytes on which no value depends and that are not as they should be
	PadAt, PadBytes    int64      // bytes of padding that are not zero, though we wrote them, and where the first is
}

// Improper are values of a column that are none of its type.
type Improper struct {
	Column string
	Values int64
	Why    array.Improper
}

// Check decodes a record or dictionary batch against a schema: all columns, or
// only those given, whose buffers lie inside the file. The error is a
// *NotIntactError if the batch is not intact, else that of reading.
func (c *Checker) Check(s *arrowipc.Schema, m *messages.Message, only ...int) (Checked, error) {
	out := Checked{Rows: m.Batch.Length}
	if m.DataEnd() > c.Size && only == nil {
		return out, notIntact("the file ends inside its data")
	}
	if m.Batch.Length > messages.MaxRows {
		return out, notIntact("it claims %d rows", m.Batch.Length)
	}
	if m.Header == arrowipc.DictionaryBatchHeader {
		values := messages.DictionaryField(s.Fields, m.DictionaryID)
		if values == nil {
			return out, notIntact("a dictionary that no column uses")
		}
		s = &arrowipc.Schema{Fields: []arrowipc.Field{*values}}
	}
	spans, err := arrowipc.Columns(s, m.Version, m.Batch, nil)
	if err != nil {
		return out, &NotIntactError{Err: err}
	}
	batch := &batchCheck{c: c, m: m, zeros: []interval{{0, m.Batch.Length}}}
	c.parts = c.parts[:0]
	clock := TickField(s, "Clock")
	order := make([]int, 0, len(spans))
	hub := TickField(s, "HubClock")
	// Clock settles at once that rows are not 0. Of several damaged columns the same one is
	// named as where only the clocks are read, or the time column.
	for _, i := range []int{clock, hub, ClockField(s)} {
		if i >= 0 && !slices.Contains(order, i) {
			order = append(order, i)
		}
	}
	first := len(order)
	for i := range spans {
		if !slices.Contains(order[:first], i) {
			order = append(order, i)
		}
	}
	if only != nil {
		order = only
	}
	if m.Header == arrowipc.RecordBatchHeader && only == nil && writtenByUs(s) {
		batch.out = &out
	}
	for _, i := range order {
		f := &s.Fields[i]
		batch.buffer, batch.column, batch.name, batch.bits = spans[i].Buffer, i, f.Name, nil
		batch.clock = nil
		if i == clock {
			batch.clock = &out
		}
		scattered := c.Scattered
		c.Scattered = scattered || i == clock || i == hub // they may come last: the window is for the others
		err := batch.field(f, spans[i])
		c.Scattered = scattered
		if err != nil {
			var bad *NotIntactError
			if errors.As(err, &bad) {
				return Checked{}, notIntact("column %q: %w", f.Name, bad.Err)
			}
			return Checked{}, err
		}
	}
	out.Improper = batch.improper
	out.Fixes = append(batch.fix, displaced(s, spans, m)...)
	sort.SliceStable(out.Fixes, func(i, k int) bool { return out.Fixes[i].At < out.Fixes[k].At })
	if batch.out != nil {
		if err := batch.padding(m.Batch.DataEnd(), min(m.BodyLength, c.Size-m.BodyAt())); err != nil {
			return Checked{}, err
		}
	}
	if batch.plain() && only == nil {
		out.Zeros, out.ZeroColumns = c.zeroRuns()
	}
	// A lost sector cannot become zeros inside a frame. Without a clock a quiet
	// batch is 0 by right.
	quiet := clock < 0 && hub < 0 && len(batch.zeros) == 1 && batch.zeros[0] == (interval{0, m.Batch.Length})
	if len(spans) > 0 && only == nil && !batch.unknown && !quiet && m.Batch.Codec == arrowipc.Uncompressed {
		for _, z := range batch.zeros {
			if z.end-z.start > out.ZeroRows {
				out.ZeroFrom, out.ZeroRows = z.start, z.end-z.start
			}
		}
	}
	return out, nil
}

// endBefore returns where the data before a buffer end.
func (b *batchCheck) endBefore(buffer int) int64 {
	for i := buffer - 1; i >= 0; i-- {
		if s := b.m.Batch.Buffers[i]; s.Length > 0 {
			return s.Offset + s.Length
		}
	}
	return 0
}

// padding looks at bytes of the body that we wrote as zeros.
func (b *batchCheck) padding(from, to int64) error {
	for from < to {
		n := min(to-from, WindowBytes)
		at := b.m.BodyAt() + from
		p, err := b.c.view(n, at, &b.pad)
		if err != nil {
			return err
		}
		for i, x := range p {
			if x != 0 {
				if b.out.PadBytes == 0 {
					b.out.PadAt = at + int64(i)
				}
				b.out.PadBytes++
			}
		}
		from += n
	}
	return nil
}

// A batchCheck goes over the columns of a batch.
type batchCheck struct {
	c        *Checker
	m        *messages.Message
	buffer   int      // that is next
	column   int      // that is checked
	valid    []byte   // the validity bits checked last, for a verifier
	width    int      // bits of one of its values
	bits     []byte   // those of the column that is checked, where it has nulls
	clock    *Checked // set while the column Clock is checked
	out      *Checked // called with padding; nil: nothing is promised of it
	pad      []byte
	name     string // of the column that is checked
	fix      []Fix
	improper []Improper
	zeros    []interval
	kept     []interval // of those, as far as the column that is checked was looked at
	scanned  int        // zeros that end before what is looked at
	unknown  bool       // a column whose zeros mean nothing
}

// plain reports whether the bytes of the batch are those of its values.
func (b *batchCheck) plain() bool {
	return b.m.Batch.Codec == arrowipc.Uncompressed && b.m.Header == arrowipc.RecordBatchHeader
}

// field checks one column. arrowipc.Columns made sure that its nodes and
// buffers are there.
func (b *batchCheck) field(f *arrowipc.Field, span arrowipc.Span) error {
	l, _ := LayoutOf(f)
	if l.Width == 0 || l.RunEnd {
		a, err := b.array(f, span)
		if err != nil {
			return err
		}
		a.Improper(b.count)
		if l.RunEnd {
			b.runs(a, &l)
		} else {
			b.unknown = true
		}
		return nil
	}
	node := b.m.Batch.Nodes[span.Node]
	if err := b.validity(node); err != nil {
		return err
	}
	b.width = l.Bits
	if b.c.inPieces != nil && IsLarge(node.Length, l.Bits) {
		if node.NullCount > 0 {
			b.unknown = true
		}
		buffer := b.buffer
		if err := b.c.inPieces(b, f, l.Bits, node); !errors.Is(err, ErrWindow) {
			return err
		}
		b.buffer, b.kept = buffer, b.kept[:0] // it refers back so far that it is decoded as a whole
	}
	data, err := b.data(valuesSlot, (node.Length*int64(l.Bits)+7)/8, false)
	if err != nil {
		return err
	}
	if node.NullCount > 0 {
		b.unknown = true // zeros over its validity would not fit the null count
	}
	b.keepZeros(data, l.Bits, nil)
	array.ImproperFlat(f, data, b.bits, b.count)
	if b.c.Look != nil {
		b.c.Look(b.m, b.column, node, data, b.valid, nil)
	}
	if b.clock != nil {
		b.clock.ticks(data, b.bits)
		if b.c.Sample {
			b.clock.ClockTicks = AppendTicks(nil, data)
		}
	}
	return nil
}

// count notes values of the column that is checked.
func (b *batchCheck) count(why array.Improper, n int64) {
	if n == 0 {
		return
	}
	for i := range b.improper {
		if p := &b.improper[i]; p.Why == why && p.Column == b.name {
			p.Values += n
			return
		}
	}
	b.improper = append(b.improper, Improper{b.name, n, why})
}

// runs looks at a run-end encoded column that was checked.
func (b *batchCheck) runs(a *array.Array, l *Layout) {
	ends, values := a.Children[0], a.Children[1]
	b.c.ends = b.c.ends[:0]
	for k := range ends.Len {
		b.c.ends = append(b.c.ends, RunEndAt(ends.Buffers[0], l.RunBits, k))
	}
	b.keepZeros(values.Buffers[0], l.Bits, b.c.ends)
	if b.c.Look != nil {
		b.c.Look(b.m, b.column, arrowipc.FieldNode{Length: int64(values.Len), NullCount: int64(values.Nulls)}, values.Buffers[0], values.Validity, b.c.ends)
	}
}

// validity checks the next buffer against the null count of a node.
func (b *batchCheck) validity(node arrowipc.FieldNode) error {
	b.valid = b.valid[:0]
	if b.m.Batch.Buffers[b.buffer].Length == 0 {
		b.buffer++
		b.valid = b.valid[:0]
		if node.NullCount > 0 {
			return &NotIntactError{Err: NoValidity(node.NullCount)}
		}
		return nil
	}
	p, err := b.data(validitySlot, (node.Length+7)/8, true)
	if err != nil || p == nil && node.NullCount <= 0 {
		return err
	}
	if p == nil {
		return &NotIntactError{Err: NoValidity(node.NullCount)}
	}
	if b.c.Look != nil {
		b.valid = append(b.valid[:0], p...)
	}
	if node.NullCount != 0 {
		b.bits = p
	}
	valid := int64(0)
	for i, x := range p {
		if rest := node.Length - 8*int64(i); rest < 8 {
			x &= 1<<rest - 1
		}
		valid += int64(bits.OnesCount8(x))
	}
	if node.NullCount != arrowipc.UnknownNulls && node.Length-valid != node.NullCount {
		return notIntact("%d nulls by its validity bits, %d by its header", node.Length-valid, node.NullCount)
	}
	return nil
}

// ticks looks at the values of the column Clock; bits are its validity, nil without
// nulls.
func (c *Checked) ticks(data, bits []byte) {
	n := len(data) / 8
	if n == 0 {
		return
	}
	if bits != nil {
		c.ClockValid = make([]byte, n)
		for i := range n {
			c.ClockValid[i] = bits[i/8] >> (i % 8) & 1
		}
		if c.ClockValid[0] == 0 || c.ClockValid[n-1] == 0 {
			return
		}
	}
	at := func(i int) uint64 { return binary.LittleEndian.Uint64(data[8*i:]) }
	c.Clock = ClockSpan{at(0), at(n - 1), n == 1 || at(n-1) > at(0)} // else they cannot both be right
}

// IntactBy decodes a batch of a file by a schema.
func IntactBy(r io.ReaderAt, size int64, s *arrowipc.Schema, m *messages.Message) (bool, error) {
	c := Checker{Window: Window{File: r, Size: size, Scattered: true}}
	_, err := c.Check(s, m)
	var bad *NotIntactError
	if errors.As(err, &bad) {
		return false, nil
	}
	return err == nil, err
}
