package body

import (
	"encoding/binary"
	"math"

	"github.com/oniscope/oniscope/shared/internal/array"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/messages"
)

// How a column that is too large for memory is checked: its values are needed once, one
// after the other, so they are read, or decoded, and looked at in pieces. Its validity
// bits are kept as a whole.

// WholeBytes is how large the values of a column may be to be checked at once, PieceBytes
// how large the pieces of larger ones are, of a multiple of 8 rows. Changed by
// tests.
var WholeBytes, PieceBytes int64 = 32 << 20, 2 << 20

// IsLarge reports whether a column of so many rows of so many bits is.
func IsLarge(rows int64, bits int) bool { return (rows*int64(bits)+7)/8 > WholeBytes }

// InPieces has large columns checked in pieces. A checker that is not asked to needs
// none of the code.
func (c *Checker) InPieces() { c.inPieces = (*batchCheck).inPieces }

// pieceRows is how many rows of so many bits a piece has.
func pieceRows(bits int) int64 { return max(8, PieceBytes*8/int64(bits)&^7) }

// inPieces checks the values of a column of fixed width, whose validity was checked.
func (b *batchCheck) inPieces(f *arrowipc.Field, bits int, node arrowipc.FieldNode) error {
	in, err := b.stored(b.buffer, (node.Length*int64(bits)+7)/8)
	if err != nil {
		return err
	}
	defer in.close()
	b.buffer++
	zeros := zeroScan{part: zeroPart{column: b.column, bits: bits, valid: b.bits, start: in.at, end: in.at + in.need}}
	b.scanned = 0
	for row, step := int64(0), pieceRows(bits); row < node.Length; row += step {
		rows := min(step, node.Length-row)
		off := row * int64(bits) / 8
		data, err := in.read(off, (rows*int64(bits)+7)/8)
		if err != nil {
			return err
		}
		part := func(bits []byte) []byte {
			if len(bits) == 0 {
				return nil
			}
			return bits[row/8 : (row+rows+7)/8]
		}
		if b.plain() {
			zeros.feed(b, data, in.at+off)
		}
		b.zeroRows(row, rows, data, bits, nil)
		array.ImproperFlat(f, data, part(b.bits), b.count)
		if b.c.Look != nil {
			b.c.Look(b.m, b.column, node, data, part(b.valid), nil)
		}
		if b.clock != nil {
			b.clock.tickEnds(row, rows, node.Length, data, b.bits)
		}
	}
	b.keepZeroRows()
	if b.plain() {
		zeros.end(b)
	}
	return in.end()
}

// A storedValues reads the values of a column, in pieces that go forward.
type storedValues struct {
	b    *batchCheck
	at   int64 // where the buffer begins in the file
	need int64 // bytes of values
	flow *Flow // nil: it is not compressed
	buf  []byte
}

// stored prepares to read the values in a buffer, which need so many bytes.
func (b *batchCheck) stored(buffer int, need int64) (*storedValues, error) {
	s := b.m.Batch.Buffers[buffer]
	v := &storedValues{b: b, at: b.m.BodyAt() + s.Offset, need: need}
	if b.out != nil && s.Length > 0 {
		if err := b.padding(b.endBefore(buffer), s.Offset); err != nil {
			return nil, err
		}
	}
	if b.m.Batch.Codec == arrowipc.Uncompressed {
		if s.Length < need {
			return nil, &NotIntactError{Err: TooShort(s.Length, need)}
		}
		return v, nil
	}
	if s.Length < 8 {
		return nil, notIntact("a compressed buffer of %d bytes", s.Length)
	}
	var length [8]byte
	if err := b.c.Fill(length[:], v.at); err != nil {
		return nil, err
	}
	if b.out != nil && binary.LittleEndian.Uint64(length[:]) == math.MaxUint64 {
		if b.out.Stored == 0 {
			b.out.StoredAt = v.at
		}
		b.out.Stored++
	}
	v.flow = &Flow{Codec: b.m.Batch.Codec, File: b.c.File, At: v.at, Length: s.Length, Need: need, Work: func(n int) error { return b.c.worked(int64(n)) }}
	return v, nil
}

// read returns n bytes from off on, valid until the next call.
func (v *storedValues) read(off, n int64) ([]byte, error) {
	if v.flow == nil {
		return v.b.c.view(n, v.at+off, &v.buf)
	}
	v.buf = Grown(v.buf, n)
	return v.buf, v.judge(v.flow.Fill(v.buf, off))
}

// end makes sure that the frame ends where it should, as it should.
func (v *storedValues) end() error {
	if v.flow == nil {
		return nil
	}
	return v.judge(v.flow.End())
}

func (v *storedValues) judge(err error) error {
	if err == nil {
		return nil
	}
	if failed := Undecided(err); failed != nil {
		return failed
	}
	return notIntact("%w", err)
}

func (v *storedValues) close() {
	if v.flow != nil {
		v.flow.Close()
	}
}

// Ticks gives the ticks of the columns of a clock, and of another that is shown beside it
// (-1: none), of a batch that was checked and is too large to have them all in memory: a
// piece at a time, with a byte for each row, 0 where the first has none, nil where all
// have. hub is nil where the other does not have one for every row.
func (c *Checker) Ticks(s *arrowipc.Schema, m *messages.Message, clock, hub int, each func(row int64, ticks, hub []uint64, valid []byte) error) error {
	spans, err := arrowipc.Columns(s, m.Version, m.Batch, nil)
	if err != nil {
		return err
	}
	b := &batchCheck{c: c, m: m}
	b.buffer = spans[clock].Buffer
	if err := b.validity(m.Batch.Nodes[spans[clock].Node]); err != nil {
		return err
	}
	rows := m.Batch.Length
	valid := b.bits
	first, err := b.stored(spans[clock].BufferEnd-1, 8*rows)
	if err != nil {
		return err
	}
	defer first.close()
	var second *storedValues
	if hub >= 0 && m.Batch.Nodes[spans[hub].Node].NullCount == 0 {
		if second, err = b.stored(spans[hub].BufferEnd-1, 8*rows); err != nil {
			return err
		}
		defer second.close()
	}
	var ticks, other []uint64
	var has []byte
	for row, step := int64(0), pieceRows(64); row < rows; row += step {
		n := min(step, rows-row)
		p, err := first.read(8*row, 8*n)
		if err != nil {
			return err
		}
		ticks = AppendTicks(ticks[:0], p)
		if second != nil {
			if p, err = second.read(8*row, 8*n); err != nil {
				return err
			}
			other = AppendTicks(other[:0], p)
		}
		if valid != nil {
			has = has[:0]
			for i := row; i < row+n; i++ {
				has = append(has, valid[i/8]>>(i%8)&1)
			}
		}
		if err := each(row, ticks, other, has); err != nil {
			return err
		}
	}
	return nil
}

// tickEnds takes the first and the last tick of a column that is looked at in pieces; bits
// is its validity.
func (c *Checked) tickEnds(row, rows, all int64, data, bits []byte) {
	at := func(i int64) uint64 { return binary.LittleEndian.Uint64(data[8*(i-row):]) }
	has := func(i int64) bool { return bits == nil || bits[i/8]>>(i%8)&1 == 1 }
	c.ClockInPieces = true
	switch {
	case !has(0) || !has(all-1):
		return
	case row == 0:
		c.Clock.First = at(0)
	}
	if row+rows == all {
		c.Clock.Last = at(all - 1)
		c.Clock.OK = all == 1 || c.Clock.Last > c.Clock.First // else they cannot both be right
	}
}
