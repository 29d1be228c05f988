package arrowipc

import (
	"encoding/binary"

	flatbuffers "github.com/google/flatbuffers/go"
)

// AppendHeader appends the first 8 bytes of a file.
func AppendHeader(dst []byte) []byte { return append(dst, Magic+"\x00\x00"...) }

// AppendSchema appends a framed schema message. at is the offset in the file
// where dst ends; the message ends at a multiple of align, which is a multiple
// of 8.
func AppendSchema(dst []byte, at int64, align int, s *Schema) []byte {
	b := flatbuffers.NewBuilder(64 + 128*len(s.Fields))
	header := buildSchema(b, s)
	return frame(dst, at, align, finishMessage(b, V5, SchemaHeader, header, 0, nil))
}

// AppendRecordBatch appends the framed header of a record batch whose body of
// bodyLength bytes follows. The metadata version is V5.
func AppendRecordBatch(dst []byte, at int64, align int, r *RecordBatch, bodyLength int64, metadata []KeyValue) []byte {
	return AppendMessage(dst, at, align, &Message{Version: V5, Header: RecordBatchHeader, Batch: r, BodyLength: bodyLength, Metadata: metadata})
}

// AppendDictionaryBatch is AppendRecordBatch for the values of a dictionary;
// those of a delta follow what was there before.
func AppendDictionaryBatch(dst []byte, at int64, align int, id int64, delta bool, r *RecordBatch, bodyLength int64, metadata []KeyValue) []byte {
	return AppendMessage(dst, at, align, &Message{Version: V5, Header: DictionaryBatchHeader, DictionaryID: id, Delta: delta, Batch: r, BodyLength: bodyLength, Metadata: metadata})
}

// AppendMessage appends the framed metadata of a record or dictionary batch
// that was parsed, in its version.
func AppendMessage(dst []byte, at int64, align int, m *Message) []byte {
	b := flatbuffers.NewBuilder(256 + 16*(len(m.Batch.Nodes)+len(m.Batch.Buffers)))
	header := buildRecordBatch(b, m.Batch)
	if m.Header == DictionaryBatchHeader {
		data := header
		b.StartObject(3)
		b.PrependInt64Slot(0, m.DictionaryID, 0)
		b.PrependUOffsetTSlot(1, data, 0)
		b.PrependBoolSlot(2, m.Delta, false)
		header = b.EndObject()
	}
	return frame(dst, at, align, finishMessage(b, m.Version, m.Header, header, m.BodyLength, m.Metadata))
}

func buildRecordBatch(b *flatbuffers.Builder, r *RecordBatch) flatbuffers.UOffsetT {
	var variadic flatbuffers.UOffsetT
	if len(r.VariadicCounts) > 0 {
		b.StartVector(8, len(r.VariadicCounts), 8)
		for i := len(r.VariadicCounts) - 1; i >= 0; i-- {
			b.PrependInt64(r.VariadicCounts[i])
		}
		variadic = b.EndVector(len(r.VariadicCounts))
	}
	var compression flatbuffers.UOffsetT
	if r.Codec != Uncompressed {
		b.StartObject(2)
		b.PrependInt8Slot(0, int8(r.Codec), 0)
		compression = b.EndObject()
	}
	b.StartVector(16, len(r.Buffers), 8)
	for i := len(r.Buffers) - 1; i >= 0; i-- {
		b.PrependInt64(r.Buffers[i].Length)
		b.PrependInt64(r.Buffers[i].Offset)
	}
	buffers := b.EndVector(len(r.Buffers))
	b.StartVector(16, len(r.Nodes), 8)
	for i := len(r.Nodes) - 1; i >= 0; i-- {
		b.PrependInt64(r.Nodes[i].NullCount)
		b.PrependInt64(r.Nodes[i].Length)
	}
	nodes := b.EndVector(len(r.Nodes))
	b.StartObject(5)
	b.PrependInt64Slot(0, r.Length, 0)
	b.PrependUOffsetTSlot(1, nodes, 0)
	b.PrependUOffsetTSlot(2, buffers, 0)
	b.PrependUOffsetTSlot(3, compression, 0)
	b.PrependUOffsetTSlot(4, variadic, 0)
	return b.EndObject()
}

// AppendEnd appends the end-of-stream mark, 8 bytes.
func AppendEnd(dst []byte) []byte { return append(dst, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0) }

// AppendFooter appends the footer, its length and the closing magic; the
// end-of-stream mark is before it.
func AppendFooter(dst []byte, f *Footer) []byte {
	b := flatbuffers.NewBuilder(256 + 128*len(f.Schema.Fields) + 24*len(f.Batches))
	metadata := buildKeyValues(b, f.Metadata)
	batches := buildBlocks(b, f.Batches)
	dictionaries := buildBlocks(b, f.Dictionaries)
	s := buildSchema(b, &f.Schema)
	b.StartObject(5)
	b.PrependInt16Slot(0, f.Version, 0)
	b.PrependUOffsetTSlot(1, s, 0)
	b.PrependUOffsetTSlot(2, dictionaries, 0)
	b.PrependUOffsetTSlot(3, batches, 0)
	b.PrependUOffsetTSlot(4, metadata, 0)
	b.Finish(b.EndObject())
	footer := b.FinishedBytes()
	dst = append(dst, footer...)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(footer)))
	return append(dst, Magic...)
}

// frame puts the prefix before metadata and pads them with zeros.
func frame(dst []byte, at int64, align int, metadata []byte) []byte {
	length := int64(len(metadata))
	if over := (at + 8 + length) % int64(align); over != 0 {
		length += int64(align) - over
	}
	dst = append(dst, 0xFF, 0xFF, 0xFF, 0xFF)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(length))
	dst = append(dst, metadata...)
	return append(dst, make([]byte, length-int64(len(metadata)))...)
}

func finishMessage(b *flatbuffers.Builder, version int16, kind HeaderType, header flatbuffers.UOffsetT, bodyLength int64, kv []KeyValue) []byte {
	metadata := buildKeyValues(b, kv)
	b.StartObject(5)
	b.PrependInt16Slot(0, version, 0)
	b.PrependByteSlot(1, byte(kind), 0)
	b.PrependUOffsetTSlot(2, header, 0)
	b.PrependInt64Slot(3, bodyLength, 0)
	b.PrependUOffsetTSlot(4, metadata, 0)
	b.Finish(b.EndObject())
	return b.FinishedBytes()
}

func buildSchema(b *flatbuffers.Builder, s *Schema) flatbuffers.UOffsetT {
	var features flatbuffers.UOffsetT
	if len(s.Features) > 0 {
		b.StartVector(8, len(s.Features), 8)
		for i := len(s.Features) - 1; i >= 0; i-- {
			b.PrependInt64(s.Features[i])
		}
		features = b.EndVector(len(s.Features))
	}
	metadata := buildKeyValues(b, s.Metadata)
	list := buildFields(b, s.Fields)
	b.StartObject(4)
	if s.BigEndian {
		b.PrependInt16Slot(0, 1, 0)
	}
	b.PrependUOffsetTSlot(1, list, 0)
	b.PrependUOffsetTSlot(2, metadata, 0)
	b.PrependUOffsetTSlot(3, features, 0)
	return b.EndObject()
}

func buildFields(b *flatbuffers.Builder, fields []Field) flatbuffers.UOffsetT {
	offsets := make([]flatbuffers.UOffsetT, len(fields))
	for i := range fields {
		offsets[i] = buildField(b, &fields[i])
	}
	return buildVector(b, offsets)
}

func buildField(b *flatbuffers.Builder, f *Field) flatbuffers.UOffsetT {
	metadata := buildKeyValues(b, f.Metadata)
	// C++ readers want a children vector even where there is none to list.
	children := buildFields(b, f.Children)
	var dictionary flatbuffers.UOffsetT
	if f.Dictionary != nil {
		index := buildType(b, f.Dictionary.Index)
		b.StartObject(4)
		b.PrependInt64Slot(0, f.Dictionary.ID, 0)
		b.PrependUOffsetTSlot(1, index, 0)
		b.PrependBoolSlot(2, f.Dictionary.Ordered, false)
		dictionary = b.EndObject()
	}
	typ := buildType(b, f.Type)
	name := b.CreateString(f.Name)
	b.StartObject(7)
	b.PrependUOffsetTSlot(0, name, 0)
	b.PrependBoolSlot(1, f.Nullable, false)
	b.PrependByteSlot(2, byte(f.Type.ID), 0)
	b.PrependUOffsetTSlot(3, typ, 0)
	b.PrependUOffsetTSlot(4, dictionary, 0)
	b.PrependUOffsetTSlot(5, children, 0)
	b.PrependUOffsetTSlot(6, metadata, 0)
	return b.EndObject()
}

// buildType writes the table of a type; the defaults are those of Schema.fbs.
func buildType(b *flatbuffers.Builder, t DataType) flatbuffers.UOffsetT {
	var timezone, typeIDs flatbuffers.UOffsetT
	if t.Timezone != "" {
		timezone = b.CreateString(t.Timezone)
	}
	if t.TypeIDs != nil {
		b.StartVector(4, len(t.TypeIDs), 4)
		for i := len(t.TypeIDs) - 1; i >= 0; i-- {
			b.PrependInt32(t.TypeIDs[i])
		}
		typeIDs = b.EndVector(len(t.TypeIDs))
	}
	b.StartObject(3)
	switch t.ID {
	case Int:
		b.PrependInt32Slot(0, t.BitWidth, 0)
		b.PrependBoolSlot(1, t.Signed, false)
	case FloatingPoint, Interval:
		b.PrependInt16Slot(0, t.Unit, 0)
	case Decimal:
		b.PrependInt32Slot(0, t.Precision, 0)
		b.PrependInt32Slot(1, t.Scale, 0)
		b.PrependInt32Slot(2, t.BitWidth, 128)
	case Date, Duration:
		b.PrependInt16Slot(0, t.Unit, 1)
	case Time:
		b.PrependInt16Slot(0, t.Unit, 1)
		b.PrependInt32Slot(1, t.BitWidth, 32)
	case Timestamp:
		b.PrependInt16Slot(0, t.Unit, 0)
		b.PrependUOffsetTSlot(1, timezone, 0)
	case FixedSizeBinary, FixedSizeList:
		b.PrependInt32Slot(0, t.Size, 0)
	case Map:
		b.PrependBoolSlot(0, t.Sorted, false)
	case Union:
		if t.Dense {
			b.PrependInt16Slot(0, 1, 0)
		}
		b.PrependUOffsetTSlot(1, typeIDs, 0)
	}
	return b.EndObject()
}

func buildKeyValues(b *flatbuffers.Builder, kv []KeyValue) flatbuffers.UOffsetT {
	if len(kv) == 0 {
		return 0
	}
	offsets := make([]flatbuffers.UOffsetT, len(kv))
	for i, e := range kv {
		key, value := b.CreateString(e.Key), b.CreateString(e.Value)
		b.StartObject(2)
		b.PrependUOffsetTSlot(0, key, 0)
		b.PrependUOffsetTSlot(1, value, 0)
		offsets[i] = b.EndObject()
	}
	return buildVector(b, offsets)
}

func buildVector(b *flatbuffers.Builder, offsets []flatbuffers.UOffsetT) flatbuffers.UOffsetT {
	b.StartVector(4, len(offsets), 4)
	for i := len(offsets) - 1; i >= 0; i-- {
		b.PrependUOffsetT(offsets[i])
	}
	return b.EndVector(len(offsets))
}

func buildBlocks(b *flatbuffers.Builder, blocks []Block) flatbuffers.UOffsetT {
	b.StartVector(24, len(blocks), 8)
	for i := len(blocks) - 1; i >= 0; i-- {
		b.Prep(8, 24)
		b.PrependInt64(blocks[i].BodyLength)
		b.Pad(4)
		b.PrependInt32(blocks[i].MetaLength)
		b.PrependInt64(blocks[i].Offset)
	}
	return b.EndVector(len(blocks))
}
