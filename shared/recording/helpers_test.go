package recording

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/stream"
)

func smallStream() *stream.Stream {
	return &stream.Stream{Name: "small", AcqClockHz: 1000, Columns: []stream.Column{
		{Name: "A0", Type: stream.Uint16}, {Name: "A1", Type: stream.Int16, Nullable: true}, {Name: "L", Type: stream.Uint16, RunEnd: true}, {Name: "B", Type: stream.Bool}, {Name: "Clock", Type: stream.Uint64},
	}}
}

// rebuilt writes the header of one batch again, of the same length.
func rebuilt(t testing.TB, file []byte, batch int, change func(m *arrowipc.Message)) []byte {
	t.Helper()
	b := footerOf(t, file).Batches[batch]
	m := messageAt(t, file, b)
	change(m)
	header := arrowipc.AppendRecordBatch(nil, b.Offset, 64, m.Batch, m.BodyLength, nil)
	if len(header) > int(b.MetaLength) {
		t.Fatalf("the header grows from %d to %d bytes", b.MetaLength, len(header))
	}
	out := bytes.Clone(file)
	clear(out[b.Offset : b.Offset+int64(b.MetaLength)])
	copy(out[b.Offset:], header)
	binary.LittleEndian.PutUint32(out[b.Offset+4:], uint32(b.MetaLength-8))
	return out
}

// withoutFooter cuts a file behind its last batch.
func withoutFooter(t testing.TB, file []byte) []byte {
	last := footerOf(t, file).Batches
	b := last[len(last)-1]
	return bytes.Clone(file[:b.Offset+int64(b.MetaLength)+b.BodyLength])
}
