package recovery_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/oniscope/oniscope/internal/testdata"
	"github.com/oniscope/oniscope/shared/internal/arrowipc"
	"github.com/oniscope/oniscope/shared/internal/dissect"
	"github.com/oniscope/oniscope/shared/recording"
	"github.com/oniscope/oniscope/shared/recovery"
	"github.com/oniscope/oniscope/shared/stream"
)

// reframed lays the messages of a file of ours out as other writers do: head
// bytes of magic and zeros, with or without the schema message, and with the
// marker or, as before Arrow 0.15, without it.
func reframed(t testing.TB, file []byte, head int, schema, marker bool) []byte {
	t.Helper()
	f := dissect.Footer(t, file)
	out := make([]byte, head)
	copy(out, arrowipc.Magic)
	message := func(at, metaLength int64) {
		metadata := file[at+8 : at+metaLength]
		if marker {
			out = append(out, file[at:at+8]...)
			out = append(out, metadata...)
			return
		}
		out = binary.LittleEndian.AppendUint32(out, uint32(len(metadata)+4))
		out = append(append(out, metadata...), 0, 0, 0, 0)
	}
	if schema {
		message(8, f.Batches[0].Offset-8)
	}
	for i := range f.Batches {
		b := &f.Batches[i]
		at := int64(len(out))
		body := b.Offset + int64(b.MetaLength)
		message(b.Offset, int64(b.MetaLength))
		out = append(out, file[body:body+b.BodyLength]...)
		b.Offset = at
	}
	if marker {
		out = arrowipc.AppendEnd(out)
	} else {
		out = append(out, 0, 0, 0, 0)
	}
	return arrowipc.AppendFooter(out, f)
}

// Streams from before Arrow 0.15 have no marker before their messages.
func TestOldStreamsAreRead(t *testing.T) {
	for name, codec := range testdata.EveryCodec {
		f, _ := testdata.WriteRandom(t, testdata.Small(), codec, 52, 30, 30, 5)
		file := reframed(t, f.Data, 8, true, false)
		end := dissect.Footer(t, file).Batches[2]
		whole := file[8 : end.Offset+int64(end.MetaLength)+end.BodyLength+4]
		for what, c := range map[string]struct {
			data    []byte
			batches int
			state   recording.State
		}{
			"whole":            {whole, 3, recording.Complete},
			"without its end":  {whole[:len(whole)-4], 3, recording.Unfinished},
			"cut in its last":  {whole[:len(whole)-4-int(end.BodyLength)/2], 2, recording.Unfinished},
			"followed by dust": {append(bytes.Clone(whole), make([]byte, 100)...), 3, recording.Damaged},
		} {
			r := testdata.Open(t, c.data)
			if testdata.IndexAll(t, r); r.About().Format.String() != "stream" || r.NumBatches() != c.batches || r.About().State != c.state {
				t.Errorf("%s, %s: %s of %d batches, %s: %+v", name, what, r.About().Format.String(), r.NumBatches(), r.About().State, r.Findings())
			}
			for i := range r.NumBatches() {
				want, err := testdata.Open(t, f.Data).ReadBatch(i, nil)
				if err != nil {
					t.Fatal(err)
				}
				if b, err := r.ReadBatch(i, nil); err != nil || !testdata.SameBatch(b, want) {
					t.Errorf("%s, %s: batch %d differs: %v", name, what, i, err)
				}
			}
		}
		if _, err := recording.NewReader(bytes.NewReader(whole[:40]), 40); !errors.Is(err, recording.ErrNotArrow) {
			t.Errorf("%s: a stream that ends in its schema: %v", name, err)
		}
	}
}

func TestFilesOfOtherLayoutsRecover(t *testing.T) {
	for name, codec := range testdata.EveryCodec {
		f, _ := testdata.WriteRandom(t, testdata.Small(), codec, 51, 30, 30, 30, 5)
		original := batchesOf(t, f.Data)
		for layout, c := range map[string]struct {
			head           int
			schema, marker bool
		}{
			"magic of 64 bytes": {64, true, true},
			"no schema message": {8, false, true},
			"no marker":         {8, true, false},
		} {
			t.Run(name+"/"+layout, func(t *testing.T) {
				file := reframed(t, f.Data, c.head, c.schema, c.marker)
				out, report := recoverBytes(t, file)
				sameValues(t, out, original, 0, 1, 2, 3)
				if report.Outcome != recovery.Lossless || c.schema != bytes.Equal(out, file) {
					t.Errorf("%+v", report)
				}
				blocks := dissect.Footer(t, file).Batches
				damaged := bytes.Clone(file)
				clear(damaged[blocks[1].Offset : blocks[1].Offset+200])
				out, report = recoverBytes(t, damaged)
				sameValues(t, out, original, 0, 2, 3)
				if report.Outcome != recovery.Lossy || report.Findings[len(report.Findings)-1].LostRows != 30 {
					t.Errorf("%+v", report)
				}
				if !c.schema {
					return
				}
				for _, cut := range []int64{blocks[3].Offset, blocks[3].Offset + 3, blocks[3].Offset + 90, int64(len(file)) - 30} {
					out, report = recoverBytes(t, file[:cut])
					want := []int{0, 1, 2}
					if cut > blocks[3].Offset+100 {
						want = []int{0, 1, 2, 3}
					}
					sameValues(t, out, original, want...)
				}
			})
		}
	}
}

// How many rows are lost is known from the batches before, if the metadata
// promise as many, else from Clock on both sides.
func TestLostRowsAreGuessedFromTheMetadata(t *testing.T) {
	s := testdata.Small()
	for promised, want := range map[int]int64{0: 40, 40: 40, 41: 40} {
		s.RowsPerBatch = promised
		f, _ := testdata.WriteRandom(t, s, recording.None, 52, 40, 40, 8)
		clear(f.Data[dissect.Footer(t, f.Data).Batches[1].Offset:][:64])
		_, report := recoverBytes(t, f.Data)
		if len(report.Findings) != 1 || report.Findings[0].LostRows != want {
			t.Errorf("%d promised: %+v", promised, report.Findings)
		}
	}
	// A batch that was short, as its body says, is not taken for a full one.
	plain := &stream.Stream{Name: "plain", Columns: []stream.Column{{Name: "A0", Type: stream.Uint16}, {Name: "Clock", Type: stream.Uint64}}}
	f, _ := testdata.WriteRandom(t, plain, recording.None, 53, 200, 200, 7, 200, 200)
	clear(f.Data[dissect.Footer(t, f.Data).Batches[2].Offset:][:64])
	if _, report := recoverBytes(t, f.Data); len(report.Findings) != 1 || report.Findings[0].LostRows != 7 {
		t.Errorf("%+v", report.Findings)
	}
}

// Bytes missing inside a plain body leave a batch whose end nobody can prove:
// the message after it does, if it can be found, wherever it is.
func TestAPlainBatchThatNoMessageFollowsIsSuspect(t *testing.T) {
	f, _ := testdata.WriteRandom(t, testdata.Small(), recording.None, 54, 50, 50, 50)
	original := batchesOf(t, f.Data)
	b := dissect.Footer(t, f.Data).Batches[1]
	at := b.Offset + int64(b.MetaLength) + b.BodyLength - 300
	for name, file := range map[string][]byte{"footer": f.Data, "no footer": dissect.WithoutFooter(t, f.Data)} {
		for _, missing := range []int64{1, 3, 8, 40, 130} {
			short := append(bytes.Clone(file[:at]), file[at+missing:]...)
			out, report := recoverBytes(t, short)
			sameValues(t, out, original, 0, 2)
			if d := report.Findings[0]; d.Batch != 1 || d.Severity != recording.SeverityError || d.LostRows != 50 || !strings.Contains(d.Reason, fmt.Sprintf("%d of its bytes are missing", missing)) || report.BatchesLost != 1 {
				t.Errorf("%s, %d bytes missing: %+v", name, missing, report)
			}
			copy(short[at+300-missing:], "damaged!")
			_, report = recoverBytes(t, short)
			found := false
			for _, d := range report.Findings {
				found = found || d.Batch == 1 && d.Severity == recording.SeverityWarning && strings.Contains(d.Reason, "no message follows")
			}
			if !found || report.Outcome != recovery.Lossy || name == "footer" && report.BatchesLost != 1 {
				t.Errorf("%s, %d bytes missing: %+v", name, missing, report)
			}
		}
	}
}

// A schema may claim what Arrow does not know, in front and in the footer.
func TestRunEndsOfOddWidthsAreNotIntact(t *testing.T) {
	f, _ := testdata.WriteRandom(t, testdata.Small(), recording.None, 55, 50, 50)
	for _, bits := range []int32{0, 8, 12, 24, -32, 128} {
		footer := dissect.Footer(t, f.Data)
		ends := &footer.Schema.Fields[2].Children[0]
		ends.Type.BitWidth = bits
		file := arrowipc.AppendSchema(arrowipc.AppendHeader(nil), 8, 64, &footer.Schema)
		move := int64(len(file)) - footer.Batches[0].Offset
		file = arrowipc.AppendEnd(append(file, dissect.WithoutFooter(t, f.Data)[footer.Batches[0].Offset:]...))
		for i := range footer.Batches {
			footer.Batches[i].Offset += move
		}
		file = arrowipc.AppendFooter(file, footer)
		if out, report := recoverBytes(t, file); out != nil || report.BatchesLost != 2 {
			t.Errorf("%d bits: %+v", bits, report)
		}
	}
}

func BenchmarkRecover(b *testing.B) {
	s := testdata.Neuropixels()
	columns := testdata.Neural(s, 30024)
	for name, codec := range testdata.EveryCodec {
		f := &testdata.Memory{}
		w, err := recording.NewWriter(f, s, recording.WriterOptions{Codec: codec})
		if err != nil {
			b.Fatal(err)
		}
		if err := errors.Join(testdata.Err(w.WriteBatch(30024, columns)), testdata.Err(w.WriteBatch(30024, columns))); err != nil {
			b.Fatal(err)
		}
		b.Run("columns=770/codec="+name, func(b *testing.B) {
			b.SetBytes(int64(len(f.Data)))
			b.ReportAllocs()
			for b.Loop() {
				p, err := recovery.Examine(context.Background(), bytes.NewReader(f.Data), int64(len(f.Data)), nil)
				if err != nil || p.Report.BatchesRecovered != 2 {
					b.Fatal(err)
				}
			}
		})
	}
}
