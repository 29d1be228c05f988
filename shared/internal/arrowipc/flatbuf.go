package arrowipc

import (
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"unicode/utf8"
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
	// value is not aligned, a text lacks its closing zero or is not UTF-8, a list is
	// absent that they insist on.
	odd bool

	fields int // how many more fields may be read; tables may be shared, so depth alone does not bound the work

	lists     int        // of keys and values, so far
	keyValues []KeyValue // that nobody has yet

	from, to int64 // the bytes that were read lie in here
	most     int64 // the largest alignment of what was read
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
	b.from, b.to = min(b.from, pos), max(b.to, pos+n)
	return b.data[pos : pos+n]
}

// align notes what does not lie at a multiple of n.
func (b *buf) align(pos, n int64) {
	b.odd = b.odd || pos%n != 0
	b.most = max(b.most, n)
}

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

// A table is a flatbuffer table; position 0, which holds the root offset in every
// flatbuffer, is no table. Where its fields lie is looked up once.
type table struct {
	b      *buf
	pos    int64
	vtable int64
	size   int64 // of the vtable; -1: it lies outside
}

func (b *buf) root() table { return b.table(b.indirect(0)) }

// indirect returns the position that the offset at pos points at, or 0 after
// noting the failure.
func (b *buf) indirect(pos int64) int64 {
	offset := int64(uint32(b.i32(pos)))
	if b.err != nil {
		return 0
	}
	if offset == 0 || b.bytes(pos+offset, 4) == nil {
		b.fail()
		return 0
	}
	return pos + offset
}

// table returns the table at pos. That its vtable lies outside fails only where a
// field of it is asked for.
func (b *buf) table(pos int64) table {
	t := table{b: b, pos: pos}
	if pos == 0 || b.err != nil {
		return t
	}
	t.vtable = pos - int64(b.i32(pos))
	if t.vtable < 0 || t.vtable > int64(len(b.data))-2 {
		b.odd, t.size = true, -1
		return t
	}
	t.size = int64(b.u16(t.vtable))
	if end := t.vtable + t.size; t.size%2 != 0 || end > int64(len(b.data)) {
		b.odd = true
	} else {
		b.to = max(b.to, end)
	}
	return t
}

// slot returns the position of field i's value, or 0 if the field is absent.
func (t table) slot(i int) int64 {
	entry := int64(4 + 2*i)
	if entry+2 > t.size {
		if t.size < 0 {
			t.b.fail()
		}
		return 0
	}
	if t.vtable+entry+2 > int64(len(t.b.data)) {
		t.b.fail()
	}
	if t.b.err != nil {
		return 0
	}
	offset := int64(binary.LittleEndian.Uint16(t.b.data[t.vtable+entry:]))
	if offset == 0 {
		return 0
	}
	return t.pos + offset
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
		return table{b: t.b}, false
	}
	sub = t.b.table(t.b.indirect(pos))
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
	if vector == 0 {
		return 0, 0
	}
	count := int64(uint32(t.b.i32(vector)))
	first = vector + 4
	if t.b.bytes(first, count*elemSize) == nil {
		return 0, 0
	}
	return first, int(count)
}

func (t table) str(i int) string {
	first, n := t.vec(i, 1)
	if end := first + int64(n); first > 0 && (end >= int64(len(t.b.data)) || t.b.data[end] != 0) {
		t.b.odd = true
	} else {
		t.b.to = max(t.b.to, end+1)
	}
	if n == 0 {
		return ""
	}
	if t.b.text == "" {
		t.b.text = string(t.b.data)
	}
	s := t.b.text[first : first+int64(n)]
	if !utf8.ValidString(s) { // Schema.fbs: strings are UTF-8
		t.b.odd = true
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return s
}
