package arrowipc

import (
	"encoding/binary"
	"errors"
	"math"
)

// errFlatbuffer is the one reason why a flatbuffer cannot be read: something
// in it points outside it.
var errFlatbuffer = errors.New("metadata point outside themselves")

// A buf is a finished flatbuffer. Every accessor checks its bounds; the first
// violation is kept in err and all later answers are zero, so that callers
// check once, at the end.
//
// text is a copy of data: strings handed out are parts of it, so that many
// tables that point at one string cost nothing.
type buf struct {
	data []byte
	text string
	err  error

	// odd says that readers which verify a flatbuffer before they use it, as
	// those of C++ do, refuse this one, though what it says can be read: a
	// value is not aligned, a text lacks its closing zero, a list is absent
	// that they insist on.
	odd bool

	fields int // how many more fields may be read; tables may be shared, so depth alone does not bound the work
}

func newBuf(data []byte) *buf {
	b := &buf{data: data, fields: len(data) / 8}
	if len(data) > math.MaxInt32 {
		b.fail()
	}
	return b
}

func (b *buf) fail() {
	if b.err == nil {
		b.err = errFlatbuffer
	}
}

// bytes returns n bytes at pos, or nil after noting the failure.
func (b *buf) bytes(pos, n int64) []byte {
	if pos < 0 || n < 0 || pos > int64(len(b.data))-n {
		b.fail()
		return nil
	}
	return b.data[pos : pos+n]
}

// align notes what does not lie at a multiple of n.
func (b *buf) align(pos, n int64) { b.odd = b.odd || pos%n != 0 }

func (b *buf) u16(pos int64) uint16 {
	b.align(pos, 2)
	if p := b.bytes(pos, 2); p != nil {
		return binary.LittleEndian.Uint16(p)
	}
	return 0
}

func (b *buf) i32(pos int64) int32 {
	b.align(pos, 4)
	if p := b.bytes(pos, 4); p != nil {
		return int32(binary.LittleEndian.Uint32(p))
	}
	return 0
}

func (b *buf) i64(pos int64) int64 {
	b.align(pos, 8)
	if p := b.bytes(pos, 8); p != nil {
		return int64(binary.LittleEndian.Uint64(p))
	}
	return 0
}

// A table is the position of a flatbuffer table; 0 is no table (position 0
// holds the root offset in every flatbuffer).
type table struct {
	b   *buf
	pos int64
}

func (b *buf) root() table { return b.indirect(0) }

func (b *buf) indirect(pos int64) table {
	offset := int64(uint32(b.i32(pos)))
	if b.err != nil {
		return table{b, 0}
	}
	t := table{b, pos + offset}
	if offset == 0 || b.bytes(t.pos, 4) == nil {
		b.fail()
		t.pos = 0
	}
	return t
}

// slot returns the position of field i's value, or 0 if the field is absent.
func (t table) slot(i int) int64 {
	if t.pos == 0 || t.b.err != nil {
		return 0
	}
	vtable := t.pos - int64(t.b.i32(t.pos))
	size := int64(t.b.u16(vtable))
	if t.b.err == nil && (size%2 != 0 || vtable > int64(len(t.b.data))-size) {
		t.b.odd = true
	}
	entry := int64(4 + 2*i)
	if t.b.err != nil || entry+2 > size {
		return 0
	}
	offset := int64(t.b.u16(vtable + entry))
	if offset == 0 {
		return 0
	}
	return t.pos + offset
}

// look notes what is wrong with a table of which nothing is read.
func (t table) look() {
	if t.pos == 0 || t.b.err != nil {
		return
	}
	vtable := t.pos - int64(t.b.i32(t.pos))
	if vtable < 0 || vtable > int64(len(t.b.data))-4 {
		t.b.odd = true
		return
	}
	if size := int64(t.b.u16(vtable)); size%2 != 0 || vtable > int64(len(t.b.data))-size {
		t.b.odd = true
	}
}

// insist notes that field i is absent, which readers refuse though it has a
// default.
func (t table) insist(i int) { t.b.odd = t.b.odd || t.slot(i) == 0 }

func (t table) u8(i int, absent uint8) uint8 {
	pos := t.slot(i)
	if pos == 0 {
		return absent
	}
	if p := t.b.bytes(pos, 1); p != nil {
		return p[0]
	}
	return absent
}

func (t table) i16(i int, absent int16) int16 {
	if pos := t.slot(i); pos != 0 {
		return int16(t.b.u16(pos))
	}
	return absent
}

func (t table) i32(i int, absent int32) int32 {
	if pos := t.slot(i); pos != 0 {
		return t.b.i32(pos)
	}
	return absent
}

func (t table) i64(i int, absent int64) int64 {
	if pos := t.slot(i); pos != 0 {
		return t.b.i64(pos)
	}
	return absent
}

// sub returns the table that field i points at; ok is false if it is absent.
func (t table) sub(i int) (sub table, ok bool) {
	pos := t.slot(i)
	if pos == 0 {
		return table{t.b, 0}, false
	}
	sub = t.b.indirect(pos)
	return sub, sub.pos != 0
}

// vec returns the position of the first element and the number of elements of
// the vector in field i, whose elements of elemSize bytes lie inside data.
func (t table) vec(i int, elemSize int64) (first int64, n int) {
	pos := t.slot(i)
	if pos == 0 {
		return 0, 0
	}
	vector := t.b.indirect(pos)
	if vector.pos == 0 {
		return 0, 0
	}
	count := int64(uint32(t.b.i32(vector.pos)))
	first = vector.pos + 4
	if t.b.bytes(first, count*elemSize) == nil {
		return 0, 0
	}
	return first, int(count)
}

func (t table) str(i int) string {
	first, n := t.vec(i, 1)
	if end := first + int64(n); first > 0 && (end >= int64(len(t.b.data)) || t.b.data[end] != 0) {
		t.b.odd = true
	}
	if n == 0 {
		return ""
	}
	if t.b.text == "" {
		t.b.text = string(t.b.data)
	}
	return t.b.text[first : first+int64(n)]
}
