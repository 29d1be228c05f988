package recording

import (
	"bytes"
	"fmt"
	"math/bits"

	"github.com/oniscope/oniscope/shared/internal/array"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/body"
	"github.com/oniscope/oniscope/shared/internal/parallel"
	"github.com/oniscope/oniscope/shared/stream"
)

// content returns the wanted bytes of a buffer that was read.
func (b *batchRead) content(column int, s *bufferRead, d *body.Decompressor) ([]byte, error) {
	if s.part != nil {
		return s.part, nil
	}
	if !s.compressed {
		out := s.piece.data[s.skip : s.skip+s.hi-s.lo]
		if b.lent {
			out = bytes.Clone(out)
		}
		return out, nil
	}
	// What it takes was counted when it was planned. Room after the end lets
	// a decoder copy in words.
	own := false
	room := func(n int64) ([]byte, error) { own = true; return make([]byte, 0, n+64), nil }
	out, err := d.Content(b.h.batch.Codec, s.piece.data, s.need, s.optional, room)
	if err != nil {
		return nil, b.damaged(column, s.at, err)
	}
	if out == nil && s.optional {
		return nil, nil
	}
	if out = out[s.lo:s.hi:s.hi]; b.lent && !own {
		out = bytes.Clone(out)
	}
	return out, nil
}

// sideBySide is how many bytes have to be decompressed for it to be worth
// several cores.
const sideBySide = 256 << 10

// decodeAll makes the vectors of columns whose bytes have been read, on all
// cores where there is much to decompress.
func (b *batchRead) decodeAll(parts []columnRead, out []Vector) error {
	size := int64(0)
	for k := range parts {
		if c := &parts[k]; c.typ != stream.Other && c.values.compressed && c.values.part == nil {
			size += c.values.need
		}
	}
	if size >= sideBySide {
		if err := parallel.For(len(parts), func(worker, k int) (err error) {
			if parts[k].typ != stream.Other { // those share dictionaries, and what is left of the room
				out[k], err = b.decode(&parts[k], b.r.decoder(worker))
			}
			return err
		}); err != nil {
			return err
		}
	}
	for k := range parts {
		if size < sideBySide || parts[k].typ == stream.Other {
			var err error
			if out[k], err = b.decode(&parts[k], b.r.decoder(0)); err != nil {
				return err
			}
		}
		if err := b.r.work(out[k].bytes()); err != nil {
			return err
		}
	}
	return nil
}

// decoder is the decompressor of a worker.
func (r *Reader) decoder(worker int) *body.Decompressor {
	return &r.decoders[worker]
}

// decode makes the vector of a column whose bytes have been read.
func (b *batchRead) decode(c *columnRead, d *body.Decompressor) (Vector, error) {
	if c.typ == stream.Other {
		return b.decodeArray(c.column)
	}
	rows := int(b.to - b.from)
	v := Vector{Column: c.column, Type: c.typ, Width: c.layout.Width, Len: rows, field: b.field(c.column)}
	first, n := b.from, rows
	if c.layout.RunEnd {
		first, n = 0, int(c.n)
	}
	var valid []byte // first, as a checker does: what is wrong is said in the same words
	if c.valid != nil {
		bitmap, err := b.content(c.column, c.valid, d)
		if err != nil {
			return Vector{}, err
		}
		if bitmap == nil {
			if c.nulls > 0 {
				return Vector{}, b.damaged(c.column, c.valid.at, body.NoValidity(c.nulls))
			}
			c.nulls = 0
		} else {
			valid = unpackBits(bitmap, int(first&7), n)
			nulls := int64(countZeros(valid))
			if c.nulls != arrowipc.UnknownNulls && (nulls > c.nulls || int64(n) == c.n && nulls != c.nulls) {
				return Vector{}, b.damaged(c.column, c.valid.at, fmt.Errorf("%w: %d nulls by its validity bits, %d by its header", ErrDamaged, nulls, c.nulls))
			}
		}
	}
	if c.nulls == 0 {
		valid = nil
	}
	data, err := b.content(c.column, c.values, d)
	if err != nil {
		return Vector{}, err
	}
	if c.typ == stream.Bool {
		data = unpackBits(data, int(first&7), n)
	}
	if !c.layout.RunEnd {
		v.Data, v.Valid = data, valid
		return v, nil
	}
	raw, err := b.content(c.column, c.ends, d)
	if err != nil {
		return Vector{}, err
	}
	if err := b.checkRuns(c, raw); err != nil {
		return Vector{}, err
	}
	b.expand(&v, c, raw, data, valid)
	return v, nil
}

// checkRuns makes sure that the run ends rise and cover the batch.
func (b *batchRead) checkRuns(c *columnRead, raw []byte) error {
	if err := array.CheckRuns(raw, c.layout.RunBits/8, int(c.n), int(b.h.batch.Length)); err != nil {
		return b.damaged(c.column, c.ends.at, fmt.Errorf("%w: %w", ErrDamaged, err))
	}
	return nil
}

// expand repeats the value of each run that meets the wanted rows.
func (b *batchRead) expand(v *Vector, c *columnRead, raw, data, valid []byte) {
	v.expand(c.layout.Width, b.from, b.to, func(k int) int64 { return body.RunEndAt(raw, c.layout.RunBits, k) }, data, valid)
}

// expand repeats the value, of w bytes, of each run that meets rows [from, to).
func (v *Vector) expand(w int, from, to int64, runEnd func(k int) int64, data, valid []byte) {
	v.Data = make([]byte, int(to-from)*w)
	if valid != nil {
		v.Valid = make([]byte, to-from)
	}
	v.RunEnds = []int32{}
	row := from
	for k := 0; row < to; k++ {
		end := min(runEnd(k), to)
		if end <= row {
			continue
		}
		repeat(v.Data[int(row-from)*w:int(end-from)*w], data[k*w:k*w+w])
		if valid != nil {
			repeat(v.Valid[row-from:end-from], valid[k:k+1])
		}
		v.RunEnds = append(v.RunEnds, int32(end-from))
		row = end
	}
}

// repeat fills out with a value again and again.
func repeat(out, value []byte) {
	for n := copy(out, value); n > 0 && n < len(out); n *= 2 {
		copy(out[n:], out[:n])
	}
}

// NewVector makes the vector of a column of a batch of so many rows from the content
// of its buffers, which were checked, as a Reader does: values of whole bytes, validity
// bits or nil, and run ends or nil. Without nulls and runs Data is data itself.
func NewVector(column int, t stream.Type, rows int, data, validity []byte, ends []int64) Vector {
	w := t.Width()
	v := Vector{Column: column, Type: t, Width: w, Len: rows}
	n := rows
	if ends != nil {
		n = len(ends)
	}
	var valid []byte
	if validity != nil {
		valid = unpackBits(validity, 0, n)
	}
	if ends == nil {
		v.Data, v.Valid = data[:rows*w], valid
		return v
	}
	v.expand(w, 0, int64(rows), func(k int) int64 { return ends[k] }, data, valid)
	return v
}

// unpackBits gives one byte for each of n bits from bit first of p on.
func unpackBits(p []byte, first, n int) []byte {
	out := make([]byte, n)
	i := 0
	for ; i < n && (first+i)&7 != 0; i++ {
		out[i] = p[(first+i)>>3] >> ((first + i) & 7) & 1
	}
	for ; i+8 <= n; i += 8 {
		word := p[(first+i)>>3]
		switch word {
		case 0:
		case 0xFF:
			copy(out[i:], "\x01\x01\x01\x01\x01\x01\x01\x01")
		default:
			for word != 0 {
				k := bits.TrailingZeros8(word)
				out[i+k] = 1
				word &= word - 1
			}
		}
	}
	for ; i < n; i++ {
		out[i] = p[(first+i)>>3] >> ((first + i) & 7) & 1
	}
	return out
}
