package arrowipc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"
)

// Framing constants. Source: Arrow columnar format, "Encapsulated message
// format" and "IPC File Format".
const (
	Magic        = "ARROW1"
	HeaderLength = 8 // magic and two bytes of padding; the first message follows
	// TrailerLength is the footer's length (int32) and the magic at the end.
	TrailerLength = 4 + len(Magic)
	continuation  = 0xFFFFFFFF

	maxPadding = 64 // more than what may follow the last buffer of a body

	maxDepth = 64 // of nested fields; Arrow's own C++ reader stops there too
)

// Metadata versions as stored. Arrow Java before 1.0 states none in its footers;
// then those of the messages count.
const (
	NoVersion = 0
	V4        = 3
	V5        = 4
)

// A HeaderType is the discriminant of the union MessageHeader in Message.fbs.
type HeaderType uint8

// The message kinds in the order of Message.fbs.
const (
	NoHeader HeaderType = iota
	SchemaHeader
	DictionaryBatchHeader
	RecordBatchHeader
)

// A Codec is how the buffers of a body are compressed.
type Codec int8

// The codecs; the numbers are those of Message.fbs, uncompressed is ours.
const (
	Uncompressed Codec = -1
	LZ4Frame     Codec = 0
	Zstd         Codec = 1
)

// A FieldNode counts the rows and nulls of one field in one batch.
type FieldNode struct{ Length, NullCount int64 }

// UnknownNulls is the null count of a writer that has not counted: arrow-js
// does so with parts of columns. Their validity bits say how many there are.
const UnknownNulls = -1

// A Buffer is a span of the body.
type Buffer struct{ Offset, Length int64 }

// A RecordBatch is the header of a batch: nodes and buffers of all fields,
// depth first.
type RecordBatch struct {
	Length         int64
	Nodes          []FieldNode
	Buffers        []Buffer
	Codec          Codec
	VariadicCounts []int64

	// Displaced are the empty buffers whose offset lies outside the body, by
	// index; nothing depends on it, and Offset is 0 instead. BuffersAt is the
	// byte of the metadata at which the list of buffers begins: 16 bytes each,
	// the offset first.
	Displaced []int
	BuffersAt int64
}

// A Message is the metadata of one message. Exactly the part that Header
// names is set; a DictionaryBatch sets Batch, DictionaryID and Delta.
type Message struct {
	Version      int16
	Header       HeaderType
	BodyLength   int64
	Schema       *Schema
	Batch        *RecordBatch
	DictionaryID int64
	Delta        bool
	Metadata     []KeyValue

	// Odd says that what the metadata say can be read, but that readers which
	// verify a flatbuffer first, those of C++ and Python among them, refuse it.
	Odd bool

	written written // Schema; parts of the bytes that were parsed
}

// A Block points at a batch from the footer. MetaLength includes the prefix. It is laid
// out as in a footer (File.fbs), so that long lists need not be copied.
type Block struct {
	Offset     int64
	MetaLength int32
	BodyLength int64
}

// A Footer is the index at the end of a file.
type Footer struct {
	Version      int16
	Schema       Schema
	Dictionaries []Block
	Batches      []Block
	Metadata     []KeyValue
	Odd          bool // as of a Message
}

// Errors of parsing; all mean that the bytes are not what they claim to be.
var (
	ErrPrefix  = errors.New("arrowipc: no message begins here")
	ErrMessage = errors.New("arrowipc: message metadata are not valid")
	ErrFooter  = errors.New("arrowipc: footer is not valid")
)

// ParsePrefix reads what is before a message's metadata: since Arrow 0.15
// the marker FFFFFFFF and an int32 length, before that the length alone.
//
// p holds at least 8 bytes, or 4 at the end of a legacy file. prefixLength is 8
// or 4. metaLength 0 is the end-of-stream mark. It returns ErrPrefix if the
// length is negative.
func ParsePrefix(p []byte) (prefixLength int, metaLength int32, err error) {
	if len(p) < 4 {
		return 0, 0, ErrPrefix
	}
	prefixLength = 4
	word := binary.LittleEndian.Uint32(p)
	if word == continuation {
		if len(p) < 8 {
			return 0, 0, ErrPrefix
		}
		prefixLength, word = 8, binary.LittleEndian.Uint32(p[4:])
	}
	if metaLength = int32(word); metaLength < 0 {
		return 0, 0, ErrPrefix
	}
	return prefixLength, metaLength, nil
}

// ParseMessage reads a message's metadata, the bytes after its prefix. Strings
// and slices of the result do not refer to p; of a schema ParseFooter looks at p
// again.
//
// It checks that the metadata are well formed, that the body's length is not
// negative, and that every buffer lies inside the body; not that nodes and
// buffers fit a schema (see Columns). It returns an error that wraps
// ErrMessage.
func ParseMessage(p []byte) (*Message, error) {
	b := newBuf(p)
	root := b.root()
	m := &Message{Version: root.i16(0, 0), Header: HeaderType(root.u8(1, 0)), BodyLength: root.i64(3, 0), Metadata: keyValues(root, 4)}
	header, ok := root.sub(2)
	if b.err == nil && !ok {
		return nil, fmt.Errorf("%w: no header", ErrMessage)
	}
	switch m.Header {
	case SchemaHeader:
		m.Schema, m.written = watchedSchema(header)
	case RecordBatchHeader:
		m.Batch = recordBatch(header)
	case DictionaryBatchHeader:
		m.DictionaryID, m.Delta = header.i64(0, 0), header.u8(2, 0) != 0
		data, ok := header.sub(1)
		if b.err == nil && !ok {
			return nil, fmt.Errorf("%w: dictionary without data", ErrMessage)
		}
		m.Batch = recordBatch(data)
	}
	switch {
	case b.err != nil:
		return nil, fmt.Errorf("%w: %w", ErrMessage, b.err)
	case m.Version < V4 || m.Version > V5:
		return nil, fmt.Errorf("%w: metadata version %d, known are V4 and V5", ErrMessage, m.Version+1)
	case m.Header < SchemaHeader || m.Header > RecordBatchHeader:
		return nil, fmt.Errorf("%w: message of kind %d", ErrMessage, m.Header)
	case m.BodyLength < 0:
		return nil, fmt.Errorf("%w: body of %d bytes", ErrMessage, m.BodyLength)
	}
	if m.Batch != nil {
		if err := m.Batch.check(m.BodyLength); err != nil {
			return nil, err
		}
	}
	if m.Odd = b.odd; m.Odd {
		m.written = written{}
	}
	return m, nil
}

// PeekRows reads the number of rows and of bytes of the body from the beginning
// of a record batch's message, prefix included; metaLength is what the whole
// of prefix and metadata should have. ok is false if no such message begins
// here, or if p does not reach far enough. Nothing else of it is checked.
func PeekRows(p []byte, metaLength int64) (rows, bodyLength int64, ok bool) {
	prefix, length, err := ParsePrefix(p)
	if err != nil || int64(prefix)+int64(length) != metaLength {
		return 0, 0, false
	}
	b := newBuf(p[prefix:])
	root := b.root()
	version, kind := root.i16(0, 0), HeaderType(root.u8(1, 0))
	header, ok := root.sub(2)
	rows, bodyLength = header.i64(0, 0), root.i64(3, 0)
	ok = ok && b.err == nil && version >= V4 && version <= V5 && kind == RecordBatchHeader && rows >= 0 && bodyLength >= 0
	return rows, bodyLength, ok
}

func (r *RecordBatch) check(bodyLength int64) error {
	if r.Length < 0 {
		return fmt.Errorf("%w: %d rows", ErrMessage, r.Length)
	}
	if r.Codec < Uncompressed || r.Codec > Zstd {
		return fmt.Errorf("%w: unknown compression %d", ErrMessage, r.Codec)
	}
	for i, n := range r.Nodes {
		if n.Length < 0 || n.NullCount < UnknownNulls || n.NullCount > n.Length {
			return fmt.Errorf("%w: field node %d has %d rows and %d nulls", ErrMessage, i, n.Length, n.NullCount)
		}
	}
	var end int64 // of the buffers so far
	for i, s := range r.Buffers {
		if s.Length == 0 {
			if s.Offset < 0 || s.Offset > bodyLength {
				r.Displaced, r.Buffers[i].Offset = append(r.Displaced, i), 0
			}
			continue
		}
		// Arrow columnar format, "Buffer Alignment and Padding": a changed bit
		// of an offset would show the values of other rows.
		if s.Offset%8 != 0 {
			return fmt.Errorf("%w: buffer %d begins at %d of the body, not at a multiple of 8", ErrMessage, i, s.Offset)
		}
		if s.Offset < 0 || s.Length < 0 || s.Offset > bodyLength-s.Length {
			return fmt.Errorf("%w: buffer %d (%d bytes at %d) lies outside the body of %d bytes", ErrMessage, i, s.Length, s.Offset, bodyLength)
		}
		// Writers lay buffers one after the other (Arrow columnar format,
		// "RecordBatch message"). One changed bit of an offset would show
		// another column's values, whose checksum is right.
		if s.Offset < end {
			return fmt.Errorf("%w: buffer %d begins at %d, inside the one before it", ErrMessage, i, s.Offset)
		}
		end = s.Offset + s.Length
	}
	// Zeros over a header leave a batch of no rows or no columns, before a
	// body that nothing speaks of.
	if (r.Length == 0 || len(r.Buffers) == 0) && bodyLength-end >= maxPadding {
		return fmt.Errorf("%w: no values, but a body of %d bytes that belong to no buffer", ErrMessage, bodyLength-end)
	}
	return nil
}

// DataEnd returns where the last buffer ends, in bytes from the body's start.
// What follows is padding: a batch that lacks only that is whole.
func (r *RecordBatch) DataEnd() int64 {
	var end int64
	for _, s := range r.Buffers {
		if s.Length > 0 {
			end = max(end, s.Offset+s.Length)
		}
	}
	return end
}

// ParseFooter reads the flatbuffer of a footer. It returns an error that wraps
// ErrFooter. Blocks are checked for sign only; the caller knows the file. Lists of
// thousands of blocks are parts of p, to which then nobody writes.
//
// front is the schema message of the file, or nil. Where the footer has its
// schema written in the same bytes, as nearly every writer leaves it, the two share
// one, and the second is not parsed.
func ParseFooter(p []byte, front *Message) (*Footer, error) {
	b := newBuf(p)
	root := b.root()
	f := &Footer{Version: root.i16(0, 0), Dictionaries: blocks(root, 2), Batches: blocks(root, 3), Metadata: keyValues(root, 4)}
	s, ok := root.sub(1)
	if b.err == nil && !ok {
		return nil, fmt.Errorf("%w: no schema", ErrFooter)
	}
	if front != nil && front.written.same(s) {
		f.Schema = *front.Schema
	} else {
		f.Schema = *schema(s)
	}
	f.Odd = b.odd
	if b.err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFooter, b.err)
	}
	if (f.Version < V4 || f.Version > V5) && f.Version != NoVersion {
		return nil, fmt.Errorf("%w: metadata version %d, known are V4 and V5", ErrFooter, f.Version+1)
	}
	for _, list := range [][]Block{f.Dictionaries, f.Batches} {
		for i, block := range list {
			if block.Offset < 0 || block.MetaLength < 0 || block.BodyLength < 0 {
				return nil, fmt.Errorf("%w: block %d is at %d with lengths %d and %d", ErrFooter, i, block.Offset, block.MetaLength, block.BodyLength)
			}
		}
	}
	return f, nil
}

// manyBlocks is from how many on blocks are not copied.
const manyBlocks = 4096

// blocks returns a list of blocks. Long ones are parts of the flatbuffer, which has
// them as they are in memory, but for 32-bit machines that align an int64 to 4 bytes: 7 MB
// of batches of a row each are there once.
func blocks(t table, slot int) []Block {
	first, n := t.vec(slot, 24)
	if n >= manyBlocks && unsafe.Sizeof(Block{}) == 24 && uintptr(unsafe.Pointer(&t.b.data[first]))%8 == 0 && first%8 == 0 {
		return unsafe.Slice((*Block)(unsafe.Pointer(&t.b.data[first])), n)
	}
	list := make([]Block, n)
	for i := range list {
		pos := first + int64(i)*24
		list[i] = Block{Offset: t.b.i64(pos), MetaLength: t.b.i32(pos + 8), BodyLength: t.b.i64(pos + 16)}
	}
	return list
}

func recordBatch(t table) *RecordBatch {
	r := &RecordBatch{Length: t.i64(0, 0), Codec: Uncompressed}
	first, n := t.vec(1, 16)
	r.Nodes = make([]FieldNode, n)
	// vec has made sure that the elements are there.
	p := t.b.bytes(first, int64(n)*16)
	for i := range r.Nodes {
		node := p[16*i : 16*i+16]
		r.Nodes[i] = FieldNode{int64(binary.LittleEndian.Uint64(node)), int64(binary.LittleEndian.Uint64(node[8:]))}
	}
	first, n = t.vec(2, 16)
	r.Buffers, r.BuffersAt = make([]Buffer, n), first
	p = t.b.bytes(first, int64(n)*16)
	for i := range r.Buffers {
		buffer := p[16*i : 16*i+16]
		r.Buffers[i] = Buffer{int64(binary.LittleEndian.Uint64(buffer)), int64(binary.LittleEndian.Uint64(buffer[8:]))}
	}
	if c, ok := t.sub(3); ok {
		r.Codec = Codec(c.u8(0, 0))
		if r.Codec < LZ4Frame || c.u8(1, 0) != 0 { // method 0: each buffer by itself, the only one defined
			r.Codec = 127
		}
	}
	first, n = t.vec(4, 8)
	for i := range n {
		r.VariadicCounts = append(r.VariadicCounts, t.b.i64(first+int64(i)*8))
	}
	return r
}
