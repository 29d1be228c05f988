package recovery_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
)

// The damage table. Every file has the batches 0 to 4 of 40 rows, the last of
// 11; a damage changes it, and keep says which survive.
func TestDamageTable(t *testing.T) {
	for codecName, codec := range testdata.EveryCodec {
		f, _ := testdata.WriteRandom(t, testdata.Small(), codec, 22, 40, 40, 40, 40, 11)
		file := f.Data
		original := batchesOf(t, file)
		blocks := dissect.Footer(t, file).Batches
		body := func(i int) int64 { return blocks[i].Offset + int64(blocks[i].MetaLength) }
		end := func(i int) int64 { return body(i) + blocks[i].BodyLength }
		all := []int{0, 1, 2, 3, 4}
		type damage struct {
			name    string
			bytes   []byte
			keep    []int
			outcome recovery.Outcome
			lost    int    // batches; -1: do not look
			rows    int64  // of the first batch lost; -2: do not look
			say     string // in a reason
		}
		clone := func(change func(p []byte)) []byte {
			p := bytes.Clone(file)
			change(p)
			return p
		}
		zero := func(p []byte) {
			for i := range p {
				p[i] = 0
			}
		}
		table := []damage{
			{"nothing", file, all, recovery.Lossless, 0, -2, ""},
			{"no footer", dissect.WithoutFooter(t, file), all, recovery.Lossless, 0, -2, "footer are missing"},
			{"end mark but no footer", file[:end(4)+8], all, recovery.Lossless, 0, -2, "footer is missing"},
			{"footer cut in the middle", file[:len(file)-100], all, recovery.Lossless, 0, -2, "cut off or damaged"},
			{"closing magic damaged", clone(func(p []byte) { p[len(p)-1] = 'X' }), all, recovery.Lossless, 0, -2, ""},
			{"footer length -1", clone(func(p []byte) { binary.LittleEndian.PutUint32(p[len(p)-10:], 0xFFFFFFFF) }), all, recovery.Lossless, 0, -2, ""},
			{"footer length huge", clone(func(p []byte) { binary.LittleEndian.PutUint32(p[len(p)-10:], 0x7FFFFFFF) }), all, recovery.Lossless, 0, -2, ""},
			{"footer garbled", clone(func(p []byte) {
				for i := end(4) + 8; i < int64(len(p))-10; i++ {
					p[i] ^= 0x5A
				}
			}), all, recovery.Lossless, 0, -2, ""},
			{"opening magic damaged", clone(func(p []byte) { zero(p[:8]) }), all, recovery.Lossless, 0, -2, ""},
			{"end mark damaged", clone(func(p []byte) { p[end(4)] = 0 }), all, recovery.Lossless, 0, -2, "end mark before the footer"},
			{"footer lacks the last batch", dissect.WithFooter(t, file, func(f *arrowipc.Footer) { f.Batches = f.Batches[:4] }), all, recovery.Lossless, 0, -2, "does not list this batch"},
			{"footer lacks a middle batch", dissect.WithFooter(t, file, func(f *arrowipc.Footer) { f.Batches = append(f.Batches[:2:2], f.Batches[3:]...) }), all, recovery.Lossless, 0, -2, "does not list this batch"},
			{"footer points outside the file", dissect.WithFooter(t, file, func(f *arrowipc.Footer) { f.Batches[2].Offset = 1 << 40 }), all, recovery.Lossless, 0, -2, "bytes too far"},
			{"footer points between the batches", dissect.WithFooter(t, file, func(f *arrowipc.Footer) { f.Batches[2].Offset += 64 }), all, recovery.Lossless, 0, -2, "64 bytes too far"},
			{"footer with lengths of 0", dissect.WithFooter(t, file, func(f *arrowipc.Footer) {
				for i := range f.Batches {
					f.Batches[i].MetaLength, f.Batches[i].BodyLength = 0, 0
				}
			}), all, recovery.Lossless, 0, -2, ""},
			{"footer with a huge body", dissect.WithFooter(t, file, func(f *arrowipc.Footer) { f.Batches[1].BodyLength = 1 << 62 }), all, recovery.Lossless, 0, -2, ""},
			{"footer with another schema", dissect.WithFooter(t, file, func(f *arrowipc.Footer) {
				f.Schema.Fields = append([]arrowipc.Field(nil), f.Schema.Fields...)
				f.Schema.Fields[0].Name = "other"
			}), all, recovery.Lossless, 0, -2, "the schema in the footer is not"},
			{"schema in front with a column less", func() []byte {
				f := dissect.Footer(t, file)
				less := f.Schema
				less.Fields = less.Fields[1:]
				p := arrowipc.AppendSchema(arrowipc.AppendHeader(nil), 8, 64, &less)
				move := int64(len(p)) - blocks[0].Offset
				p = arrowipc.AppendEnd(append(p, dissect.WithoutFooter(t, file)[blocks[0].Offset:]...))
				for i := range f.Batches {
					f.Batches[i].Offset += move
				}
				return arrowipc.AppendFooter(p, f)
			}(), all, recovery.Lossless, 0, -2, "does not fit the batches"},
			{"schema message zeroed", clone(func(p []byte) { zero(p[8:blocks[0].Offset]) }), all, recovery.Lossless, 0, -2, "taken from the footer"},
			{"everything before the first batch zeroed", clone(func(p []byte) { zero(p[:blocks[0].Offset]) }), all, recovery.Lossless, 0, -2, "taken from the footer"},
			{"zeroed tail without a footer", append(dissect.WithoutFooter(t, file), make([]byte, 70000)...), all, recovery.Lossy, 0, -1, "to the end of the file"},
			{"zeroed tail after the footer", append(bytes.Clone(file), make([]byte, 5000)...), all, recovery.Lossless, 0, -2, "follow the end of the file"},
			{"much zeroed tail after the footer", append(bytes.Clone(file), make([]byte, 3<<20)...), all, recovery.Lossless, 0, -2, "follow the end of the file"},
			{"rubbish without a footer", append(dissect.WithoutFooter(t, file), bytes.Repeat([]byte("rubbish!"), 99)...), all, recovery.Lossy, 0, -1, "no message begins here"},
			{"rubbish after the footer", append(bytes.Clone(file), bytes.Repeat([]byte("rubbish!"), 99)...), all, recovery.Lossless, 0, -2, "follow the end of the file"},
			{"short last body", file[:body(4)+70], []int{0, 1, 2, 3}, recovery.Lossy, 1, 11, "of its body are there"},
			{"short last header", file[:blocks[4].Offset+100], []int{0, 1, 2, 3}, recovery.Lossy, 1, -1, "inside the header"},
			{"header of a batch zeroed", clone(func(p []byte) { zero(p[blocks[2].Offset:body(2)]) }), []int{0, 1, 3, 4}, recovery.Lossy, 1, 40, "zeros where a message"},
			{"a whole batch zeroed", clone(func(p []byte) { zero(p[blocks[2].Offset:end(2)]) }), []int{0, 1, 3, 4}, recovery.Lossy, 1, 40, "zeros where a message"},
			{"two batches zeroed", clone(func(p []byte) { zero(p[blocks[1].Offset:end(2)]) }), []int{0, 3, 4}, recovery.Lossy, 2, 80, ""},
			{"first batch zeroed", clone(func(p []byte) { zero(p[blocks[0].Offset:end(0)]) }), []int{1, 2, 3, 4}, recovery.Lossy, 1, 40, ""},
			{"last batch zeroed", clone(func(p []byte) { zero(p[blocks[4].Offset:end(4)]) }), []int{0, 1, 2, 3}, recovery.Lossy, 1, -1, ""},
			{"last batch and end mark zeroed", clone(func(p []byte) { zero(p[blocks[4].Offset : end(4)+8]) }), []int{0, 1, 2, 3}, recovery.Lossy, 1, -1, ""},
			{"zeros over the border of two batches", clone(func(p []byte) { zero(p[body(1):body(2)]) }), []int{0, 3, 4}, recovery.Lossy, 2, 40, ""},
			{"an end mark where a batch was", clone(func(p []byte) { copy(p[blocks[2].Offset:], arrowipc.AppendEnd(nil)) }), []int{0, 1, 3, 4}, recovery.Lossy, 1, 40, "an end mark"},
			{"metadata length -1", clone(func(p []byte) { binary.LittleEndian.PutUint32(p[blocks[2].Offset+4:], 0xFFFFFFFF) }), []int{0, 1, 3, 4}, recovery.Lossy, 1, 40, ""},
			{"metadata length huge", clone(func(p []byte) { binary.LittleEndian.PutUint32(p[blocks[2].Offset+4:], 0x7FFFFFF8) }), []int{0, 1, 3, 4}, recovery.Lossy, 1, 40, ""},
			{"body length huge", dissect.Rebuilt(t, file, 2, func(m *arrowipc.Message) { m.BodyLength = 1 << 50 }), []int{0, 1, 3, 4}, recovery.Lossy, 1, 40, "a batch begins before"},
			{"body length over the next batch", dissect.Rebuilt(t, file, 2, func(m *arrowipc.Message) { m.BodyLength += int64(blocks[3].MetaLength) + blocks[3].BodyLength }), []int{0, 1, 3, 4}, recovery.Lossy, 1, 40, "a batch begins before"},
			{"more rows than values", dissect.Rebuilt(t, file, 2, func(m *arrowipc.Message) {
				m.Batch.Length = 4000
				for i := range m.Batch.Nodes {
					if m.Batch.Nodes[i].Length == 40 {
						m.Batch.Nodes[i].Length = 4000
					}
				}
			}), []int{0, 1, 3, 4}, recovery.Lossy, 1, 4000, ""},
			{"another null count", dissect.Rebuilt(t, file, 2, func(m *arrowipc.Message) { m.Batch.Nodes[1].NullCount = 39 }), []int{0, 1, 3, 4}, recovery.Lossy, 1, 40, "null"},
			{"a node less", dissect.Rebuilt(t, file, 2, func(m *arrowipc.Message) { m.Batch.Nodes = m.Batch.Nodes[1:] }), []int{0, 1, 3, 4}, recovery.Lossy, 1, 40, "the schema asks for"},
			{"another codec claimed", dissect.Rebuilt(t, file, 2, func(m *arrowipc.Message) {
				if m.Batch.Codec++; m.Batch.Codec > arrowipc.Zstd {
					m.Batch.Codec = arrowipc.LZ4Frame
				}
			}), []int{0, 1, 3, 4}, recovery.Lossy, 1, 40, `column "`},
			{"the schema again in the middle", func() []byte {
				p := bytes.Clone(file[:blocks[2].Offset])
				p = append(p, file[8:blocks[0].Offset]...)
				return append(p, dissect.WithoutFooter(t, file)[blocks[2].Offset:]...)
			}(), all, recovery.Lossless, 0, 0, "another stream begins at byte"},
		}
		if codec != recording.None {
			m := dissect.Message(t, file, blocks[2])
			b := m.Batch.Buffers[1]
			table = append(table,
				damage{"a frame with a flipped bit", clone(func(p []byte) { p[body(2)+b.Offset+b.Length-6] ^= 1 }), []int{0, 1, 3, 4}, recovery.Lossy, 1, 40, `column "A0"`},
				damage{"a frame with a flipped bit and no footer", dissect.WithoutFooter(t, clone(func(p []byte) { p[body(2)+b.Offset+b.Length-6] ^= 1 })), []int{0, 1, 3, 4}, recovery.Lossy, 1, 40, `column "A0"`},
				damage{"a length that is huge", clone(func(p []byte) { binary.LittleEndian.PutUint64(p[body(2)+b.Offset:], 1<<62) }), []int{0, 1, 3, 4}, recovery.Lossy, 1, 40, "claimed"},
			)
		}
		// Without a footer the scan finds what is after the damage.
		for _, c := range table {
			if len(c.bytes) == len(file) && bytes.Equal(c.bytes[end(4):], file[end(4):]) && !bytes.Equal(c.bytes[:blocks[0].Offset], make([]byte, blocks[0].Offset)) && c.bytes[8] != 0 {
				table = append(table, damage{c.name + ", no footer", c.bytes[:end(4)], c.keep, c.outcome, -1, -2, ""})
			}
		}
		for _, c := range table {
			t.Run(codecName+"/"+c.name, func(t *testing.T) {
				out, report := recoverBytes(t, c.bytes)
				if out == nil {
					t.Fatalf("nothing recovered: %+v", report)
				}
				sameValues(t, out, original, c.keep...)
				if report.Outcome != c.outcome || c.lost >= 0 && report.BatchesLost != c.lost || report.BatchesRecovered != len(c.keep) {
					t.Fatalf("want %s, %d lost: %+v", c.outcome, c.lost, report)
				}
				said := c.say == ""
				first := true
				for _, f := range report.Findings {
					said = said || strings.Contains(f.Reason, c.say)
					if f.Severity == recording.SeverityError && first {
						first = false
						if c.rows != -2 && f.LostRows != c.rows {
							t.Errorf("%d rows lost, want %d: %+v", f.LostRows, c.rows, f)
						}
					}
				}
				if !said {
					t.Errorf("nothing says %q: %+v", c.say, report.Findings)
				}
				found, err := verifyAll(t, c.bytes, recovery.VerifyOptions{})
				if err != nil || hasDamage(found) != (c.name != "nothing") {
					t.Errorf("Verify finds %+v, %v", found, err)
				}
			})
		}
	}
}
