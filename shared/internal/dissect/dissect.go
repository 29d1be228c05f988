// Package dissect takes files apart for tests of the format packages: footers,
// headers, places of batches; and puts them together with a part changed.
package dissect

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/messages"
)

// Footer parses the footer of a file.
func Footer(t testing.TB, file []byte) *arrowipc.Footer {
	t.Helper()
	n := int(binary.LittleEndian.Uint32(file[len(file)-arrowipc.TrailerLength:]))
	footer, err := arrowipc.ParseFooter(file[len(file)-arrowipc.TrailerLength-n:len(file)-arrowipc.TrailerLength], nil)
	if err != nil {
		t.Fatal(err)
	}
	return footer
}

// Message parses the header of a batch.
func Message(t testing.TB, file []byte, block arrowipc.Block) *arrowipc.Message {
	t.Helper()
	m, err := arrowipc.ParseMessage(file[block.Offset+8 : block.Offset+int64(block.MetaLength)])
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Block returns block i of the footer.
func Block(t testing.TB, file []byte, i int) arrowipc.Block {
	t.Helper()
	return Footer(t, file).Batches[i]
}

// Rebuilt writes the header of one batch again, of the same length.
func Rebuilt(t testing.TB, file []byte, batch int, change func(m *arrowipc.Message)) []byte {
	t.Helper()
	b := Footer(t, file).Batches[batch]
	m := Message(t, file, b)
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

// WithoutFooter cuts a file after its last batch.
func WithoutFooter(t testing.TB, file []byte) []byte {
	last := Footer(t, file).Batches
	b := last[len(last)-1]
	return bytes.Clone(file[:b.Offset+int64(b.MetaLength)+b.BodyLength])
}

// WithFooter writes the footer of a file again, changed.
func WithFooter(t testing.TB, file []byte, change func(f *arrowipc.Footer)) []byte {
	f := Footer(t, file)
	out := arrowipc.AppendEnd(WithoutFooter(t, file))
	change(f)
	return arrowipc.AppendFooter(out, f)
}

// Batches returns where the batches of a file are, as a reader numbers them.
func Batches(t testing.TB, file []byte) []arrowipc.Block {
	t.Helper()
	places, err := BatchesIn(file)
	if err != nil {
		t.Fatal(err)
	}
	return places
}

// BatchesIn is Batches for files that may not be one.
func BatchesIn(file []byte) (places []arrowipc.Block, err error) {
	src := &messages.Source{Size: int64(len(file)), ReadAt: func(p []byte, off int64) error { copy(p, file[off:]); return nil }}
	e, err := messages.FindEnds(src, &messages.Options{})
	if err != nil {
		return nil, err
	}
	l, err := messages.Walk(src, e)
	if err != nil {
		return nil, err
	}
	for i := range l.Verdicts {
		switch v := &l.Verdicts[i]; {
		case v.Kind == messages.Batch:
			places = append(places, v.Block())
		case v.Kind == messages.Loss && l.Footer != nil:
			for range v.Batches {
				places = append(places, arrowipc.Block{Offset: v.At})
			}
		}
	}
	return places, nil
}
