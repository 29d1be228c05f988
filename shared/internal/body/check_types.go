package body

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/oniscope/oniscope/shared/internal/array"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
)

// The slots of a checker's memory: for the columns that are looked at at once,
// and from firstSlot on for each buffer of an array.
const (
	validitySlot = iota
	valuesSlot
	firstSlot
)

// data decodes the next buffer into memory of the given slot, valid until the
// slot is used again: need bytes of it, or all where need is array.Whole. With
// optional, a buffer that holds nothing gives nil.
func (b *batchCheck) data(slot int, need int64, optional bool) ([]byte, error) {
	s := b.m.Batch.Buffers[b.buffer]
	b.buffer++
	at := b.m.BodyAt() + s.Offset
	if slot >= len(b.c.bufs) {
		b.c.bufs = append(b.c.bufs, make([][]byte, slot+1-len(b.c.bufs))...)
	}
	out := &b.c.bufs[slot]
	if b.out != nil && s.Length > 0 { // before the buffer: reads go forward
		if err := b.padding(b.endBefore(b.buffer-1), s.Offset); err != nil {
			return nil, err
		}
	}
	if b.m.Batch.Codec == arrowipc.Uncompressed {
		switch {
		case optional && s.Length == 0:
			return nil, nil
		case need == array.Whole:
			need = s.Length
		case s.Length < need:
			return nil, &NotIntactError{Err: TooShort(s.Length, need)}
		}
		if slot == valuesSlot { // they are looked at before anything else is read
			p, err := b.c.view(need, at, out)
			if err == nil && b.plain() {
				b.zeroParts(p, at, zeroPart{column: b.column, bits: b.width, valid: b.bits})
			}
			return p, err
		}
		*out = Grown(*out, need)
		err := b.c.Fill(*out, at)
		if err == nil && b.plain() {
			b.zeroParts(*out, at, zeroPart{column: b.column, bridge: slot == validitySlot})
		}
		return *out, err
	}
	b.c.raw = Grown(b.c.raw, s.Length)
	if err := b.c.Fill(b.c.raw, at); err != nil {
		return nil, err
	}
	if (optional || need == 0) && emptyFrame(b.m.Batch.Codec, b.c.raw) && binary.LittleEndian.Uint64(b.c.raw) != 0 {
		b.fix = append(b.fix, Fix{At: at, Bytes: make([]byte, 8), Reason: fmt.Sprintf("column %q: the length of the empty buffer %d of the batch is damaged; no value depends on it", b.name, b.buffer-1)})
	}
	size := int64(0) // decoded
	if b.out != nil && len(b.c.raw) >= 8 && binary.LittleEndian.Uint64(b.c.raw) == math.MaxUint64 {
		if b.out.Stored == 0 {
			b.out.StoredAt = at
		}
		b.out.Stored++
	}
	p, err := b.c.Content(b.m.Batch.Codec, b.c.raw, need, optional, func(n int64) ([]byte, error) {
		size = n
		*out = Grown(*out, n)
		return (*out)[:0:n], nil
	})
	if err != nil {
		return nil, notIntact("%w", err)
	}
	if size == 0 && slot >= firstSlot { // stored uncompressed, in scratch memory that the next buffer overwrites
		*out = append((*out)[:0], p...)
		p = *out
	}
	return p, b.c.worked(size)
}

// array checks a column that is not of fixed width. What it returns is valid
// until the next column is checked.
func (b *batchCheck) array(f *arrowipc.Field, span arrowipc.Span) (*array.Array, error) {
	a, err := array.Build(f, &array.Source{
		Version:  b.m.Version,
		Nodes:    b.m.Batch.Nodes[span.Node:span.NodeEnd],
		Variadic: b.m.Batch.VariadicCounts[span.View:span.ViewEnd],
		Buffer: func(i int, need int64, optional bool) ([]byte, error) {
			b.buffer = span.Buffer + i
			return b.data(firstSlot+i, need, optional)
		},
		Dictionary: func(f *arrowipc.Field) (*array.Array, error) {
			if b.c.Words == nil {
				return nil, nil
			}
			size, ok, err := b.c.Words(f.Dictionary.ID, b.m.At)
			if err != nil {
				return nil, notIntact("%w", err)
			}
			if !ok {
				return nil, nil
			}
			return &array.Array{Len: int(size)}, nil
		},
	})
	var bad *array.Error
	if errors.As(err, &bad) {
		return nil, notIntact("%w", bad.Err)
	}
	return a, err
}
